//! A conversation's messages, in the forms in which clients send them.

use serde_json::{Map, Value};
use weightsmith_infer::Message;

use super::failure::ApiError;
use super::fields::{is_used, wrong};

/// Features that a message may use; what is there and empty is no use.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("tool_calls", "tools are not supported"),
    ("function_call", "tools are not supported"),
    ("audio", "only text is supported"),
];

/// Reads a message.
pub(super) fn read(index: usize, message: &Value) -> Result<Message, ApiError> {
    let name = format!("messages[{index}]");
    let Value::Object(fields) = message else {
        return Err(wrong(&name, message, "an object with `role` and `content`"));
    };
    let role = role(&name, fields.get("role").unwrap_or(&Value::Null))?;
    for (field, why) in UNSUPPORTED {
        if fields.get(field).is_some_and(is_used) {
            return Err(ApiError::unsupported(&format!("{name}.{field}"), why));
        }
    }
    Ok(Message::new(role, &content(&name, role, fields)?))
}

fn role<'a>(name: &str, role: &'a Value) -> Result<&'a str, ApiError> {
    let name = format!("{name}.role");
    match role.as_str() {
        Some("developer") => Ok("system"),
        Some(known @ ("system" | "user" | "assistant")) => Ok(known),
        Some("tool" | "function") => Err(ApiError::unsupported(&name, "tools are not supported")),
        Some(other) => {
            let expected = "`system`, `developer`, `user` or `assistant`";
            Err(ApiError::field(&name, &format!("`{other}`"), expected))
        }
        None => Err(wrong(&name, role, "a string")),
    }
}

/// The text of a message. Parts are joined by line ends, as vLLM and llama.cpp do; an assistant that refused says its refusal.
fn content(name: &str, role: &str, fields: &Map<String, Value>) -> Result<String, ApiError> {
    let content = fields.get("content").unwrap_or(&Value::Null);
    let refusal = fields.get("refusal").and_then(Value::as_str);
    if !is_used(content)
        && let Some(refusal) = refusal
    {
        return Ok(refusal.to_owned());
    }
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().enumerate().map(|(index, part)| {
                let name = format!("{name}.content[{index}]");
                read_part(&name, part)
            });
            Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
        // nothing was said beside the tools that were not called
        Value::Null if role == "assistant" => Ok(String::new()),
        _ => {
            let name = format!("{name}.content");
            Err(wrong(&name, content, "a string or a list of text parts"))
        }
    }
}

/// A part of a message: a text, under each of the names that it has.
fn read_part<'a>(name: &str, part: &'a Value) -> Result<&'a str, ApiError> {
    const EXPECTED: &str = "{\"type\": \"text\", \"text\": \"…\"}";
    if let Value::String(text) = part {
        return Ok(text);
    }
    let field = match part.get("type").and_then(Value::as_str) {
        None | Some("text" | "input_text" | "output_text") => "text",
        Some("refusal") => "refusal",
        Some(kind) => {
            let message = format!("`{kind}` is not supported; only text is");
            return Err(ApiError::unsupported(name, &message));
        }
    };
    let text = part.get(field).and_then(Value::as_str);
    text.ok_or_else(|| wrong(name, part, EXPECTED))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(message: &Value) -> Message {
        read(0, message).unwrap()
    }

    #[test]
    fn what_is_there_and_empty_is_not_used() {
        let plain = said(&json!({"role": "assistant", "content": "Rome."}));
        for more in [
            json!({"tool_calls": []}),
            json!({"tool_calls": null, "function_call": null, "audio": null}),
            json!({"refusal": null, "annotations": [], "name": null, "reasoning_content": "hm"}),
            json!({"refusal": "", "name": "kim", "function_call": {}}),
        ] {
            let mut message = json!({"role": "assistant", "content": "Rome."});
            for (name, value) in more.as_object().unwrap() {
                message[name] = value.clone();
            }
            assert_eq!(said(&message), plain, "{message}");
        }
        for (name, value) in [
            ("tool_calls", json!([{"id": "a"}])),
            ("function_call", json!({"name": "f"})),
            ("audio", json!({"id": "a"})),
        ] {
            let mut message = json!({"role": "assistant", "content": "Rome."});
            message[name] = value;
            assert!(read(0, &message).is_err(), "{message}");
        }
    }

    #[test]
    fn a_refusal_is_what_the_assistant_said() {
        let expected = Message::new("assistant", "No.");
        for message in [
            json!({"role": "assistant", "content": null, "refusal": "No."}),
            json!({"role": "assistant", "refusal": "No."}),
            json!({"role": "assistant", "content": [], "refusal": "No."}),
            json!({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
        ] {
            assert_eq!(said(&message), expected, "{message}");
        }
        let nothing = json!({"role": "assistant", "content": null, "tool_calls": []});
        assert_eq!(said(&nothing), Message::new("assistant", ""));
        assert!(read(0, &json!({"role": "user", "content": null})).is_err());
    }

    #[test]
    fn parts_are_joined_by_line_ends() {
        let message = json!({"role": "user", "content": [
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
            {"type": "input_text", "text": "b"},
            {"type": "output_text", "text": "c", "annotations": []},
            "d",
            {"text": "e"},
        ]});
        assert_eq!(said(&message), Message::new("user", "a\nb\nc\nd\ne"));
        let empty = json!({"role": "user", "content": []});
        assert_eq!(said(&empty), Message::new("user", ""));
        for part in [
            json!({"type": "image_url", "image_url": {}}),
            json!({"type": "text"}),
            json!({"type": "text", "text": null}),
            json!(3),
        ] {
            let message = json!({"role": "user", "content": [part]});
            assert!(read(0, &message).is_err(), "{message}");
        }
    }
}
