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
            Some(character) => format!("`{}`", character.escape_debug()),
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
                Some(b'\\') => self.at += 2,
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
