//! What answers look like.

use serde_json::{Value, json};

use super::{object, reference};

/// All of them.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let text = || json!({"type": "string"});
    let perhaps_text = || json!({"type": ["string", "null"]});
    let count = || json!({"type": "integer", "minimum": 0});
    vec![
        (
            "Error",
            object(json!({"error": object(json!({
                "message": text(),
                "type": text(),
                "param": perhaps_text(),
                "code": perhaps_text(),
            }))})),
        ),
        (
            "Health",
            object(json!({"status": {"const": "ok"}, "models": count(), "warm": count()})),
        ),
        ("Model", model()),
        (
            "Models",
            object(json!({
                "object": {"const": "list"},
                "data": {"type": "array", "items": reference("Model")},
            })),
        ),
        ("Usage", usage()),
        ("Completion", answer("text_completion", completion_choice())),
        ("Chat", answer("chat.completion", chat_choice())),
        (
            "Tokens",
            object(json!({
                "count": count(),
                "max_model_len": count(),
                "tokens": {"type": "array", "items": count()},
                "token_strs": {"type": ["array", "null"], "items": perhaps_text()},
            })),
        ),
        ("Text", object(json!({"prompt": text()}))),
        (
            "TokenizerInfo",
            object(json!({
                "tokenizer_class": text(),
                "chat_template": perhaps_text(),
                "model_max_length": count(),
            })),
        ),
    ]
}

fn model() -> Value {
    object(json!({
        "id": {"type": "string"},
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": {"type": "string"},
        "state": {"type": "string", "enum": ["cold", "loading", "warm", "failed"]},
        "progress": {"description": "Fraction loaded", "type": ["number", "null"], "minimum": 0, "maximum": 1},
        "error": {"description": "Why it could not be loaded", "type": ["string", "null"]},
        "is_merge": {"description": "Merged when it is loaded", "type": "boolean"},
        "architecture": {"type": "string"},
        "parameters": {"type": "integer", "minimum": 0},
        "size_bytes": {"description": "Memory of the weights", "type": "integer", "minimum": 0},
        "weights_type": {"type": "string"},
        "context_trained": {"description": "The model's trained context", "type": "integer", "minimum": 0},
        "context_served": {"description": "Maximum tokens of prompt and answer together", "type": "integer", "minimum": 0},
        "max_model_len": {"description": "The same, under vLLM's name", "type": "integer", "minimum": 0},
        "concurrency_units": {"description": "Concurrency units of a model of this size at Featherless.ai (November 2026)", "type": "integer", "enum": [1, 2, 4]},
    }))
}

fn usage() -> Value {
    let count = || json!({"type": "integer", "minimum": 0});
    object(json!({
        "prompt_tokens": count(),
        "completion_tokens": count(),
        "total_tokens": count(),
        "prompt_tokens_details": object(json!({"cached_tokens": count()})),
    }))
}

fn answer(kind: &str, choice: Value) -> Value {
    let mut choices = json!({"type": "array"});
    choices["items"] = choice;
    object(json!({
        "id": {"type": "string"},
        "object": {"const": kind},
        "created": {"type": "integer"},
        "model": {"type": "string"},
        "choices": choices,
        "usage": reference("Usage"),
    }))
}

fn finish() -> Value {
    json!({"type": "string", "enum": ["stop", "length"]})
}

fn completion_choice() -> Value {
    let numbers = json!({"type": "array", "items": {"type": ["number", "null"]}});
    let mut logprobs = object(json!({
        "tokens": {"type": "array", "items": {"type": "string"}},
        "token_logprobs": numbers,
        "top_logprobs": {"type": "array", "items": {
            "type": ["object", "null"], "additionalProperties": {"type": "number"},
        }},
        "text_offset": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    }));
    logprobs["type"] = json!(["object", "null"]);
    object(json!({
        "index": {"type": "integer", "minimum": 0},
        "text": {"type": "string"},
        "logprobs": logprobs,
        "finish_reason": finish(),
    }))
}

fn chat_choice() -> Value {
    let token = json!({
        "token": {"type": "string"},
        "logprob": {"type": "number"},
        "bytes": {"type": ["array", "null"], "items": {"type": "integer", "minimum": 0, "maximum": 255}},
    });
    let mut with_others = token.clone();
    with_others["top_logprobs"] = json!({"type": "array", "items": object(token)});
    let mut logprobs = object(json!({
        "content": {"type": "array", "items": object(with_others)},
        "refusal": {"type": "null"},
    }));
    logprobs["type"] = json!(["object", "null"]);
    object(json!({
        "index": {"type": "integer", "minimum": 0},
        "message": object(json!({
            "role": {"const": "assistant"},
            "content": {"type": "string"},
            "refusal": {"type": "null"},
        })),
        "logprobs": logprobs,
        "finish_reason": finish(),
    }))
}
