//! Log-probabilities as OpenAI's two protocols tell them.

use serde_json::{Map, Value, json};
use weightsmith_infer::Tokenizer;

use super::pieces::{TokenRecord, token_text};
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
            let text = token_text(tokenizer, record.token);
            let told = record.logprobs.as_ref();
            let top = told.map(|told| alternatives(tokenizer, &text, told));
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
fn alternatives(tokenizer: &Tokenizer, chosen: &str, told: &TokenLogprobs) -> Map<String, Value> {
    let mut all = Map::new();
    for &(token, logprob) in &told.top {
        let text = token_text(tokenizer, token);
        all.entry(text).or_insert_with(|| number(logprob));
    }
    all.entry(chosen.to_owned())
        .or_insert_with(|| number(told.logprob));
    all
}

/// A list of objects, as chats have it.
pub(super) fn content(tokenizer: &Tokenizer, records: &[TokenRecord]) -> Vec<Value> {
    records
        .iter()
        .map(|record| {
            let told = record.logprobs.as_ref();
            let logprob = told.map_or(LEAST, |told| told.logprob);
            let mut one = entry(tokenizer, record.token, logprob);
            let top = told.map_or(&[][..], |told| &told.top);
            let top: Vec<Value> = top
                .iter()
                .map(|&(token, logprob)| Value::Object(entry(tokenizer, token, logprob)))
                .collect();
            one.insert("top_logprobs".to_owned(), Value::from(top));
            Value::Object(one)
        })
        .collect()
}

fn entry(tokenizer: &Tokenizer, token: u32, logprob: f32) -> Map<String, Value> {
    let text = token_text(tokenizer, token);
    let bytes = Value::from(text.as_bytes());
    let fields = [
        ("token", Value::from(text)),
        ("logprob", number(logprob)),
        ("bytes", bytes),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn number(logprob: f32) -> Value {
    Value::from(f64::from(logprob.max(LEAST)))
}
