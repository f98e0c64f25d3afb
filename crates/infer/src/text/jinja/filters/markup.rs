//! Filters for web pages.

use super::text::soft;
use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::run::Run;
use crate::text::jinja::run::arguments::Arguments;
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::text::is_space;
use crate::text::jinja::value::{Heap, Text, Value, repr, sequence};

fn escaped(heap: &Heap, text: &str) -> Result<Value> {
    heap.meter.fits(text.len().saturating_mul(5))?;
    heap.marked(crate::text::jinja::value::text::escape(text), true)
}

pub(super) fn escape(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("escape")?;
    marked(&run.heap, value)
}

/// A value as markup.
fn marked(heap: &Heap, value: Value) -> Result<Value> {
    match value {
        Value::Text(Text { safe: true, .. }) => Ok(value),
        value => escaped(heap, &repr::display(&value, heap)?),
    }
}

pub(super) fn forceescape(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("forceescape")?;
    escaped(&run.heap, &repr::display(&value, &run.heap)?)
}

pub(super) fn safe(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("safe")?;
    run.heap.marked(repr::display(&value, &run.heap)?, true)
}

pub(super) fn striptags(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("striptags")?;
    let text = repr::display(&value, &run.heap)?;
    run.heap.text(without_tags(&run.heap, &text)?)
}

/// A text without comments and tags, its blanks collapsed and its entities read.
pub(in crate::text::jinja) fn without_tags(heap: &Heap, text: &str) -> Result<String> {
    heap.meter.read(text.len())?;
    let text = without(text, "<!--", "-->");
    let text = without(&text, "<", ">");
    let words: Vec<&str> = text
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    Ok(unescaped(&words.join(" ")))
}

/// A text without what stands between two marks, up to the first beginning that has no end.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(from) = rest.find(begin) {
        let Some(to) = rest[from..].find(end) else {
            break;
        };
        out.push_str(&rest[..from]);
        rest = &rest[from + to + end.len()..];
    }
    out + rest
}

/// `html.unescape` for numbers and the entities of markup itself.
pub(in crate::text::jinja) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('&') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let entity = rest
            .bytes()
            .skip(1)
            .take(LONGEST_ENTITY)
            .position(|byte| byte == b';');
        let read = entity.and_then(|end| Some((letter(&rest[1..=end])?, end + 2)));
        let (letter, length) = read.unwrap_or(('&', 1));
        out.push(letter);
        rest = &rest[length..];
    }
    out + rest
}

/// `#x10FFFF`, with room for zeros.
const LONGEST_ENTITY: usize = 12;

fn letter(entity: &str) -> Option<char> {
    if let Some(number) = entity.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32);
    }
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => return None,
    })
}

pub(super) fn urlencode(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("urlencode")?;
    let heap = &run.heap;
    let mut out = Writer::new(heap);
    let pairs = match &value {
        Value::Dict(dict) => Some(
            dict.iter()
                .map(|entry| (entry.key.clone(), entry.value.clone()))
                .collect::<Vec<_>>(),
        ),
        Value::Text(_) => None,
        value if sequence::is_iterable(value) => {
            let mut pairs = Vec::new();
            for pair in sequence::values(value, heap)? {
                match sequence::values(&pair, heap)?.as_slice() {
                    [key, value] => pairs.push((key.clone(), value.clone())),
                    _ => fail!("`urlencode` takes a text, a mapping or pairs"),
                }
            }
            Some(pairs)
        }
        _ => None,
    };
    match pairs {
        None => quote(&repr::display(&value, heap)?, false, &mut out)?,
        Some(pairs) => {
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.push("&")?;
                }
                quote(&repr::display(key, heap)?, true, &mut out)?;
                out.push("=")?;
                quote(&repr::display(value, heap)?, true, &mut out)?;
            }
        }
    }
    out.finish()
}

fn quote(text: &str, in_query: bool, out: &mut Writer<'_>) -> Result<()> {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte).encode_utf8(&mut [0; 4]))?;
            }
            b'/' if !in_query => out.push("/")?,
            b' ' if in_query => out.push("+")?,
            byte => out.push(&format!("%{byte:02X}"))?,
        }
    }
    Ok(())
}

pub(super) fn xmlattr(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [space] = arguments.bind("xmlattr", ["autospace"])?;
    let space = space.is_none_or(|space| space.is_true());
    let Value::Dict(dict) = &value else {
        fail!("`xmlattr` takes a mapping, not `{}`", value.kind());
    };
    let mut out = Writer::new(&run.heap);
    for entry in dict.iter() {
        if matches!(entry.value, Value::None | Value::Undefined(_)) {
            continue;
        }
        let Some(key) = entry.key.as_text() else {
            fail!("`xmlattr` takes a mapping with texts as keys");
        };
        if key.contains(|letter: char| " \t\n\r\x0b\x0c/>=".contains(letter)) {
            fail!("`{key}` cannot name an attribute");
        }
        if !out.text.is_empty() || space {
            out.push(" ")?;
        }
        let key = soft(&run.heap, &marked(&run.heap, entry.key.clone())?)?;
        let value = soft(&run.heap, &marked(&run.heap, entry.value.clone())?)?;
        out.push(&format!("{}=\"{}\"", key.text, value.text))?;
    }
    out.finish()
}
