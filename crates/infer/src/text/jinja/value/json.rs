//! JSON in, and out as Python's `json.dumps` writes it.

use std::fmt::Write;

use serde_json::Value as Json;

use super::heap::Writer;
use super::number::float_repr;
use super::{Dict, Heap, Value, compare};
use crate::text::jinja::limits::MAX_DEPTH;
use crate::text::jinja::problem::{Result, fail};

/// JSON as a template sees it, the order of keys kept.
pub(in crate::text::jinja) fn from_json(json: &Json, heap: &Heap) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::None,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Value::Int(i128::from(whole)),
            (_, Some(whole), _) => Value::Int(i128::from(whole)),
            (.., float) => Value::Float(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => heap.text(text)?,
        Json::Array(list) => {
            let values: Result<Vec<_>> = list.iter().map(|item| from_json(item, heap)).collect();
            heap.list(values?)?
        }
        Json::Object(map) => {
            let mut dict = Dict::default();
            for (key, value) in map {
                dict.insert(heap.text(key)?, from_json(value, heap)?, heap)?;
            }
            heap.dict(dict)
        }
    })
}

/// How JSON is laid out.
#[derive(Debug, Clone, Default)]
pub(in crate::text::jinja) struct Layout {
    /// What stands before each level's items; `None`: all in one line.
    pub(in crate::text::jinja) indent: Option<String>,
    pub(in crate::text::jinja) ascii: bool,
    pub(in crate::text::jinja) sorted: bool,
    /// What stands between items, and between key and value.
    pub(in crate::text::jinja) separators: Option<(String, String)>,
}

impl Layout {
    /// `json.dumps(value)`.
    pub(in crate::text::jinja) fn dump(&self, value: &Value, heap: &Heap) -> Result<Value> {
        let mut out = Writer::new(heap);
        self.write(value, 0, &mut out)?;
        out.finish()
    }

    fn write(&self, value: &Value, level: usize, out: &mut Writer<'_>) -> Result<()> {
        out.heap.meter.work(1)?;
        if level > MAX_DEPTH {
            fail!("`tojson` of values nested more than {MAX_DEPTH} deep");
        }
        match value {
            Value::None => out.push("null"),
            Value::Bool(true) => out.push("true"),
            Value::Bool(false) => out.push("false"),
            Value::Int(int) => out.push(&int.to_string()),
            Value::Float(float) => out.push(&float_json(*float)),
            Value::Text(text) => self.text(&text.text, out),
            Value::List(items) | Value::Tuple(items) => {
                out.push("[")?;
                for (index, item) in items.values.iter().enumerate() {
                    self.separate(index, level, out)?;
                    self.write(item, level + 1, out)?;
                }
                self.close(items.values.len(), "]", level, out)
            }
            Value::Dict(dict) => {
                let mut entries: Vec<_> = dict.iter().collect();
                if self.sorted {
                    entries = super::super::filters::order::sorted(entries, |left, right| {
                        compare::less(&left.key, &right.key, out.heap)
                    })?;
                }
                let colon = self.separators.as_ref().map_or(": ", |(_, colon)| colon);
                out.push("{")?;
                for (index, entry) in entries.iter().enumerate() {
                    self.separate(index, level, out)?;
                    self.text(&key(&entry.key)?, out)?;
                    out.push(colon)?;
                    self.write(&entry.value, level + 1, out)?;
                }
                self.close(entries.len(), "}", level, out)
            }
            other => fail!("`tojson` cannot write `{}`", other.kind()),
        }
    }

    fn separate(&self, index: usize, level: usize, out: &mut Writer<'_>) -> Result<()> {
        if index > 0 {
            let comma = match (&self.separators, &self.indent) {
                (Some((comma, _)), _) => comma.as_str(),
                (None, Some(_)) => ",",
                (None, None) => ", ",
            };
            out.push(comma)?;
        }
        self.line(level + 1, out)
    }

    fn close(&self, count: usize, bracket: &str, level: usize, out: &mut Writer<'_>) -> Result<()> {
        if count > 0 {
            self.line(level, out)?;
        }
        out.push(bracket)
    }

    fn line(&self, level: usize, out: &mut Writer<'_>) -> Result<()> {
        let Some(indent) = &self.indent else {
            return Ok(());
        };
        out.push("\n")?;
        out.repeat(indent, level)
    }

    fn text(&self, text: &str, out: &mut Writer<'_>) -> Result<()> {
        out.heap.meter.fits(text.len())?;
        let mut quoted = String::from('"');
        for letter in text.chars() {
            match letter {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                '\u{8}' => quoted.push_str("\\b"),
                '\u{c}' => quoted.push_str("\\f"),
                letter if letter < ' ' || (self.ascii && !(' '..='~').contains(&letter)) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let _ = write!(quoted, "\\u{unit:04x}");
                    }
                }
                letter => quoted.push(letter),
            }
        }
        quoted.push('"');
        out.push(&quoted)
    }
}

fn float_json(float: f64) -> String {
    match float_repr(float).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        finite => finite.to_owned(),
    }
}

fn key(key: &Value) -> Result<String> {
    Ok(match key {
        Value::Text(text) => text.text.to_string(),
        Value::None => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Float(float) => float_json(*float),
        other => fail!("a key of JSON cannot be `{}`", other.kind()),
    })
}
