use std::path::Path;

use serde_json::json;

use super::*;
use crate::Error;
use crate::text::Tokenizer;

/// The fixture's tokenizer with some of its parts changed.
fn changed(changes: &Value) -> Result<Tokenizer, Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2/instruct");
    let bytes = fs_err::read(folder.join("tokenizer.json")).unwrap();
    let mut file: Value = serde_json::from_slice(&bytes).unwrap();
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        file.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    Tokenizer::from_bytes(file.to_string().as_bytes(), Path::new("tokenizer.json"))
}

/// The problem with a file that is not loaded.
fn refused(changes: &Value) -> String {
    changed(changes).unwrap_err().to_string()
}

fn replace(pattern: &str, content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"String": pattern}, "content": content})
}

fn sequence(normalizers: &[Value]) -> Value {
    json!({"type": "Sequence", "normalizers": normalizers})
}

/// Bytes for each byte that a normalizer makes at most.
fn factor(steps: &[Value]) -> u64 {
    let mut lengths = Becoming::default();
    for step in steps.iter().rev() {
        lengths.before(&growth(step).unwrap());
    }
    lengths.most()
}

#[test]
fn a_panic_while_loading_is_an_error() {
    let no_table = json!({"type": "Precompiled", "precompiled_charsmap": "!"});
    let problem = refused(&json!({"/normalizer": no_table}));
    assert!(
        problem.starts_with("tokenizer.json: invalid: Precompiled"),
        "{problem}"
    );
}

#[test]
fn a_decoder_that_is_no_json_is_an_error() {
    // the crate panics at what is no value, wherever in a decoder
    let file = br#"{"version": "1.0", "decoder": {"type": "Fuse", "x": 1e999}, "model": {}}"#;
    let problem = Tokenizer::from_bytes(file, Path::new("tokenizer.json")).unwrap_err();
    let problem = problem.to_string();
    assert!(
        problem.starts_with("tokenizer.json: invalid: "),
        "{problem}"
    );
    assert!(problem.contains("number out of range"), "{problem}");
}

#[test]
fn panics_of_a_loaded_tokenizer_are_errors() {
    let encoding = [
        json!({"/normalizer": replace("", "x")}),
        json!({"/normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA".repeat(4000)}}),
        json!({"/pre_tokenizer": {"type": "FixedLength", "length": 0}}),
        json!({"/post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "B", "type_id": 0}}],
            "pair": [],
            "special_tokens": {},
        }}),
        json!({"/post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<missing>", "type_id": 0}}],
            "pair": [],
            "special_tokens": {},
        }}),
    ];
    for changes in encoding {
        let tokenizer = changed(&changes).unwrap();
        let problem = tokenizer.encode("Anna", true).unwrap_err().to_string();
        assert!(
            problem.starts_with("tokenizer.json is invalid: "),
            "{changes}: {problem}"
        );
    }
    let strip = json!({"type": "Strip", "content": "z", "start": 0, "stop": 100});
    let tokenizer = changed(&json!({"/decoder": strip})).unwrap();
    let tokens = tokenizer.encode("z", true).unwrap();
    let problem = tokenizer.decode(&tokens, true).unwrap_err().to_string();
    assert!(
        problem.starts_with("tokenizer.json is invalid: "),
        "{problem}"
    );
}

