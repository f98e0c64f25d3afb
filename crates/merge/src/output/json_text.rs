//! JSON edited as text: what is not touched keeps every byte.
//!
//! Numbers keep their notation (`1e-06`), and `NaN` and `Infinity`, which Python writes into configs, are read as well.

use std::ops::Range;

use serde_json::{Map, Value};

/// Deeper nesting is refused, so that a hostile file cannot exhaust the stack.
const DEEPEST: usize = 64;

/// Words that are values although JSON proper knows only the first three.
const WORDS: [&str; 6] = ["true", "false", "null", "NaN", "Infinity", "-Infinity"];

/// The text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: found {found}, expected {expected}")]
pub struct JsonError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: &'static str,
}

/// A value and the bytes that it takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Scalar(Value),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    /// The member of an object; the last one where a key stands twice, as every reader takes it.
    pub(super) fn member(&self, key: &str) -> Option<&Member> {
        match &self.kind {
            Kind::Object(members) => members.iter().rev().find(|member| member.key == key),
            _ => None,
        }
    }

    /// The value at a path of keys.
    pub(super) fn at(&self, path: &[impl AsRef<str>]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |node, key| Some(&node.member(key.as_ref())?.value))
    }

    /// The same as a value; numbers that JSON proper does not know become `null`.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Array(items) => items.iter().map(Self::to_value).collect(),
            Kind::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|member| (member.key.clone(), member.value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Node, JsonError> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.skip_space();
    let node = scanner.value(0)?;
    scanner.skip_space();
    if scanner.at < text.len() {
        return Err(scanner.unexpected("the end"));
    }
    Ok(node)
}

/// The text with the value at a path replaced or, where the last key is new, added behind its siblings.
///
/// `raw` is JSON text. `None` when a key before the last one is missing or is no object.
pub(super) fn set(text: &str, root: &Node, path: &[&str], raw: &str) -> Option<String> {
    let (key, parents) = path.split_last()?;
    let object = root.at(parents)?;
    let Kind::Object(members) = &object.kind else {
        return None;
    };
    if let Some(member) = object.member(key) {
        return Some(spliced(text, member.value.span.clone(), raw));
    }
    let key = Value::from(*key).to_string();
    Some(match members.last() {
        Some(last) => {
            let colon = &text[last.key_span.end..last.value.span.start];
            let end = last.value.span.end;
            let gap = gap_before(text, last.key_span.start);
            spliced(text, end..end, &format!(",{gap}{key}{colon}{raw}"))
        }
        None => spliced(text, object.span.clone(), &format!("{{{key}: {raw}}}")),
    })
}

/// The text of an array of the given items, laid out as the array that it replaces.
pub(super) fn array_like(text: &str, old: &Node, items: &[&str]) -> String {
    let Kind::Array(old_items) = &old.kind else {
        return format!("[{}]", items.join(", "));
    };
    let (Some(first), Some(last)) = (old_items.first(), old_items.last()) else {
        return format!("[{}]", items.join(", "));
    };
    if items.is_empty() {
        return "[]".to_owned();
    }
    let opening = &text[old.span.start + 1..first.span.start];
    let closing = &text[last.span.end..old.span.end];
    let between = match old_items.get(1) {
        Some(second) => &text[first.span.end..second.span.start],
        None if opening.contains('\n') => &format!(",{opening}"),
        None => ", ",
    };
    format!("[{opening}{}{closing}", items.join(between))
}

/// The text of a new array for a key of an object, laid out as Python does: an item a line where the object has a key a line.
pub(super) fn array_in(text: &str, object: &Node, items: &[&str]) -> String {
    let gap = match &object.kind {
        Kind::Object(members) => members
            .last()
            .map_or("", |last| gap_before(text, last.key_span.start)),
        _ => "",
    };
    if items.is_empty() || !gap.contains('\n') {
        return format!("[{}]", items.join(", "));
    }
    format!("[{gap}  {}{gap}]", items.join(&format!(",{gap}  ")))
}

/// The white space between the byte behind a comma (or brace) and a key: what a new key is set off by.
fn gap_before(text: &str, key_start: usize) -> &str {
    let before = &text[..key_start];
    let gap = &before[before.trim_end().len()..];
    if gap.is_empty() && before.ends_with('{') {
        " "
    } else {
        gap
    }
}

