//! What several tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith_infer::{
    Decoder, DecoderConfig, DecoderOptions, KvCache, Pool, SequenceStep, Wants,
};
use weightsmith_tensors::{Checkpoint, TensorSource, widen_f32};

/// A folder of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// Opens the model in a folder, exact and on two threads.
pub(crate) fn open(folder: &Path) -> Decoder {
    let options = DecoderOptions {
        exact: true,
        ..DecoderOptions::default()
    };
    open_with(folder, options)
}

/// Opens the model in a folder.
pub(crate) fn open_with(folder: &Path, options: DecoderOptions) -> Decoder {
    let config = fs_err::read_to_string(folder.join("config.json")).unwrap();
    open_of(folder, &config, options)
}

/// Opens weights with another configuration, exact and on two threads.
pub(crate) fn open_as(weights: &Path, config: &str) -> Decoder {
    let options = DecoderOptions {
        exact: true,
        ..DecoderOptions::default()
    };
    open_of(weights, config, options)
}

fn open_of(weights: &Path, config: &str, options: DecoderOptions) -> Decoder {
    let config = DecoderConfig::parse(config).unwrap();
    let source = Arc::new(Checkpoint::open(weights).unwrap());
    let pool = Arc::new(Pool::new(2));
    Decoder::open(source, config, pool, options).unwrap()
}

/// Runs tokens of one sequence.
pub(crate) fn run(
    decoder: &Decoder,
    cache: &mut KvCache,
    tokens: &[u32],
    wants: Wants,
) -> Vec<Vec<f32>> {
    let mut steps = [SequenceStep {
        tokens,
        cache,
        wants,
    }];
    let logits = decoder.step(&mut steps).unwrap();
    logits.rows(0).map(<[f32]>::to_vec).collect()
}

/// The token of the largest logit, the first of equals.
pub(crate) fn greedy(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (index, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = index;
        }
    }
    best as u32
}

/// The largest difference of two rows.
pub(crate) fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// The rows of a matrix in a golden file.
pub(crate) fn rows(golden: &Checkpoint, name: &str) -> Vec<Vec<f32>> {
    let tensor = golden.find(name).unwrap();
    let info = golden.tensors()[tensor].info.clone();
    let mut scratch = Vec::new();
    let bytes = golden
        .read(tensor, 0..info.elements(), &mut scratch)
        .unwrap();
    let mut values = vec![0.0; info.elements() as usize];
    widen_f32(info.dtype, bytes, &mut values).unwrap();
    let width = info.row_elements() as usize;
    values.chunks_exact(width).map(<[f32]>::to_vec).collect()
}
