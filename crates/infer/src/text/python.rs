//! Values of templates as Python writes them: templates are written for Jinja in Python.

use std::fmt::Write;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::Value as Json;

/// JSON as a template sees it, the order of keys kept.
pub(super) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Value::from(whole),
            (_, Some(whole), _) => Value::from(whole),
            (.., float) => Value::from(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(list) => Value::from(list.iter().map(from_json).collect::<Vec<_>>()),
        Json::Object(map) => Value::from_pairs(
            map.iter()
                .map(|(key, value)| (key.as_str(), from_json(value))),
        ),
    }
}

/// `str(value)`.
pub(super) fn display(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => repr(value),
    }
}

/// `repr(value)`, but for undefined values, which have no text.
fn repr(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => String::new(),
        ValueKind::None => "None".to_owned(),
        ValueKind::Bool if value.is_true() => "True".to_owned(),
        ValueKind::Bool => "False".to_owned(),
        ValueKind::String => quoted(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<String> = items(value).iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Map => {
            let pairs: Vec<String> = items(value)
                .iter()
                .map(|key| format!("{}: {}", repr(key), repr(&entry(value, key))))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        _ => value.to_string(),
    }
}

fn items(value: &Value) -> Vec<Value> {
    value.try_iter().map(Iterator::collect).unwrap_or_default()
}

fn entry(value: &Value, key: &Value) -> Value {
    value.get_item(key).unwrap_or(Value::UNDEFINED)
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out.push(quote);
    out
}

/// How JSON is laid out: `json.dumps` of Python.
#[derive(Debug, Clone, Default)]
pub(super) struct JsonLayout {
    /// Blanks for each level; `None`: all in one line.
    pub(super) indent: Option<usize>,
    pub(super) ascii: bool,
    pub(super) sorted: bool,
    /// What stands between items, and between key and value.
    pub(super) separators: Option<(String, String)>,
}

impl JsonLayout {
    /// `json.dumps(value)`.
    pub(super) fn dump(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write(value, 0, &mut out);
        out
    }

    fn write(&self, value: &Value, level: usize, out: &mut String) {
        match value.kind() {
            ValueKind::Undefined | ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::String => self.text(value.as_str().unwrap_or_default(), out),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = items(value);
                self.list(('[', ']'), items.len(), level, out, |index, out| {
                    self.write(&items[index], level + 1, out);
                });
            }
            ValueKind::Map => {
                let mut keys = items(value);
                if self.sorted {
                    keys.sort_by_key(display);
                }
                let colon = self.separators.as_ref().map_or(": ", |(_, colon)| colon);
                self.list(('{', '}'), keys.len(), level, out, |index, out| {
                    self.text(&display(&keys[index]), out);
                    out.push_str(colon);
                    self.write(&entry(value, &keys[index]), level + 1, out);
                });
            }
            ValueKind::Number => out.push_str(&value.to_string()),
            _ => self.text(&value.to_string(), out),
        }
    }

    fn list(
        &self,
        (open, close): (char, char),
        count: usize,
        level: usize,
        out: &mut String,
        item: impl Fn(usize, &mut String),
    ) {
        let comma = match (&self.separators, self.indent) {
            (Some((comma, _)), _) => comma.as_str(),
            (None, Some(_)) => ",",
            (None, None) => ", ",
        };
        let line = |level: usize, out: &mut String| {
            if let Some(indent) = self.indent {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent * level));
            }
        };
        out.push(open);
        for index in 0..count {
            if index > 0 {
                out.push_str(comma);
            }
            line(level + 1, out);
            item(index, out);
        }
        if count > 0 {
            line(level, out);
        }
        out.push(close);
    }

    fn text(&self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                letter if letter < ' ' || (self.ascii && !letter.is_ascii()) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                letter => out.push(letter),
            }
        }
        out.push('"');
    }
}
