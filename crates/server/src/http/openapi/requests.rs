//! What requests look like.

use serde_json::{Value, json};

use super::{Served, reference};
use crate::http::completions::MOST_CONTINUATIONS;
use crate::http::parameters::{MOST_ALTERNATIVES, MOST_CHOICES, MOST_STOPS};
use crate::http::refused::{OF_BOTH, SAMPLERS};

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
                "description": "A string, a list of strings, a list of tokens, or a list of lists of tokens",
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {"type": "array", "minItems": 1, "maxItems": MOST_CONTINUATIONS, "items": {"type": "string", "minLength": 1}},
                    tokens,
                    {"type": "array", "minItems": 1, "maxItems": MOST_CONTINUATIONS, "items": tokens},
                ],
            },
            "max_tokens": {
                "description": "Maximum tokens per completion (default: 16); -1: as many as fit the context",
                "type": ["integer", "null"], "minimum": -1, "maximum": served.context,
            },
            "n_predict": {
                "description": "llama.cpp's name for `max_tokens`, which takes precedence",
                "type": ["integer", "null"], "minimum": -1, "maximum": served.context,
            },
            "logprobs": {
                "description": "Return log-probabilities with this many alternatives per token; false: none",
                "anyOf": [
                    {"type": ["integer", "null"], "minimum": 0, "maximum": MOST_ALTERNATIVES},
                    {"const": false},
                ],
            },
            "best_of": {"description": "Not supported unless it is equal to `n`", "type": ["integer", "null"], "minimum": 0, "maximum": 1},
            "echo": {"description": "Return the prompt before the completion", "type": ["boolean", "null"]},
            "add_special_tokens": {"description": "Add the tokenizer's special tokens", "type": ["boolean", "null"]},
            "suffix": {"description": "Not supported", "type": ["string", "null"], "maxLength": 0},
        }),
    );
    json!({"type": "object", "required": ["prompt"], "properties": fields})
}

fn chat(served: &Served) -> Value {
    let limit = |description: &str| {
        json!({
            "description": description,
            "anyOf": [
                {"type": ["integer", "null"], "minimum": 1, "maximum": served.context},
                {"const": -1},
            ],
        })
    };
    let mut fields = common(served);
    merge(
        &mut fields,
        json!({
            "messages": {"type": "array", "minItems": 1, "items": reference("Message")},
            "max_completion_tokens": limit("Maximum tokens of the answer (default: the model's limit); -1: as many as fit the context"),
            "max_tokens": limit("The older name of `max_completion_tokens`"),
            "n_predict": limit("llama.cpp's name"),
            "logprobs": {"description": "Return log-probabilities of the tokens", "type": ["boolean", "null"]},
            "top_logprobs": {
                "description": "Number of alternatives per token",
                "type": ["integer", "null"], "minimum": 0, "maximum": MOST_ALTERNATIVES,
            },
            "add_generation_prompt": {"description": "End the rendered prompt where the answer starts", "type": ["boolean", "null"]},
            "tools": empty("Not supported"),
            "functions": empty("Not supported"),
            "tool_choice": {"description": "Tools are not supported", "enum": ["none", "auto", "", null]},
            "function_call": {"description": "Tools are not supported", "enum": ["none", "auto", "", null]},
            "modalities": {"type": ["array", "null"], "items": {"const": "text"}},
            "audio": empty("Not supported"),
            "web_search_options": empty("Not supported"),
            "documents": empty("Not supported"),
            "chat_template": empty("Not supported: the model's template is used"),
            "continue_final_message": empty("Not supported"),
        }),
    );
    json!({"type": "object", "required": ["messages"], "properties": fields})
}

