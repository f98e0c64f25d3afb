//! What requests look like.

use serde_json::{Value, json};

use super::{Served, reference};
use crate::http::completions::MOST_CONTINUATIONS;
use crate::http::parameters::{MOST_ALTERNATIVES, MOST_CHOICES, MOST_STOPS};

/// All of them.
pub(super) fn schemas(served: &Served) -> Vec<(&'static str, Value)> {
    vec![
        ("CompletionRequest", completion(served)),
        ("ChatRequest", chat(served)),
        ("Message", message()),
        ("TokenizeRequest", tokenize(served)),
        ("DetokenizeRequest", detokenize(served)),
    ]
}

fn completion(served: &Served) -> Value {
    let tokens = tokens(served);
    let mut fields = common(served);
    merge(
        &mut fields,
        json!({
            "prompt": {
                "description": "A text, texts, tokens or lists of tokens",
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {"type": "array", "minItems": 1, "maxItems": MOST_CONTINUATIONS, "items": {"type": "string", "minLength": 1}},
                    tokens,
                    {"type": "array", "minItems": 1, "maxItems": MOST_CONTINUATIONS, "items": tokens},
                ],
            },
            "max_tokens": {
                "description": "Tokens of each continuation at most; 16 without it",
                "type": ["integer", "null"], "minimum": 0, "maximum": served.context,
            },
            "logprobs": {
                "description": "Log-probabilities of the tokens, with so many alternatives each",
                "type": ["integer", "null"], "minimum": 0, "maximum": MOST_ALTERNATIVES,
            },
            "echo": {"description": "Repeat the prompt before its continuation", "type": ["boolean", "null"]},
            "add_special_tokens": {"description": "Put the tokenizer's special tokens around a text", "type": ["boolean", "null"]},
            "suffix": {"description": "Not supported", "type": ["string", "null"], "maxLength": 0},
        }),
    );
    json!({"type": "object", "required": ["model", "prompt"], "properties": fields})
}

fn chat(served: &Served) -> Value {
    let limit = |description: &str| {
        json!({
            "description": description,
            "type": ["integer", "null"], "minimum": 1, "maximum": served.context,
        })
    };
    let mut fields = common(served);
    merge(
        &mut fields,
        json!({
            "messages": {"type": "array", "minItems": 1, "items": reference("Message")},
            "max_completion_tokens": limit("Tokens of the answer at most; without it the model's own limit, else what the context holds"),
            "max_tokens": limit("The older name"),
            "logprobs": {"description": "Log-probabilities of the tokens", "type": ["boolean", "null"]},
            "top_logprobs": {
                "description": "Alternatives of each token",
                "type": ["integer", "null"], "minimum": 0, "maximum": MOST_ALTERNATIVES,
            },
            "add_generation_prompt": {"description": "End the text where the answer begins", "type": ["boolean", "null"]},
            "tools": {"description": "Not supported", "type": ["array", "null"], "maxItems": 0},
            "functions": {"description": "Not supported", "type": ["array", "null"], "maxItems": 0},
        }),
    );
    json!({"type": "object", "required": ["model", "messages"], "properties": fields})
}

/// Fields of both kinds of request.
fn common(served: &Served) -> Value {
    json!({
        "model": {"type": "string", "enum": served.names},
        "n": {
            "description": "Continuations of each prompt",
            "type": ["integer", "null"], "minimum": 1, "maximum": MOST_CHOICES,
        },
        "temperature": {
            "description": "How adventurous: 0 takes the likeliest token; the model's own setting without it",
            "type": ["number", "null"], "minimum": 0, "maximum": 2,
        },
        "top_p": {
            "description": "Choose among the likeliest tokens that have this probability together",
            "type": ["number", "null"], "minimum": 0, "maximum": 1,
        },
        "top_k": {
            "description": "Choose among so many of the likeliest tokens; 0 or -1: all",
            "type": ["integer", "null"], "minimum": -1, "maximum": i32::MAX,
        },
        "min_p": {
            "description": "Choose among tokens at least so many times as likely as the likeliest",
            "type": ["number", "null"], "minimum": 0, "maximum": 1,
        },
        "repetition_penalty": {
            "description": "Make tokens that have occurred less likely: above 1",
            "type": ["number", "null"], "minimum": 0.01, "maximum": 100,
        },
        "presence_penalty": {"description": "Not supported", "type": ["number", "null"], "minimum": 0, "maximum": 0},
        "frequency_penalty": {"description": "Not supported", "type": ["number", "null"], "minimum": 0, "maximum": 0},
        "logit_bias": {"description": "Not supported", "type": ["object", "null"], "maxProperties": 0},
        "seed": {
            "description": "The same seed gives the same text",
            "type": ["integer", "null"], "minimum": i64::MIN, "maximum": i64::MAX,
        },
        "stop": {
            "description": "Texts that end a continuation, and are not shown",
            "anyOf": [
                {"type": "null"},
                {"type": "string"},
                {"type": "array", "maxItems": MOST_STOPS, "items": {"type": "string"}},
            ],
        },
        "ignore_eos": {"description": "Go on behind the end of the text", "type": ["boolean", "null"]},
        "stream": {"description": "Send the answer piece by piece, as server-sent events", "type": ["boolean", "null"]},
        "stream_options": {
            "type": ["object", "null"],
            "properties": {"include_usage": {"description": "End with the numbers of tokens", "type": ["boolean", "null"]}},
        },
    })
}

fn message() -> Value {
    let part = json!({
        "type": "object",
        "required": ["type", "text"],
        "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
    });
    json!({
        "type": "object",
        "required": ["role", "content"],
        "properties": {
            "role": {"type": "string", "enum": ["system", "developer", "user", "assistant"]},
            "content": {"anyOf": [{"type": "string"}, {"type": "array", "items": part}]},
            "tool_calls": {"description": "Not supported", "type": "null"},
        },
    })
}

fn tokenize(served: &Served) -> Value {
    let model = json!({"type": ["string", "null"], "enum": with_null(served)});
    let strings = json!({"type": ["boolean", "null"]});
    let text = json!({
        "title": "A text",
        "type": "object",
        "required": ["prompt"],
        "properties": {
            "model": model,
            "prompt": {"type": "string"},
            "add_special_tokens": {"type": ["boolean", "null"]},
            "return_token_strs": strings,
        },
    });
    let conversation = json!({
        "title": "A conversation",
        "type": "object",
        "required": ["messages"],
        "properties": {
            "model": model,
            "prompt": {"type": "null"},
            "messages": {"type": "array", "minItems": 1, "items": reference("Message")},
            "add_special_tokens": {"type": ["boolean", "null"]},
            "add_generation_prompt": {"type": ["boolean", "null"]},
            "return_token_strs": strings,
        },
    });
    json!({"anyOf": [text, conversation]})
}

fn detokenize(served: &Served) -> Value {
    json!({
        "type": "object",
        "required": ["tokens"],
        "properties": {
            "model": {"type": ["string", "null"], "enum": with_null(served)},
            "tokens": {"type": "array", "items": token(served)},
        },
    })
}

fn with_null(served: &Served) -> Vec<Option<&str>> {
    let names = served.names.iter().map(|name| Some(name.as_str()));
    names.chain([None]).collect()
}

fn token(served: &Served) -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": served.last_token})
}

fn tokens(served: &Served) -> Value {
    json!({"type": "array", "minItems": 1, "items": token(served)})
}

/// Adds the fields of one object to another.
fn merge(fields: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (fields, more) {
        fields.extend(more);
    }
}
