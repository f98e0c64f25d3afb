//! Configs of real families, edited as merges edit them.

use std::path::Path;

use serde_json::{Value, json};
use weightsmith_tensors::{DType, TensorEntry, TensorInfo};

use super::*;
use crate::architecture::Architecture;

const TINY_QWEN2: &str = include_str!("../../../../fixtures/tiny-qwen2/base/config.json");

/// A checkpoint with that many layers under a prefix, and an embedding.
fn tensors(prefix: &str, layers: u64) -> Vec<TensorEntry> {
    let entry = |name: String, shape: &[u64]| TensorEntry {
        name,
        info: TensorInfo {
            dtype: DType::BF16,
            shape: shape.to_vec(),
        },
    };
    let mut tensors = vec![entry("model.embed_tokens.weight".into(), &[100, 8])];
    tensors.extend(
        (0..layers).map(|layer| entry(format!("{prefix}{layer}.mlp.up_proj.weight"), &[8, 8])),
    );
    tensors
}

fn edit(text: &str, prefix: &str, layers: u64, edits: &[ConfigEdit]) -> EditedConfig {
    let config = ConfigFile::parse(text.to_owned(), Path::new("config.json")).unwrap();
    let architecture = Architecture::infer(Some(config.value()), &tensors(prefix, layers));
    config.edited(&architecture, edits).unwrap()
}

/// The members that differ and what they are now, after stacking the layers of a decoder.
fn stacked(config: &Value, layer_map: &[u64]) -> (Value, Vec<String>) {
    let layers = layer_map.iter().max().unwrap() + 1;
    let stored = config["num_hidden_layers"].as_u64().unwrap_or(layers);
    let edited = edit(
        &config.to_string(),
        "model.layers.",
        stored,
        &[ConfigEdit::Layers(layer_map.to_vec())],
    );
    let new: Value = serde_json::from_str(&edited.text).unwrap();
    let changed = new
        .as_object()
        .unwrap()
        .iter()
        .filter(|(key, value)| config.get(key.as_str()) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (Value::Object(changed), edited.notes)
}

#[test]
fn a_config_without_changes_keeps_every_byte() {
    let same = [
        ConfigEdit::DType(DType::BF16),
        ConfigEdit::Layers((0..6).collect()),
        ConfigEdit::VocabSize(1059),
        ConfigEdit::TieWordEmbeddings(true),
    ];
    assert_eq!(edit(TINY_QWEN2, "model.layers.", 6, &same).text, TINY_QWEN2);
}

#[test]
fn a_stacked_qwen2_changes_in_the_lines_that_the_merge_changed() {
    let edits = [
        ConfigEdit::DType(DType::F32),
        ConfigEdit::Layers(vec![0, 1, 2, 3, 2, 3, 4, 5]),
        ConfigEdit::VocabSize(1060),
        ConfigEdit::TieWordEmbeddings(false),
    ];
    let edited = edit(TINY_QWEN2, "model.layers.", 6, &edits);
    let changed: Vec<&str> = edited
        .text
        .lines()
        .zip(TINY_QWEN2.lines())
        .filter(|(new, old)| new != old)
        .map(|(new, _)| new.trim())
        .collect();
    assert_eq!(
        changed,
        [
            "\"max_window_layers\": 8,",
            "\"num_hidden_layers\": 8,",
            "\"tie_word_embeddings\": false,",
            "\"torch_dtype\": \"float32\",",
            "\"vocab_size\": 1060",
        ]
    );
    assert_eq!(edited.text.lines().count(), TINY_QWEN2.lines().count());
    assert_eq!(edited.notes, [""; 0]);
}

#[test]
fn lists_by_layer_follow_their_layers_and_keep_their_layout() {
    let text = r#"{
  "dtype": "bfloat16",
  "layer_types": [
    "full_attention",
    "sliding_attention",
    "linear_attention"
  ],
  "model_type": "qwen2",
  "num_hidden_layers": 3,
  "rms_norm_eps": 1e-06
}
"#;
    let edits = [
        ConfigEdit::DType(DType::F16),
        ConfigEdit::Layers(vec![0, 2, 2, 1]),
    ];
    assert_eq!(
        edit(text, "model.layers.", 3, &edits).text,
        r#"{
  "dtype": "float16",
  "layer_types": [
    "full_attention",
    "linear_attention",
    "linear_attention",
    "sliding_attention"
  ],
  "model_type": "qwen2",
  "num_hidden_layers": 4,
  "rms_norm_eps": 1e-06
}
"#
    );
}

