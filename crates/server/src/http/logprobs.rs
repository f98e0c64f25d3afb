//! Log-probabilities as OpenAI's two protocols tell them.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use weightsmith_infer::Tokenizer;
use weightsmith_infer::text::Spelling;

use super::pieces::TokenRecord;
use crate::engine::TokenLogprobs;

/// The least that is told: JSON has no infinity.
const LEAST: f32 = -9999.0;

/// Lists side by side, as completions have them.
#[derive(Debug, Default)]
pub(super) struct Columns {
    tokens: Vec<Value>,
    token_logprobs: Vec<Value>,
    top_logprobs: Vec<Value>,
    text_offset: Vec<Value>,
}

impl Columns {
    /// Adds tokens.
    pub(super) fn extend(&mut self, tokenizer: &Tokenizer, records: &[TokenRecord]) {
        for record in records {
            let text = record.spelling.text.as_str();
            let told = record.logprobs.as_ref();
            let top = told.map(|told| alternatives(tokenizer, record.token, text, told));
            self.tokens.push(Value::from(text));
            self.token_logprobs
                .push(told.map_or(Value::Null, |told| number(told.logprob)));
            self.top_logprobs
                .push(top.map_or(Value::Null, Value::Object));
            self.text_offset.push(Value::from(record.offset));
        }
    }

    /// The field `logprobs`.
    pub(super) fn into_json(self) -> Value {
        json!({
            "tokens": self.tokens,
            "token_logprobs": self.token_logprobs,
            "top_logprobs": self.top_logprobs,
            "text_offset": self.text_offset,
        })
    }
}

/// The likeliest tokens by their text, and the chosen one. Of two tokens that look alike the likelier is told.
fn alternatives(
    tokenizer: &Tokenizer,
    chosen: u32,
    text: &str,
    told: &TokenLogprobs,
) -> Map<String, Value> {
    let mut all = Map::new();
    // it is found by its text, whatever other token has the same
    all.insert(text.to_owned(), number(told.logprob));
    for &(token, logprob) in &told.top {
        if token != chosen {
            let name = shown(&tokenizer.piece(token));
            all.entry(name).or_insert_with(|| number(logprob));
        }
    }
    all
}

/// A list of objects, as chats have it.
pub(super) fn content(tokenizer: &Tokenizer, records: &[TokenRecord]) -> Vec<Value> {
    records
        .iter()
        .map(|record| {
            let told = record.logprobs.as_ref();
            let logprob = told.map_or(LEAST, |told| told.logprob);
            let Spelling { text, bytes } = &record.spelling;
            let mut one = entry(text, bytes, logprob);
            let top = told.map_or(&[][..], |told| &told.top);
            let top: Vec<Value> = top
                .iter()
                .map(|&(token, logprob)| {
                    // the end of an answer adds nothing to it, but has a name
                    Value::Object(if token == record.token && !bytes.is_empty() {
                        entry(text, bytes, logprob)
                    } else {
                        let bytes = tokenizer.piece(token);
                        entry(&shown(&bytes), &bytes, logprob)
                    })
                })
                .collect();
            one.insert("top_logprobs".to_owned(), Value::from(top));
            Value::Object(one)
        })
        .collect()
}

fn entry(text: &str, bytes: &[u8], logprob: f32) -> Map<String, Value> {
    let fields = [
        ("token", Value::from(text)),
        ("logprob", number(logprob)),
        ("bytes", Value::from(bytes)),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A token that was not chosen, as text; a part of a character as OpenAI writes it, `bytes:\xf0\x9f`.
pub(super) fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().fold("bytes:".to_owned(), |mut text, byte| {
            // writing to a string does not fail
            let _ = write!(text, "\\x{byte:02x}");
            text
        }),
    }
}

fn number(logprob: f32) -> Value {
    Value::from(f64::from(logprob.max(LEAST)))
}
