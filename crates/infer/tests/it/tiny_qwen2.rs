//! The really trained models in `fixtures`: transformers' continuations token by token.

use serde::Deserialize;
use weightsmith_infer::{DecoderConfig, Wants, expected_tensors};
use weightsmith_tensors::{Checkpoint, TensorSource as _};

use crate::support::{greedy, open, repository, run};

#[derive(Debug, Deserialize)]
pub(crate) struct Golden {
    pub(crate) model: String,
    pub(crate) text: String,
    pub(crate) prompt_ids: Vec<u32>,
    pub(crate) generated_ids: Vec<u32>,
    pub(crate) generated_text: String,
    top10_ids: Vec<u32>,
    top10_logits_f32: Vec<f32>,
}

pub(crate) fn goldens() -> Vec<Golden> {
    let text = fs_err::read_to_string(repository("fixtures/tiny-qwen2/golden.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn greedy_continuations_and_logits_are_those_of_transformers() {
    for model in ["base", "instruct"] {
        let decoder = open(&repository("fixtures/tiny-qwen2").join(model));
        for golden in goldens().iter().filter(|golden| golden.model == model) {
            let mut cache = decoder.new_cache();
            let mut logits = run(&decoder, &mut cache, &golden.prompt_ids, Wants::Last);
            for (&id, expected) in golden.top10_ids.iter().zip(&golden.top10_logits_f32) {
                let found = logits[0][id as usize];
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{}: logit of {id} is {found}, expected {expected}",
                    golden.text
                );
            }
            for (index, &expected) in golden.generated_ids.iter().enumerate() {
                assert_eq!(greedy(&logits[0]), expected, "{}: {index}", golden.text);
                logits = run(&decoder, &mut cache, &[expected], Wants::Last);
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Continuation {
    model: String,
    prompt: Vec<u32>,
    tokens: Vec<u32>,
    margin: f32,
}

#[test]
fn two_hundred_greedy_tokens_are_those_of_transformers() {
    let path = repository("crates/infer/tests/golden/continuations.json");
    let text = fs_err::read_to_string(path).unwrap();
    let continuations: Vec<Continuation> = serde_json::from_str(&text).unwrap();
    for model in ["base", "instruct", "math"] {
        let decoder = open(&repository("fixtures/tiny-qwen2").join(model));
        for case in continuations.iter().filter(|case| case.model == model) {
            assert!(case.margin > 1e-4, "too near to a tie to compare: {case:?}");
            let mut cache = decoder.new_cache();
            let mut next = run(&decoder, &mut cache, &case.prompt, Wants::Last);
            let mut found = Vec::new();
            for _ in 0..case.tokens.len() {
                let token = greedy(&next[0]);
                found.push(token);
                next = run(&decoder, &mut cache, &[token], Wants::Last);
            }
            assert_eq!(found, case.tokens, "{model} {:?}", case.prompt);
        }
    }
}

#[test]
fn what_follows_from_the_config_is_what_the_checkpoint_has() {
    let folder = repository("fixtures/tiny-qwen2/instruct");
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let mut config = DecoderConfig::read(&folder).unwrap();
    let mut expected = expected_tensors(&checkpoint, &config);
    let mut found: Vec<(String, Vec<u64>)> = checkpoint
        .tensors()
        .iter()
        .map(|tensor| (tensor.name.clone(), tensor.info.shape.clone()))
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(expected, found);
    config.tied = false;
    let head = ("lm_head.weight".to_owned(), vec![1059, 192]);
    assert_eq!(expected_tensors(&checkpoint, &config).last(), Some(&head));
}
