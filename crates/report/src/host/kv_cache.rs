//! How much room the keys and values of a conversation take, from `config.json`.

use serde::Serialize;
use serde_json::Value;

use weightsmith::architecture::text_config_path;

/// Bytes of a key's or a value's element: hosts keep them in 16 bits, whatever the weights are in.
const ELEMENT_BYTES: u64 = 2;

/// What decides about the size of the cache.
///
/// A position takes `2 × key/value heads × head dimension` elements in each layer; with multi-head latent attention,
/// `kv_lora_rank + qk_rope_head_dim`. A layer with a sliding window holds no more positions than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KvCacheSize {
    /// Elements of a position in a layer.
    pub elements: u64,
    /// Layers that see everything.
    pub full_layers: u64,
    /// Layers that see a window.
    pub windowed_layers: u64,
    /// Positions of the window.
    pub window: u64,
}

impl KvCacheSize {
    /// Reads a `config.json`; nothing where it does not say enough, or says nonsense.
    pub fn read(config: &Value) -> Option<Self> {
        let text = text_config_path(config)
            .iter()
            .try_fold(config, |value, key| value.get(key))
            .unwrap_or(config);
        let number = |keys: &[&str]| keys.iter().find_map(|key| text.get(key)?.as_u64());
        let layers = number(&["num_hidden_layers", "n_layer", "num_layers"])?;
        let (windowed_layers, window) = windows(text, layers);
        Some(Self {
            elements: elements(&number)?,
            full_layers: layers.checked_sub(windowed_layers)?,
            windowed_layers,
            window,
        })
    }

    /// Bytes of the cache of one conversation of so many tokens.
    pub fn bytes(&self, tokens: u64) -> u64 {
        let held = u128::from(self.full_layers) * u128::from(tokens)
            + u128::from(self.windowed_layers) * u128::from(tokens.min(self.window));
        let bytes = held
            .checked_mul(u128::from(self.elements))
            .and_then(|elements| elements.checked_mul(u128::from(ELEMENT_BYTES)));
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or(u64::MAX)
    }
}

fn elements(number: &impl Fn(&[&str]) -> Option<u64>) -> Option<u64> {
    if let Some(rank) = number(&["kv_lora_rank"]) {
        return rank.checked_add(number(&["qk_rope_head_dim"]).unwrap_or(0));
    }
    let heads = number(&["num_attention_heads", "n_head", "num_heads"])?;
    let shared = number(&["num_key_value_heads", "num_kv_heads"]).unwrap_or(heads);
    let width = match number(&["head_dim"]) {
        Some(width) => width,
        None => number(&["hidden_size", "n_embd", "d_model"])?.checked_div(heads)?,
    };
    shared.checked_mul(width)?.checked_mul(2)
}

/// Layers with a window, and its length.
fn windows(text: &Value, layers: u64) -> (u64, u64) {
    let Some(window) = text["sliding_window"].as_u64().filter(|window| *window > 0) else {
        return (0, 0);
    };
    let count = if let Some(kinds) = text["layer_types"].as_array() {
        let sliding = kinds.iter().filter(|kind| *kind == "sliding_attention");
        (sliding.count() as u64).min(layers)
    } else {
        match text["model_type"].as_str().unwrap_or_default() {
            "mistral" | "mixtral" | "phi3" => layers,
            "gemma2" => layers.div_ceil(2),
            "gemma3" | "gemma3_text" => {
                let pattern = text["sliding_window_pattern"].as_u64().unwrap_or(6).max(1);
                layers - layers / pattern
            }
            _ if text["use_sliding_window"] == true => {
                layers.saturating_sub(text["max_window_layers"].as_u64().unwrap_or(layers))
            }
            _ => 0,
        }
    };
    (count, window)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_cache_of_qwen_0_5b_is_that_of_its_heads() {
        let config = json!({
            "model_type": "qwen2", "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
            "hidden_size": 896, "sliding_window": 32768, "use_sliding_window": false, "max_window_layers": 21,
        });
        let cache = KvCacheSize::read(&config).unwrap();
        // 24 layers × 2 × 2 heads × 64 × 2 bytes
        assert_eq!(cache.bytes(1), 12_288);
        assert_eq!(cache.bytes(32_768), 402_653_184);
    }

    #[test]
    fn windows_hold_no_more_than_their_length() {
        let mut config = json!({
            "model_type": "gemma2", "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
            "hidden_size": 2304, "head_dim": 256, "sliding_window": 4096,
        });
        let bytes = |config: &Value| KvCacheSize::read(config).unwrap().bytes(8192);
        let position = 2 * 4 * 256 * 2;
        assert_eq!(bytes(&config), position * (13 * 8192 + 13 * 4096));
        config["layer_types"] = json!(["sliding_attention", "full_attention"]);
        assert_eq!(bytes(&config), position * (25 * 8192 + 4096));
        config["sliding_window"] = Value::Null;
        assert_eq!(bytes(&config), position * 26 * 8192);
    }

    #[test]
    fn latent_attention_keeps_one_vector_a_position() {
        let config = json!({
            "num_hidden_layers": 61, "num_attention_heads": 128, "hidden_size": 7168, "kv_lora_rank": 512,
            "qk_rope_head_dim": 64,
        });
        assert_eq!(KvCacheSize::read(&config).unwrap().bytes(1), 61 * 576 * 2);
    }

    #[test]
    fn nonsense_gives_nothing_and_no_overflow() {
        assert_eq!(KvCacheSize::read(&json!({})), None);
        let zero = json!({"num_hidden_layers": 1, "num_attention_heads": 0, "hidden_size": 4});
        assert_eq!(KvCacheSize::read(&zero), None);
        let huge =
            json!({"num_hidden_layers": u64::MAX, "num_attention_heads": 2, "hidden_size": 8});
        assert_eq!(KvCacheSize::read(&huge).unwrap().bytes(u64::MAX), u64::MAX);
    }
}
