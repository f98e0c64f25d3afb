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
                "description": "A text, texts, tokens or lists of tokens",
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {"type": "array", "minItems": 1, "maxItems": MOST_CONTINUATIONS, "items": {"type": "string", "minLength": 1}},
                    tokens,
                    {"type": "array", "minItems": 1, "maxItems": MOST_CONTINUATIONS, "items": tokens},
                ],
            },
            "max_tokens": {
                "description": "Tokens of each continuation at most; 16 without it, -1: as many as the context holds",
                "type": ["integer", "null"], "minimum": -1, "maximum": served.context,
            },
            "n_predict": {
                "description": "llama.cpp's name of `max_tokens`, which goes first",
                "type": ["integer", "null"], "minimum": -1, "maximum": served.context,
            },
            "logprobs": {
                "description": "Log-probabilities of the tokens, with so many alternatives each; false: none",
                "anyOf": [
                    {"type": ["integer", "null"], "minimum": 0, "maximum": MOST_ALTERNATIVES},
                    {"const": false},
                ],
            },
            "best_of": {"description": "Not supported unless it is equal to `n`", "type": ["integer", "null"], "minimum": 0, "maximum": 1},
            "echo": {"description": "Repeat the prompt before its continuation", "type": ["boolean", "null"]},
            "add_special_tokens": {"description": "Put the tokenizer's special tokens around a text", "type": ["boolean", "null"]},
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
            "max_completion_tokens": limit("Tokens of the answer at most; without it the model's own limit, else what the context holds, as with -1"),
            "max_tokens": limit("The older name"),
            "n_predict": limit("llama.cpp's name"),
            "logprobs": {"description": "Log-probabilities of the tokens", "type": ["boolean", "null"]},
            "top_logprobs": {
                "description": "Alternatives of each token",
                "type": ["integer", "null"], "minimum": 0, "maximum": MOST_ALTERNATIVES,
            },
            "add_generation_prompt": {"description": "End the text where the answer begins", "type": ["boolean", "null"]},
            "tools": empty("Not supported"),
            "functions": empty("Not supported"),
            "tool_choice": {"description": "Tools are not supported", "enum": ["none", "auto", "", null]},
            "function_call": {"description": "Tools are not supported", "enum": ["none", "auto", "", null]},
            "modalities": {"type": ["array", "null"], "items": {"const": "text"}},
            "audio": empty("Not supported"),
            "web_search_options": empty("Not supported"),
            "documents": empty("Not supported"),
            "chat_template": empty("Not supported: it is the model's own"),
            "continue_final_message": empty("Not supported"),
        }),
    );
    json!({"type": "object", "required": ["messages"], "properties": fields})
}

/// Fields of both kinds of request.
fn common(served: &Served) -> Value {
    let mut fields = json!({
        "model": {
            "description": "Without it the first one",
            "type": ["string", "null"], "enum": with_null(served),
        },
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
        "repeat_penalty": {
            "description": "llama.cpp's name of `repetition_penalty`, which goes first",
            "type": ["number", "null"], "minimum": 0.01, "maximum": 100,
        },
        "presence_penalty": {"description": "Not supported", "type": ["number", "null"], "minimum": 0, "maximum": 0},
        "frequency_penalty": {"description": "Not supported", "type": ["number", "null"], "minimum": 0, "maximum": 0},
        "logit_bias": {
            "description": "Not supported",
            "type": ["object", "null"], "additionalProperties": {"const": 0},
        },
        "response_format": {
            "description": "Answers are not held to a form",
            "type": ["object", "null"], "properties": {"type": {"enum": ["text", "", null]}},
        },
        "seed": {
            "description": "The same seed gives the same text; -1: any",
            "type": ["integer", "null"], "minimum": i64::MIN, "maximum": i64::MAX,
        },
        "stop": {
            "description": "Texts that end a continuation, and are not shown: 64 KiB together",
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
            "description": "A text, or parts that are joined by line ends",
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
            "refusal": {"description": "The text, where there is no content", "type": ["string", "null"]},
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
