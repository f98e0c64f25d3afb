//! Long texts of requests, shown in part.

use serde_json::Value;

/// Longer texts in a request are shown in part where many runs are shown.
const SHOWN: usize = 20_000;

/// A request with only the beginning of its long texts, such as data to measure on.
pub(super) fn shortened(request: &Value) -> Value {
    let mut brief = request.clone();
    shorten(&mut brief);
    brief
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > SHOWN => {
            let end = (0..=SHOWN).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            text.push('…');
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::Array(values) => values.iter_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let value = shortened(&json!({"data": {"text": "ü".repeat(SHOWN), "name": "short"}}));
        let text = value["data"]["text"].as_str().expect("text");
        assert!(text.len() <= SHOWN + 3 && text.ends_with("ü…"));
        assert_eq!(value["data"]["name"], "short");
    }
}