/// Fields of both kinds of request.
fn common(served: &Served) -> Value {
    let mut fields = json!({
        "model": {
            "description": "Default: the first model",
            "type": ["string", "null"], "enum": with_null(served),
        },
        "n": {
            "description": "Completions per prompt",
            "type": ["integer", "null"], "minimum": 1, "maximum": MOST_CHOICES,
        },
        "temperature": {
            "description": "Sampling temperature; 0 is greedy (default: the model's)",
            "type": ["number", "null"], "minimum": 0, "maximum": 2,
        },
        "top_p": {
            "description": "Sample from the most likely tokens with this total probability",
            "type": ["number", "null"], "minimum": 0, "maximum": 1,
        },
        "top_k": {
            "description": "Sample from this many of the most likely tokens; 0 or -1: all",
            "type": ["integer", "null"], "minimum": -1, "maximum": i32::MAX,
        },
        "min_p": {
            "description": "Sample from tokens at least this many times as likely as the most likely one",
            "type": ["number", "null"], "minimum": 0, "maximum": 1,
        },
        "repetition_penalty": {
            "description": "Penalty for tokens that already occurred; 1 disables",
            "type": ["number", "null"], "minimum": 0.01, "maximum": 100,
        },
        "repeat_penalty": {
            "description": "llama.cpp's name for `repetition_penalty`, which takes precedence",
            "type": ["number", "null"], "minimum": 0.01, "maximum": 100,
        },
        "presence_penalty": {"description": "Not supported", "type": ["number", "null"], "minimum": 0, "maximum": 0},
        "frequency_penalty": {"description": "Not supported", "type": ["number", "null"], "minimum": 0, "maximum": 0},
        "logit_bias": {
            "description": "Not supported",
            "type": ["object", "null"], "additionalProperties": {"const": 0},
        },
        "response_format": {
            "description": "Constrained output is not supported",
            "type": ["object", "null"], "properties": {"type": {"enum": ["text", "", null]}},
        },
        "seed": {
            "description": "Random seed; -1: random",
            "type": ["integer", "null"], "minimum": i64::MIN, "maximum": i64::MAX,
        },
        "stop": {
            "description": "Stop strings, not included in the answer: 64 KiB in total",
            "anyOf": [
                {"type": "null"},
                {"type": "string"},
                {"type": "array", "maxItems": MOST_STOPS, "items": {"type": "string"}},
            ],
        },
        "ignore_eos": {"description": "Continue past the end token", "type": ["boolean", "null"]},
        "stream": {"description": "Stream the answer as server-sent events", "type": ["boolean", "null"]},
        "stream_options": {
            "type": ["object", "null"],
            "properties": {"include_usage": {"description": "Include token usage in the last event", "type": ["boolean", "null"]}},
        },
    });
    for (name, _) in OF_BOTH {
        fields[name] = empty("Not supported");
    }
    for (name, neutral) in SAMPLERS {
        fields[name] = empty("Not supported");
        if neutral != 0.0
            && let Some(values) = fields[name]["anyOf"][0]["enum"].as_array_mut()
        {
            values.push(json!(neutral as i64));
        }
    }
    fields
}

/// A field that may be there in its empty form.
fn empty(description: &str) -> Value {
    json!({
        "description": description,
        "anyOf": [
            {"enum": [null, false, "", 0]},
            {"type": "array", "maxItems": 0},
            {"type": "object", "maxProperties": 0},
        ],
    })
}

fn message() -> Value {
    let part = json!({"anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "required": ["text"],
            "properties": {
                "type": {"enum": ["text", "input_text", "output_text"]},
                "text": {"type": "string"},
            },
        },
        {
            "type": "object",
            "required": ["type", "refusal"],
            "properties": {"type": {"const": "refusal"}, "refusal": {"type": "string"}},
        },
    ]});
    let content = |types: Value| {
        json!({
            "description": "A string, or text parts joined with newlines",
            "anyOf": [{"type": types}, {"type": "array", "items": part}],
        })
    };
    let asked = json!({
        "type": "object",
        "required": ["role", "content"],
        "properties": {
            "role": {"type": "string", "enum": ["system", "developer", "user"]},
            "content": content(json!("string")),
        },
    });
    let answered = json!({
        "type": "object",
        "required": ["role"],
        "properties": {
            "role": {"const": "assistant"},
            "content": content(json!(["string", "null"])),
            "refusal": {"description": "The text, if there is no content", "type": ["string", "null"]},
        },
    });
    json!({
        "anyOf": [asked, answered],
        "properties": {
            "tool_calls": empty("Not supported"),
            "function_call": empty("Not supported"),
            "audio": empty("Not supported"),
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
