//! `/tokenize`, `/detokenize`, `/tokenizer_info`.

use std::sync::Arc;

use serde_json::json;
use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_server::{ServedModel, Settings};

use crate::world::{World, facts, fixture};

#[tokio::test]
async fn a_text_goes_there_and_back() {
    let world = World::new();
    let body = json!({"prompt": "Anna lives in Größe 5.", "return_token_strs": true, "add_special_tokens": false});
    let tokens = world.ask("/tokenize", &body).await;
    let count = tokens["tokens"].as_array().expect("tokens").len();
    assert_eq!(tokens["count"], count);
    let texts: Vec<String> = serde_json::from_value(tokens["token_strs"].clone()).expect("texts");
    assert_eq!(texts.len(), count);
    // parts of characters have no text, but bytes
    assert_eq!(
        texts.concat(),
        r"Anna lives in Grbytes:\xc3bytes:\xb6bytes:\xc3bytes:\x9fe 5."
    );
    assert_eq!(tokens["max_model_len"], 131_072);
    let body = json!({"model": "instruct", "tokens": tokens["tokens"]});
    let text = world.ask("/detokenize", &body).await;
    assert_eq!(text, json!({"prompt": "Anna lives in Größe 5."}));
}

#[tokio::test]
async fn a_conversation_is_put_in_the_template() {
    let world = World::new();
    let body = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let tokens = world.ask("/tokenize", &body).await;
    assert!(tokens["token_strs"].is_null());
    let text = world
        .ask("/detokenize", &json!({"tokens": tokens["tokens"]}))
        .await;
    let text = text["prompt"].as_str().expect("a text");
    assert!(
        text.ends_with("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"),
        "{text}"
    );
}

#[tokio::test]
async fn special_tokens_and_the_template_are_told() {
    let world = World::new();
    let info = world.get("/tokenizer_info").await.json();
    assert_eq!(info["eos_token"], "<|im_end|>");
    assert!(
        info["chat_template"]
            .as_str()
            .expect("a template")
            .contains("<|im_start|>")
    );
    assert_eq!(
        world.get("/tokenizer_info?model=instruct").await.json(),
        info
    );
    world.get("/tokenizer_info?model=other").await.refusal(404);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let world = World::new();
    for (path, body, expected) in [
        ("/tokenize", json!({}), "`prompt` is missing"),
        (
            "/tokenize",
            json!({"prompt": 5}),
            "`prompt` is 5; expected a string",
        ),
        (
            "/detokenize",
            json!({"tokens": "a"}),
            "`tokens` is a string; expected a list of tokens",
        ),
        (
            "/detokenize",
            json!({"tokens": [1.5]}),
            "`tokens` is a list; expected a list of tokens",
        ),
        (
            "/detokenize",
            json!({"tokens": [5000]}),
            "`tokens` is token 5000; expected tokens from 0 to 1058",
        ),
    ] {
        let message = world.post(path, &body).await.refusal(400);
        assert!(message.starts_with(expected), "{message}");
    }
}

/// The client can do nothing about a tokenizer that has no token for what it does not know.
#[tokio::test]
async fn a_tokenizer_that_fails_is_the_models_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs_err::read_dir(fixture("instruct")).expect("a fixture") {
        let entry = entry.expect("an entry");
        fs_err::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    let model = json!({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "none"});
    let tokenizer = json!({"version": "1.0", "added_tokens": [], "model": model});
    let file = folder.path().join("tokenizer.json");
    fs_err::write(file, tokenizer.to_string()).expect("a file");
    let path = folder.path().to_owned();
    let served = ServedModel::new("odd", facts(), move |_| {
        Model::open(&path, Arc::new(Pool::new(1)), DecoderOptions::default())
            .map_err(|error| error.to_string())
    });
    let world = World::with(vec![served], Settings::default());
    for (path, body) in [
        ("/tokenize", json!({"prompt": "b"})),
        ("/v1/completions", json!({"prompt": "b"})),
    ] {
        let answer = world.post(path, &body).await;
        assert_eq!(answer.json()["error"]["code"], "tokenizer_failed");
        assert_eq!(answer.json()["error"]["type"], "server_error");
        let message = answer.refusal(500);
        assert!(
            message.starts_with("the model's tokenizer.json does not work for this text: "),
            "{message}"
        );
    }
}
