//! The default mode, whose cache is bf16, beside transformers in bf16 and beside exact mode.

use std::collections::BTreeMap;

use serde::Deserialize;
use weightsmith_infer::{Decoder, DecoderOptions, Wants};
use weightsmith_tensors::Checkpoint;

use crate::support::{open, open_with, repository, rows, run};

#[derive(Debug, Deserialize)]
struct Texts {
    tokens: BTreeMap<String, Vec<u32>>,
}

/// ln p of every token.
fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits
        .iter()
        .map(|&logit| (f64::from(logit) - largest).exp())
        .sum();
    let shift = largest + sum.ln();
    logits
        .iter()
        .map(|&logit| f64::from(logit) - shift)
        .collect()
}

/// The mean of Σ p ln(p / q) over the positions.
fn divergence(p: &[Vec<f32>], q: &[Vec<f32>]) -> f64 {
    assert_eq!(p.len(), q.len());
    let each = p.iter().zip(q).map(|(p, q)| {
        assert_eq!(p.len(), q.len());
        let (p, q) = (log_probabilities(p), log_probabilities(q));
        p.iter()
            .zip(&q)
            .map(|(p, q)| p.exp() * (p - q))
            .sum::<f64>()
    });
    each.sum::<f64>() / p.len() as f64
}

fn logits(decoder: &Decoder, tokens: &[u32]) -> Vec<Vec<f32>> {
    run(decoder, &mut decoder.new_cache(), tokens, Wants::All)
}

#[test]
fn the_divergence_from_transformers_in_bf16_is_small() {
    let golden = repository("crates/infer/tests/golden/bf16");
    let text = fs_err::read_to_string(golden.join("tokens.json")).unwrap();
    let texts: Texts = serde_json::from_str(&text).unwrap();
    let expected = Checkpoint::open(&golden.join("logits.safetensors")).unwrap();
    assert_eq!(texts.tokens.len(), 3);
    for (name, tokens) in &texts.tokens {
        let folder = repository("fixtures/tiny-qwen2").join(name);
        let found = logits(&open_with(&folder, DecoderOptions::default()), tokens);
        let exact = logits(&open(&folder), tokens);
        let theirs = divergence(&rows(&expected, name), &found);
        let own = divergence(&exact, &found);
        println!("{name}: {theirs:.2e} from transformers in bf16, {own:.2e} from exact mode");
        assert!(theirs < 1e-3, "{name}: {theirs}");
        // only the cache is rounded
        assert!(own > 0.0 && own < 1e-4, "{name}: {own}");
    }
}
