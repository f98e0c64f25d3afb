//! Small tokenizers of each kind, for tests.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Tokenizer;

/// All of them, by name.
pub(crate) fn all() -> Vec<(&'static str, Tokenizer)> {
    vec![
        ("byte level", byte_level()),
        ("byte fallback", byte_fallback()),
        ("metaspace, always", metaspace("always")),
        ("metaspace, first", metaspace("first")),
        ("word piece", word_piece()),
        ("framed", framed()),
    ]
}

/// That of the trained fixtures, as GPT-2, Qwen and Llama 3 have.
pub(crate) fn byte_level() -> Tokenizer {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2/instruct");
    let bytes = fs_err::read(folder.join("tokenizer.json")).unwrap();
    Tokenizer::from_bytes(&bytes, Path::new("tokenizer.json")).unwrap()
}

/// A BPE whose unknown letters are bytes, with a blank before each text: Llama 2, Mistral.
pub(crate) fn byte_fallback() -> Tokenizer {
    read(&byte_fallback_json())
}

/// A Unigram model whose words begin with `▁`: T5, and what comes from SentencePiece.
pub(crate) fn metaspace(scheme: &str) -> Tokenizer {
    let mut pieces = vec![json!(["<unk>", 0.0]), json!(["▁", -3.0])];
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,!?'é\n";
    pieces.extend(
        letters
            .chars()
            .map(|letter| json!([letter.to_string(), -6.0])),
    );
    let words = ["▁Hello", "▁world", "▁it", "lo", "▁▁", "▁Grüße"];
    pieces.extend(words.map(|word| json!([word, -2.0])));
    let count = pieces.len();
    let space =
        json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true});
    read(&json!({
        "version": "1.0",
        "added_tokens": [special(0, "<unk>"), special(count, "<s>"), special(count + 1, "</s>")],
        "pre_tokenizer": space,
        "decoder": space,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": false},
    }))
}

/// A WordPiece model, whose words are continued with `##`: BERT.
pub(crate) fn word_piece() -> Tokenizer {
    let pieces = [
        "[UNK]", "Hello", "world", "wor", "##ld", "##lo", "a", "b", "##a", "##b", "c", "##c", "!",
        ".", ",",
    ];
    read(&json!({
        "version": "1.0",
        "added_tokens": [special(0, "[UNK]"), special(pieces.len(), "</s>")],
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false},
        "model": {
            "type": "WordPiece", "vocab": numbered(&pieces), "unk_token": "[UNK]",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        },
    }))
}

/// As [`byte_fallback`], with a token before and one behind each text.
fn framed() -> Tokenizer {
    let mut file = byte_fallback_json();
    file["post_processor"] = json!({
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            "<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},
            "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
        },
    });
    read(&file)
}

fn byte_fallback_json() -> Value {
    let mut pieces = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    pieces.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    let letters = "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,!?";
    pieces.extend(letters.chars().map(String::from));
    let mut merges = Vec::new();
    for (left, right) in [
        ("▁", "H"),
        ("e", "l"),
        ("▁H", "el"),
        ("l", "o"),
        ("▁Hel", "lo"),
        ("▁", "w"),
        ("o", "r"),
        ("▁w", "or"),
        ("l", "d"),
        ("▁wor", "ld"),
        ("▁", "▁"),
        ("▁", "a"),
        ("a", "b"),
    ] {
        merges.push(json!([left, right]));
        pieces.push(format!("{left}{right}"));
    }
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    json!({
        "version": "1.0",
        "added_tokens": [special(0, "<unk>"), special(1, "<s>"), special(2, "</s>")],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ]},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ]},
        "model": {
            "type": "BPE", "vocab": numbered(&pieces), "merges": merges,
            "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
        },
    })
}

fn numbered(pieces: &[&str]) -> Value {
    let pairs = pieces.iter().enumerate();
    let map: Map<String, Value> = pairs
        .map(|(token, &piece)| (piece.to_owned(), Value::from(token)))
        .collect();
    Value::Object(map)
}

fn special(token: usize, content: &str) -> Value {
    json!({
        "id": token, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true,
    })
}

fn read(file: &Value) -> Tokenizer {
    let bytes = file.to_string().into_bytes();
    Tokenizer::from_bytes(&bytes, Path::new("tokenizer.json")).unwrap()
}