#[test]
fn a_merge_without_its_prefix_is_refused() {
    let model = |merge: Value| {
        json!({"/model": {
            "type": "BPE",
            "vocab": {"a": 0, "##b": 1, "ab": 2, "b": 3},
            "merges": [merge],
            "continuing_subword_prefix": "##",
        }, "/added_tokens": []})
    };
    changed(&model(json!(["a", "##b"]))).unwrap();
    changed(&model(json!("a ##b"))).unwrap();
    for merge in [json!(["a", "b"]), json!("a b")] {
        let problem = refused(&model(merge));
        let expected = "does not begin with `##`";
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn steps_are_counted_and_do_not_lie_deep() {
    let nested =
        |depth: usize| (0..depth).fold(json!({"type": "NFC"}), |inner, _| sequence(&[inner]));
    changed(&json!({"/normalizer": nested(MOST_DEPTH)})).unwrap();
    for depth in [11, 30, 60] {
        let problem = refused(&json!({"/normalizer": nested(depth)}));
        assert!(problem.contains("deeper than 8"), "{problem}");
    }
    let many = vec![json!({"type": "NFC"}); 63];
    changed(&json!({"/normalizer": sequence(&many)})).unwrap();
    let many = vec![json!({"type": "NFC"}); 64];
    let problem = refused(&json!({"/normalizer": sequence(&many)}));
    assert!(
        problem.contains("has 65 steps; at most 64 are supported"),
        "{problem}"
    );
}

#[test]
fn growth_is_that_of_the_letter_that_grows_most() {
    assert_eq!(factor(&[]), 1);
    // those of real models
    assert_eq!(factor(&[replace(" ", "▁")]), 3);
    assert_eq!(factor(&[replace("``", "\""), replace("''", "\"")]), 1);
    let marks = [replace("\n", "▃"), replace(" ", "▂")];
    assert_eq!(factor(&marks), 3);
    // each grows what the one before made
    let chain = [replace("a", "bb"), replace("b", "cc"), replace("c", "dd")];
    assert_eq!(factor(&chain), 8);
    // in the other order they do not
    let chain: Vec<Value> = chain.into_iter().rev().collect();
    assert_eq!(factor(&chain), 2);
    assert_eq!(factor(&vec![replace("a", "aa"); 40]), 1 << 40);
    assert_eq!(factor(&vec![replace("a", "aa"); 200]), u64::MAX);
    // an upper-case letter may become the one that is replaced
    let lower = [json!({"type": "Lowercase"}), replace("a", "aaaa")];
    assert_eq!(factor(&lower), 4);
    // every letter, and each gap
    let regex =
        |pattern: &str| json!({"type": "Replace", "pattern": {"Regex": pattern}, "content": "xyz"});
    assert_eq!(factor(&[regex(r"\s+")]), 3);
    assert_eq!(factor(&[regex("a*")]), 4);
    assert_eq!(factor(&[replace("", "xyz")]), 4);
    let bytes = json!({"type": "ByteLevel"});
    assert_eq!(factor(&[bytes.clone(), bytes.clone(), bytes]), 8);
}

#[test]
fn what_would_grow_is_refused() {
    let bomb = sequence(&vec![replace("a", "aa"); 40]);
    let problem = refused(&json!({"/normalizer": bomb}));
    let expected =
        "`normalizer` and `pre_tokenizer`: steps that make a text more than 64 times longer";
    assert!(problem.contains(expected), "{problem}");
    let decoders = vec![replace("a", "aa"); 7];
    let decoder = json!({"type": "Sequence", "decoders": decoders});
    let problem = refused(&json!({"/decoder": decoder}));
    assert!(problem.contains("`decoder`: steps"), "{problem}");
    let pretokenizers = vec![
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
        7
    ];
    let bytes = json!({"type": "Sequence", "pretokenizers": pretokenizers});
    let problem = refused(&json!({"/pre_tokenizer": bytes}));
    assert!(problem.contains("64 times longer"), "{problem}");
    let prepend = json!({"type": "Prepend", "prepend": "x".repeat(5000)});
    let problem = refused(&json!({"/normalizer": prepend}));
    assert!(problem.contains("5000 bytes to put before"), "{problem}");
    let problem = refused(&json!({"/normalizer": replace("a", &"x".repeat(20_000))}));
    assert!(problem.contains("20001 bytes of replacements"), "{problem}");
    let twice = vec![json!({"Sequence": {"id": "A", "type_id": 0}}); 5];
    let template =
        json!({"type": "TemplateProcessing", "single": twice, "pair": [], "special_tokens": {}});
    let problem = refused(&json!({"/post_processor": template}));
    assert!(problem.contains("repeats it 5 times"), "{problem}");
}

#[test]
fn tokens_and_words_have_a_length() {
    let added = |content: String| {
        json!({"/added_tokens": [{
            "id": 0, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        }]})
    };
    changed(&added("x".repeat(4096))).unwrap();
    let problem = refused(&added("x".repeat(4097)));
    assert!(problem.contains("a token of 4097 bytes"), "{problem}");
    let unigram = json!({"type": "Unigram", "unk_id": 0, "vocab": [["x".repeat(5000), -1.0]]});
    let problem = refused(&json!({"/model": unigram}));
    assert!(problem.contains("a token of 5000 bytes"), "{problem}");
    let words = |most: u64| {
        json!({"/added_tokens": [], "/model": {
            "type": "WordPiece", "vocab": {"a": 0, "?": 1}, "unk_token": "?",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": most,
        }})
    };
    changed(&words(100)).unwrap();
    let problem = refused(&words(1 << 40));
    assert!(problem.contains("`max_input_chars_per_word`"), "{problem}");
}

#[test]
fn padding_to_any_length_is_ignored() {
    let tokenizer = changed(&json!({
        "/padding": {
            "strategy": {"Fixed": 1_000_000_000_000_u64}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "x",
        },
        "/truncation": {
            "direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0,
        },
    }))
    .unwrap();
    let tokens = tokenizer.encode("Anna lives in Rome.", false).unwrap();
    assert_eq!(
        tokenizer.decode(&tokens, false).unwrap(),
        "Anna lives in Rome."
    );
}

#[test]
fn a_pattern_that_looks_everywhere_ends() {
    let split = |regex: &str| {
        json!({"/pre_tokenizer": {
            "type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false,
        }})
    };
    let text = "a".repeat(200);
    let tokenizer = changed(&split("(?:(?=(a+))a+)+(?!a)b")).unwrap();
    // the crate leaves a text whole where the search is given up
    let tokens = tokenizer.encode(&text, false).unwrap();
    assert_eq!(tokenizer.decode(&tokens, false).unwrap(), text);
    let problem = refused(&split(&"a".repeat(20_000)));
    assert!(problem.contains("20000 bytes"), "{problem}");
}