fn spliced(text: &str, span: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..span.start], &text[span.end..])
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        let before = &self.text[..self.at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let found = match self.rest().chars().next() {
            None => "the end of the file".to_owned(),
            Some(control) if control.is_control() => format!("`{}`", control.escape_debug()),
            Some(character) => format!("`{character}`"),
        };
        JsonError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            found,
            expected,
        }
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        if depth > DEEPEST {
            return Err(self.unexpected("at most 64 levels of nesting"));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Scalar(Value::String(self.string("a text")?)),
            _ => self.word_or_number()?,
        };
        Ok(Node {
            span: start..self.at,
            kind,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(members));
        }
        loop {
            self.skip_space();
            let key_start = self.at;
            let key = self.string("a key in double quotes")?;
            let key_span = key_start..self.at;
            self.skip_space();
            self.take(b':', "`:`")?;
            self.skip_space();
            let value = self.value(depth + 1)?;
            members.push(Member {
                key,
                key_span,
                value,
            });
            self.skip_space();
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(Kind::Object(members));
            }
            self.take(b',', "`,` or `}`")?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Kind::Array(items));
            }
            self.take(b',', "`,` or `]`")?;
        }
    }

    fn string(&mut self, expected: &'static str) -> Result<String, JsonError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.unexpected("a closing `\"`")),
                Some(b'"') => break,
                // an escape at the very end of the file has nothing behind it
                Some(b'\\') => self.at = (self.at + 2).min(self.text.len()),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let at = self.at;
        self.text
            .get(start..at)
            .and_then(|raw| serde_json::from_str(raw).ok())
            .ok_or_else(|| {
                self.at = start;
                self.unexpected("a text with valid escapes")
            })
    }

    fn word_or_number(&mut self) -> Result<Kind, JsonError> {
        for word in WORDS {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(Kind::Scalar(match word {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    _ => Value::Null,
                }));
            }
        }
        let length = self
            .rest()
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
            .count();
        match serde_json::from_str::<Value>(&self.rest()[..length]) {
            Ok(number) => {
                self.at += length;
                Ok(Kind::Scalar(number))
            }
            Err(_) => Err(self.unexpected("a value")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edited(text: &str, path: &[&str], raw: &str) -> String {
        set(text, &parse(text).unwrap(), path, raw).unwrap()
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let text = "{\n  \"a\": 1e-06,\n  \"b\": {\"c\": [1, 2.0]} ,\n  \"d\": NaN\n}\n";
        assert_eq!(
            edited(text, &["b", "c"], "null"),
            "{\n  \"a\": 1e-06,\n  \"b\": {\"c\": null} ,\n  \"d\": NaN\n}\n"
        );
    }

    #[test]
    fn a_new_key_stands_behind_the_others_as_they_do() {
        assert_eq!(
            edited("{\n    \"a\" : 1\n}", &["b"], "2"),
            "{\n    \"a\" : 1,\n    \"b\" : 2\n}"
        );
        assert_eq!(edited(r#"{"a":1}"#, &["b"], "2"), r#"{"a":1, "b":2}"#);
        assert_eq!(
            edited(r#"{"a": 1, "c": 3}"#, &["b"], "2"),
            r#"{"a": 1, "c": 3, "b": 2}"#
        );
        assert_eq!(edited("{ }", &["\"b"], "2"), r#"{"\"b": 2}"#);
        assert_eq!(
            edited(r#"{"a": {}}"#, &["a", "b"], "2"),
            r#"{"a": {"b": 2}}"#
        );
    }

    #[test]
    fn nothing_is_set_in_what_is_no_object() {
        let root = parse(r#"{"a": 1}"#).unwrap();
        assert_eq!(set(r#"{"a": 1}"#, &root, &["a", "b"], "2"), None);
        assert_eq!(set(r#"{"a": 1}"#, &root, &["c", "b"], "2"), None);
        assert_eq!(set(r#"{"a": 1}"#, &root, &[], "2"), None);
    }

    #[test]
    fn of_a_key_that_stands_twice_the_last_counts() {
        assert_eq!(
            edited(r#"{"a": 1, "a": 2}"#, &["a"], "3"),
            r#"{"a": 1, "a": 3}"#
        );
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (text, message) in [
            (
                "",
                "line 1, column 1: found the end of the file, expected a value",
            ),
            (
                "{\"a\": 1,\n}",
                "line 2, column 1: found `}`, expected a key in double quotes",
            ),
            ("{\"ä\" 1}", "line 1, column 6: found `1`, expected `:`"),
            ("[1 2]", "line 1, column 4: found `2`, expected `,` or `]`"),
            ("[01]", "line 1, column 2: found `0`, expected a value"),
            ("[.5]", "line 1, column 2: found `.`, expected a value"),
            ("{} {}", "line 1, column 4: found `{`, expected the end"),
            (
                "[\"a",
                "line 1, column 4: found the end of the file, expected a closing `\"`",
            ),
            (
                "\"\\",
                "line 1, column 3: found the end of the file, expected a closing `\"`",
            ),
            (
                "\"\\ä\"",
                "line 1, column 1: found `\"`, expected a text with valid escapes",
            ),
            (
                "\"\\x\"",
                "line 1, column 1: found `\"`, expected a text with valid escapes",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).unwrap_err().to_string().contains("64 levels"));
    }

    #[test]
    fn python_s_numbers_are_read() {
        let root = parse("[NaN, Infinity, -Infinity, 1e-06]").unwrap();
        assert_eq!(root.to_value(), serde_json::json!([null, null, null, 1e-6]));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>()
                .prop_filter("finite", |x| x.is_finite())
                .prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((".{0,3}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_serde_json_writes_is_read_alike(value in json()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(parse(&text).unwrap().to_value(), serde_json::from_str::<Value>(&text).unwrap());
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"[\[\]{}":,\\0-9eE.+ä \n-]{0,40}"#) {
            let _ = parse(&text);
        }

        #[test]
        fn a_set_value_reads_back_and_its_siblings_keep_their_bytes(
            members in proptest::collection::vec(("[a-e]{1,2}", json()), 0..6),
            key in "[a-e]{1,2}",
            new in json(),
            pretty in any::<bool>(),
        ) {
            let value = Value::Object(members.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            // numbers are read to within their last digit only
            let value: Value = serde_json::from_str(&text).unwrap();
            let edited = edited(&text, &[&key], &new.to_string());

            let mut expected = value.clone();
            expected[&key] = serde_json::from_str(&new.to_string()).unwrap();
            let reread: Value = serde_json::from_str(&edited).unwrap();
            prop_assert_eq!(&reread, &expected);

            let (before, after) = (parse(&text).unwrap(), parse(&edited).unwrap());
            for other in value.as_object().unwrap().keys().filter(|other| **other != key) {
                let bytes = |text: &str, node: &Node| text[node.member(other).unwrap().value.span.clone()].to_owned();
                prop_assert_eq!(bytes(&text, &before), bytes(&edited, &after));
            }
            prop_assert!(reread.as_object().unwrap().keys().eq(expected.as_object().unwrap().keys()));
        }
    }
}