#[test]
fn a_type_is_added_where_the_config_names_none() {
    let edited = edit("{\"a\": 1}", "h.", 1, &[ConfigEdit::DType(DType::F32)]);
    assert_eq!(edited.text, r#"{"a": 1, "torch_dtype": "float32"}"#);
}

#[test]
fn a_type_that_a_config_cannot_name_is_an_error() {
    let config = ConfigFile::parse("{}".into(), Path::new("config.json")).unwrap();
    let architecture = Architecture::infer(Some(config.value()), &[]);
    let error = config
        .edited(&architecture, &[ConfigEdit::DType(DType::F8_E4M3)])
        .unwrap_err();
    insta::assert_snapshot!(error, @"`F8_E4M3` has no name in `config.json`, expected one of F16, BF16, F32 and F64");
}

#[test]
fn parts_of_a_multimodal_config_are_edited_where_the_language_model_is() {
    let text = r#"{"model_type": "llava", "torch_dtype": "float16", "text_config": {"model_type": "llama", "num_hidden_layers": 2, "torch_dtype": "float16", "vocab_size": 100}, "vision_config": {"num_hidden_layers": 2, "torch_dtype": null}, "quantization_config": {"torch_dtype": "x"}}"#;
    let edits = [
        ConfigEdit::DType(DType::BF16),
        ConfigEdit::Layers(vec![0, 1, 1]),
        ConfigEdit::VocabSize(128),
        ConfigEdit::TieWordEmbeddings(false),
    ];
    let edited = edit(text, "language_model.model.layers.", 2, &edits);
    assert_eq!(
        edited.text,
        r#"{"model_type": "llava", "torch_dtype": "bfloat16", "text_config": {"model_type": "llama", "num_hidden_layers": 3, "torch_dtype": "bfloat16", "vocab_size": 128, "tie_word_embeddings": false}, "vision_config": {"num_hidden_layers": 2, "torch_dtype": null}, "quantization_config": {"torch_dtype": "x"}, "tie_word_embeddings": false}"#
    );
}

#[test]
fn only_the_decoder_of_an_encoder_decoder_is_counted_anew() {
    let text = r#"{"model_type": "whisper", "encoder_layers": 4, "decoder_layers": 4, "num_hidden_layers": 4}"#;
    let edits = [ConfigEdit::Layers(vec![0, 1])];
    assert_eq!(
        edit(text, "model.decoder.layers.", 4, &edits).text,
        r#"{"model_type": "whisper", "encoder_layers": 4, "decoder_layers": 2, "num_hidden_layers": 4}"#
    );
    let text = r#"{"model_type": "t5", "num_layers": 4}"#;
    assert_eq!(
        edit(text, "decoder.block.", 4, &edits).text,
        r#"{"model_type": "t5", "num_layers": 4, "num_decoder_layers": 2}"#
    );
}

#[test]
fn a_window_from_a_layer_on_starts_where_that_layer_went() {
    let config = |windows: bool| json!({"model_type": "qwen2", "num_hidden_layers": 4, "max_window_layers": 2, "use_sliding_window": windows});
    assert_eq!(
        stacked(&config(true), &[0, 1, 1, 2, 3]),
        (
            json!({"num_hidden_layers": 5, "max_window_layers": 3}),
            vec![]
        )
    );
    let (changed, notes) = stacked(&config(true), &[0, 1, 2, 1, 2, 3]);
    assert_eq!(
        changed["layer_types"],
        json!([
            "full_attention",
            "full_attention",
            "sliding_attention",
            "full_attention",
            "sliding_attention",
            "sliding_attention"
        ])
    );
    insta::assert_snapshot!(notes.join("\n"), @"`layer_types` was expanded, because the order of the layers no longer follows the config's pattern");
    assert_eq!(
        stacked(&config(false), &[0, 1, 2, 1, 2, 3]),
        (
            json!({"num_hidden_layers": 6, "max_window_layers": 3}),
            vec![]
        )
    );
}

#[test]
fn a_period_that_still_fits_is_left_alone() {
    let config =
        json!({"model_type": "gemma3_text", "num_hidden_layers": 12, "sliding_window_pattern": 6});
    let twice: Vec<u64> = (0..12).chain(0..12).collect();
    assert_eq!(
        stacked(&config, &twice),
        (json!({"num_hidden_layers": 24}), vec![])
    );
}

#[test]
fn a_period_that_does_not_fit_any_more_is_written_out() {
    let config = json!({"model_type": "gemma2", "num_hidden_layers": 4});
    let (changed, notes) = stacked(&config, &[0, 1, 1, 2, 3]);
    let (full, window) = ("full_attention", "sliding_attention");
    assert_eq!(
        changed,
        json!({"num_hidden_layers": 5, "layer_types": [window, full, full, window, full]})
    );
    assert_eq!(notes.len(), 1);
}

#[test]
fn layers_that_are_listed_by_number_are_numbered_anew() {
    let config = json!({"model_type": "lfm2", "num_hidden_layers": 5, "full_attn_idxs": [1, 4]});
    assert_eq!(
        stacked(&config, &[0, 1, 2, 1, 4]),
        (json!({"full_attn_idxs": [1, 3, 4]}), vec![])
    );
}

#[test]
fn sparse_layers_of_a_mixture_of_experts_stay_sparse() {
    let config = json!({
        "model_type": "qwen3_moe", "num_hidden_layers": 4, "decoder_sparse_step": 2, "mlp_only_layers": []
    });
    let (changed, _) = stacked(&config, &[0, 1, 1, 2, 3]);
    assert_eq!(
        changed,
        json!({"num_hidden_layers": 5, "decoder_sparse_step": 1, "mlp_only_layers": [0, 3]})
    );
}

#[test]
fn dense_layers_at_the_start_stay_where_they_are_or_are_noted() {
    let config =
        json!({"model_type": "deepseek_v3", "num_hidden_layers": 4, "first_k_dense_replace": 1});
    assert_eq!(
        stacked(&config, &[0, 0, 1, 2, 3]),
        (
            json!({"num_hidden_layers": 5, "first_k_dense_replace": 2}),
            vec![]
        )
    );
    let (changed, notes) = stacked(&config, &[0, 1, 0, 1]);
    assert_eq!(changed, json!({}));
    insta::assert_snapshot!(notes.join("\n"), @"`first_k_dense_replace` cannot express the order of the layers: the model may not load");
}

#[test]
fn layers_beyond_the_config_s_count_are_counted_apart() {
    let config = json!({"model_type": "deepseek_v3", "num_hidden_layers": 3, "num_nextn_predict_layers": 1, "layer_types": ["a", "b", "c", "mtp"]});
    let edits = [ConfigEdit::Layers(vec![0, 1, 1, 2, 3])];
    let edited = edit(&config.to_string(), "model.layers.", 4, &edits);
    let new: Value = serde_json::from_str(&edited.text).unwrap();
    assert_eq!(new["num_hidden_layers"], 4);
    assert_eq!(new["layer_types"], json!(["a", "b", "b", "c", "mtp"]));
}

#[test]
fn other_notations_of_kinds_follow_too() {
    let config = json!({"num_hidden_layers": 4, "hybrid_override_pattern": "M*-M"});
    assert_eq!(
        stacked(&config, &[1, 1, 3]).0["hybrid_override_pattern"],
        "**M"
    );

    let config = json!({"num_hidden_layers": 4, "attention_types": [[["global", "local"], 2]]});
    assert_eq!(
        stacked(&config, &[0, 1, 1]).0["attention_types"],
        json!([[["global", "local", "local"], 1]])
    );

    let config = json!({"num_hidden_layers": 5, "block_types": ["r", "r", "a"]});
    assert_eq!(
        stacked(&config, &[0, 1, 2, 3, 4, 2]).0,
        json!({"num_hidden_layers": 6})
    );
    assert_eq!(
        stacked(&config, &[0, 2, 2]).0,
        json!({"num_hidden_layers": 3, "block_types": ["r", "a", "a"]})
    );
}

#[test]
fn a_list_of_the_wrong_length_is_noted() {
    let config = json!({"num_hidden_layers": 3, "layer_types": ["a", "b"]});
    let (changed, notes) = stacked(&config, &[0, 1, 2, 2]);
    assert_eq!(changed, json!({"num_hidden_layers": 4}));
    insta::assert_snapshot!(notes.join("\n"), @"`layer_types` has 2 entries for 3 layers: not changed");
}

#[test]
fn an_unknown_list_as_long_as_the_layers_is_taken_to_go_by_layer() {
    let numbers: Vec<u64> = (10..18).collect();
    let config = json!({"num_hidden_layers": 8, "new_list": numbers, "suppress_tokens": numbers, "kv_source_layers": numbers});
    let (changed, notes) = stacked(&config, &[7, 0]);
    assert_eq!(
        changed,
        json!({"num_hidden_layers": 2, "new_list": [17, 10]})
    );
    insta::assert_snapshot!(notes.join("\n"), @r"
    `new_list` has one entry per layer and was treated as a per-layer setting
    `kv_source_layers` may contain layer numbers: not changed
    ");
}

#[test]
fn a_layer_that_the_donor_lacks_is_an_error() {
    let config = ConfigFile::parse(TINY_QWEN2.into(), Path::new("config.json")).unwrap();
    let architecture = Architecture::infer(Some(config.value()), &tensors("model.layers.", 6));
    let error = config
        .edited(&architecture, &[ConfigEdit::Layers(vec![0, 6])])
        .unwrap_err();
    insta::assert_snapshot!(error, @"layer 6 does not exist, the donor has 6 layers");
}

#[test]
fn an_absurd_layer_number_writes_no_absurd_list() {
    let config = ConfigFile::parse(
        r#"{"model_type": "gemma2", "num_hidden_layers": 1000000000000}"#.into(),
        Path::new("config.json"),
    )
    .unwrap();
    let mut names = tensors("model.layers.", 1);
    names[1].name = "model.layers.999999999999.mlp.up_proj.weight".into();
    let architecture = Architecture::infer(Some(config.value()), &names);
    let error = config
        .edited(&architecture, &[ConfigEdit::Layers(vec![1, 0])])
        .unwrap_err();
    insta::assert_snapshot!(error, @"the checkpoint counts 1000000000000 layers, expected at most 65536");
}

#[test]
fn a_file_that_is_no_object_is_named() {
    for (text, message) in [
        ("[1]", "`m/config.json` is not an object"),
        (
            "{",
            "`m/config.json` is not JSON: line 1, column 2: found the end of the file, expected a key in double quotes",
        ),
    ] {
        let error = ConfigFile::parse(text.into(), Path::new("m/config.json")).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
