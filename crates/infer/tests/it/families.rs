//! Every family and rotary embedding: transformers' logits, position by position.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use weightsmith_infer::config::DecoderFamily;
use weightsmith_infer::{Decoder, DecoderConfig, DecoderOptions, Pool, Wants};
use weightsmith_tensors::Checkpoint;

use crate::support::{distance, repository, rows, run};

#[derive(Debug, Deserialize)]
pub(crate) struct Family {
    #[serde(skip)]
    folder: PathBuf,
    pub(crate) tokens: Vec<u32>,
    cases: BTreeMap<String, Value>,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) decoder: Decoder,
    pub(crate) tokens: Vec<u32>,
    logits: Vec<Vec<f32>>,
}

const FAMILIES: [&str; 8] = [
    "gemma2",
    "gemma3",
    "llama",
    "llama_biased",
    "mistral",
    "phi3",
    "qwen2",
    "qwen3",
];

/// All cases of all families, ready to run.
pub(crate) fn cases() -> Vec<Case> {
    FAMILIES.iter().flat_map(|name| family(name)).collect()
}

fn family(name: &str) -> Vec<Case> {
    let folder = repository("crates/infer/tests/golden").join(name);
    let text = fs_err::read_to_string(folder.join("cases.json")).unwrap();
    let family: Family = serde_json::from_str(&text).unwrap();
    let family = Family { folder, ..family };
    let logits = Checkpoint::open(&family.folder.join("logits.safetensors")).unwrap();
    family
        .cases
        .iter()
        .map(|(case, config)| Case {
            name: format!("{name}/{case}"),
            decoder: decoder(&family, config),
            tokens: family.tokens.clone(),
            logits: rows(&logits, case),
        })
        .collect()
}

fn decoder(family: &Family, config: &Value) -> Decoder {
    let config = DecoderConfig::from_json(config).unwrap();
    let path = family.folder.join("model.safetensors");
    let source = Arc::new(Checkpoint::open(&path).unwrap());
    let options = DecoderOptions {
        exact: true,
        ..DecoderOptions::default()
    };
    Decoder::open(source, config, Arc::new(Pool::new(2)), options).unwrap()
}

#[test]
fn logits_of_every_family_and_rotary_embedding_are_those_of_transformers() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut cache = case.decoder.new_cache();
        let found = run(&case.decoder, &mut cache, &case.tokens, Wants::All);
        assert_eq!(found.len(), case.logits.len());
        let errors = found.iter().zip(&case.logits);
        let errors: Vec<f32> = errors.map(|(a, b)| distance(a, b)).collect();
        let largest = errors.iter().copied().fold(0.0, f32::max);
        println!("{}: {largest:e}", case.name);
        if let Some(position) = errors.iter().position(|&error| error > 1e-4) {
            wrong.push(format!("{} from position {position}: {largest}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_family_has_a_golden_file() {
    for architecture in DecoderFamily::ALL {
        let covered = cases()
            .iter()
            .any(|case| case.decoder.config().architecture == architecture);
        assert!(covered, "{architecture:?}");
    }
}
