//! Where `config.json` says how many layers there are.

use serde_json::Value;

use super::facts::Facts;
use super::stacks::LayerStack;

/// Keys under which multimodal configs keep the language model's config.
const TEXT_CONFIGS: [&[&str]; 6] = [
    &["text_config"],
    &["llm_config"],
    &["language_config"],
    &["thinker_config", "text_config"],
    &["decoder"],
    &["text_model"],
];

/// Keys of the layer count of families that the table does not know; those that are there mean the same.
const LAYER_COUNT_KEYS: [&str; 6] = [
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "num_transformer_layers",
    "num_blocks",
];

const ENCODER_KEYS: [&str; 3] = ["encoder_layers", "num_encoder_layers", "n_encoder_layers"];
const DECODER_KEYS: [&str; 3] = ["decoder_layers", "num_decoder_layers", "n_decoder_layers"];

/// The layer count of a stack in `config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerCount {
    /// The object that holds it: empty for the top, `["text_config"]` for the language model of a multimodal one.
    pub object: Vec<String>,
    /// Its keys there: those that are present, else the one that would be.
    pub keys: Vec<String>,
    /// The count, where it is present.
    pub value: Option<u64>,
}

/// The path of the object that describes the language model: empty for a config without parts.
pub fn text_config_path(config: &Value) -> &'static [&'static str] {
    TEXT_CONFIGS
        .into_iter()
        .find(|path| value_at(config, path).is_some_and(Value::is_object))
        .unwrap_or(&[])
}

/// Finds the layer count of a stack.
pub fn locate_layer_count(
    config: &Value,
    facts: Option<&Facts>,
    stack: Option<&LayerStack>,
) -> LayerCount {
    let text = text_config_path(config);
    let prefix = stack.map_or("", |stack| stack.prefix.as_str());
    let candidates = candidate_keys(facts, prefix);
    // an old multimodal config may hold the language model's keys at the top
    for object in [text, &[]] {
        let Some(value) = value_at(config, object) else {
            continue;
        };
        let keys: Vec<&str> = candidates
            .iter()
            .copied()
            .filter(|key| value.get(key).is_some_and(Value::is_u64))
            .collect();
        if let Some(first) = keys.first() {
            let count = value.get(first).and_then(Value::as_u64);
            let same = |key: &&str| value.get(*key).and_then(Value::as_u64) == count;
            return LayerCount {
                object: owned(object),
                keys: keys
                    .iter()
                    .copied()
                    .filter(same)
                    .map(str::to_owned)
                    .collect(),
                value: count,
            };
        }
    }
    LayerCount {
        object: owned(text),
        keys: owned(&candidates[..1]),
        value: None,
    }
}

fn candidate_keys(facts: Option<&Facts>, prefix: &str) -> Vec<&'static str> {
    let of_stack = facts.and_then(|facts| {
        facts
            .stacks
            .iter()
            .find(|stack| prefix.ends_with(stack.prefix_end))
    });
    if let Some(stack) = of_stack {
        return stack.layer_count_keys.to_vec();
    }
    let mut keys = Vec::new();
    if let Some(facts) = facts {
        keys.extend_from_slice(facts.layer_count_keys);
    }
    let parts: Vec<&str> = prefix.split('.').collect();
    if keys.is_empty() && parts.contains(&"decoder") {
        keys.extend(DECODER_KEYS);
    }
    for key in LAYER_COUNT_KEYS {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if parts.contains(&"encoder") {
        keys.extend(ENCODER_KEYS);
    }
    keys
}

/// The value at a path of keys; the value itself at the empty path.
pub(super) fn value_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|&key| key.to_owned()).collect()
}
