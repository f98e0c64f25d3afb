//! What `config.json` and the tokenizer's files say about a model.

use std::io;

use serde_json::Value;
use weightsmith_tensors::ModelFiles;

use super::inspection::ConfigFacts;
use weightsmith::architecture::text_config_path;
use weightsmith::output::chat_template_file;

/// Keys of the longest text, by family, the usual one first.
const CONTEXT_LENGTH: [&str; 6] = [
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_seq_len",
    "seq_length",
    "max_target_positions",
];

/// A tokenizer's config may hold a long chat template; more than this is something else.
const LARGEST_TOKENIZER_CONFIG: u64 = 64 << 20;

/// The longest text in tokens, by a `config.json`.
pub(crate) fn context_length(config: &Value) -> Option<u64> {
    number(config, &CONTEXT_LENGTH)
}

/// The language model's part of a config.
fn text_config(config: &Value) -> &Value {
    text_config_path(config)
        .iter()
        .try_fold(config, |value, key| value.get(key))
        .unwrap_or(config)
}

/// The number under the first of some keys, in the language model's part or beside it.
fn number(config: &Value, keys: &[&str]) -> Option<u64> {
    let text = text_config(config);
    keys.iter()
        .find_map(|key| text.get(key).or_else(|| config.get(key))?.as_u64())
}

/// The facts; those of the language model in a multimodal one.
pub(super) fn read(config: &Value) -> ConfigFacts {
    let text = text_config(config);
    let number = |keys: &[&str]| number(config, keys);
    let word = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    ConfigFacts {
        architectures: config
            .get("architectures")
            .and_then(Value::as_array)
            .map(|names| {
                names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default(),
        context_length: context_length(config),
        hidden_size: number(&["hidden_size", "n_embd", "d_model", "dim"]),
        attention_heads: number(&[
            "num_attention_heads",
            "n_head",
            "num_heads",
            "n_heads",
            "encoder_attention_heads",
        ]),
        key_value_heads: number(&["num_key_value_heads", "num_kv_heads"]),
        dtype: ["dtype", "torch_dtype"]
            .iter()
            .find_map(|key| word(config.get(key)).or_else(|| word(text.get(key)))),
        quantization: config.get("quantization_config").map(|quantization| {
            word(quantization.get("quant_method")).unwrap_or_else(|| "unknown method".to_owned())
        }),
    }
}

/// The file with the chat template of a model.
pub(super) fn chat_template(
    model: &(impl ModelFiles + ?Sized),
) -> io::Result<Option<&'static str>> {
    chat_template_file(&|name| {
        let content = model.file(name)?;
        Ok(content.filter(|content| content.len() as u64 <= LARGEST_TOKENIZER_CONFIG))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use weightsmith_tensors::ModelFolder;

    use super::*;

    #[test]
    fn the_language_model_of_a_multimodal_one_is_described() {
        let config = json!({
            "architectures": ["Gemma3ForConditionalGeneration"],
            "model_type": "gemma3",
            "torch_dtype": "bfloat16",
            "text_config": { "model_type": "gemma3_text", "hidden_size": 2560, "max_position_embeddings": 131_072 },
            "vision_config": { "hidden_size": 1152 },
        });
        let facts = read(&config);
        assert_eq!(facts.hidden_size, Some(2560));
        assert_eq!(facts.context_length, Some(131_072));
        assert_eq!(facts.dtype.as_deref(), Some("bfloat16"));
        assert_eq!(facts.architectures, ["Gemma3ForConditionalGeneration"]);
    }

    #[test]
    fn older_families_have_their_own_words() {
        let facts = read(
            &json!({ "model_type": "gpt2", "n_positions": 1024, "n_embd": 768, "n_head": 12 }),
        );
        assert_eq!(
            (
                facts.context_length,
                facts.hidden_size,
                facts.attention_heads
            ),
            (Some(1024), Some(768), Some(12))
        );
    }

    #[test]
    fn values_of_a_wrong_type_are_not_believed() {
        let facts = read(&json!({ "hidden_size": "large", "architectures": 3, "dtype": 16 }));
        assert_eq!(facts, ConfigFacts::default());
    }

    #[test]
    fn a_template_is_found_in_the_tokenizers_config() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = ModelFolder::new(folder.path());
        let path = folder.path().join("tokenizer_config.json");
        fs_err::write(&path, r#"{"chat_template": null}"#).expect("written");
        assert_eq!(chat_template(&files).expect("readable"), None);
        fs_err::write(&path, r#"{"chat_template": "{{ messages }}"}"#).expect("written");
        assert_eq!(
            chat_template(&files).expect("readable"),
            Some("tokenizer_config.json")
        );
    }
}
