//! What a model needs to speak: its tokenizer, its template, and questions to it.

use std::path::Path;

use serde_json::{Value, json};
use weightsmith_infer::evaluate::read_tasks;
use weightsmith_infer::text::{ChatTemplate, Message, SpecialTokens, TemplateOptions, Tokenizer};

/// Letters that normalizers and pre-tokenizers treat differently.
const TEXT: &str = "Hello, wörld!  12345 don't\r\n\t<|im_end|> \u{2581}e\u{301} 中文 🦀 \u{0}";

/// A tokenizer, and a text there and back.
pub fn tokenizer(input: &[u8]) {
    let Ok(tokenizer) = Tokenizer::from_bytes(input, Path::new("tokenizer.json")) else {
        return;
    };
    for special in [false, true] {
        if let Ok(tokens) = tokenizer.encode(TEXT, special) {
            let _ = tokenizer.decode(&tokens, special);
        }
    }
    for token in [0, 1, 255, u32::MAX] {
        let _ = tokenizer.decode(&[token], false);
        let _ = tokenizer.name(token);
    }
}

/// A template, and a conversation.
pub fn template(input: &[u8]) {
    let Ok(source) = std::str::from_utf8(input) else {
        return;
    };
    let special = SpecialTokens::of(
        &json!({"bos_token": "<s>", "eos_token": "</s>"}),
        &Value::Null,
    );
    let Ok(template) = ChatTemplate::new(source, "chat_template.jinja", special) else {
        return;
    };
    let messages = [
        Message::new("system", "Be brief."),
        Message::new("user", "Hé?"),
        Message::new("assistant", "Yes."),
        Message::new("user", "Why?"),
    ];
    let options = TemplateOptions {
        generation_prompt: true,
        tools: Some(
            json!([{"type": "function", "function": {"name": "f", "parameters": {"a": 1.5}}}]),
        ),
        ..TemplateOptions::default()
    };
    let _ = template.render(&messages, &options);
}

/// Questions.
pub fn tasks(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = read_tasks(text, Path::new("tasks.jsonl"));
    }
}
