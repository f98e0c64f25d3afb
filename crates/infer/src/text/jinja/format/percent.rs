//! `'%s and %(name)d' % values`.

use super::float;
use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::text::{by_number, escape};
use crate::text::jinja::value::{Dict, Heap, Text, Value, number, repr};

/// What stands between `%` and its letter.
#[derive(Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the format"
)]
struct Directive {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The values that fill a text.
struct Source<'v> {
    values: Vec<Value>,
    next: usize,
    names: Option<&'v Dict>,
    /// Markup: what is filled in is escaped.
    safe: bool,
}

/// `format % values`.
pub(in crate::text::jinja) fn format(format: &Text, values: &Value, heap: &Heap) -> Result<Value> {
    let names = match values {
        Value::Dict(dict) => Some(&**dict),
        _ => None,
    };
    let mut source = Source {
        values: match values {
            Value::Tuple(items) => items.values.clone(),
            value => vec![value.clone()],
        },
        next: 0,
        names,
        safe: format.safe,
    };
    let mut out = Writer::new(heap);
    let mut rest: &str = &format.text;
    while let Some(place) = rest.find('%') {
        out.push(&rest[..place])?;
        rest = directive(&rest[place + 1..], &mut source, &mut out)?;
    }
    out.push(rest)?;
    let may_be_left = names.is_some()
        || matches!(
            values,
            Value::List(_) | Value::Undefined(_) | Value::Range(_)
        );
    if source.next < source.values.len() && !may_be_left {
        fail!("more values than the format has places");
    }
    heap.marked(out.text, format.safe)
}

fn directive<'t>(
    mut rest: &'t str,
    source: &mut Source<'_>,
    out: &mut Writer<'_>,
) -> Result<&'t str> {
    let heap = out.heap;
    heap.meter.work(1)?;
    if let Some(rest) = rest.strip_prefix('%') {
        out.push("%")?;
        return Ok(rest);
    }
    let mut named = None;
    if let Some(after) = rest.strip_prefix('(') {
        let mut open = 1;
        let end = after.find(|letter| {
            open += match letter {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            open == 0
        });
        let Some((end, names)) = end.zip(source.names) else {
            fail!("a format with names takes a mapping");
        };
        let key = heap.text(&after[..end])?;
        let Some(value) = names.get(&key, heap)? else {
            fail!(
                "the format names `{}`, which is not in the mapping",
                &after[..end]
            );
        };
        named = Some(value.clone());
        source.next = source.values.len();
        rest = &after[end + 1..];
    }
    let mut directive = Directive::default();
    while let Some(flag) = rest
        .chars()
        .next()
        .filter(|letter| "-+ 0#".contains(*letter))
    {
        match flag {
            '-' => directive.left = true,
            '+' => directive.plus = true,
            ' ' => directive.blank = true,
            '0' => directive.zero = true,
            _ => directive.alternate = true,
        }
        rest = &rest[1..];
    }
    let width = size(&mut rest, source)?.unwrap_or(0);
    directive.left |= width < 0;
    directive.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        let precision = size(&mut rest, source)?.unwrap_or(0).max(0);
        directive.precision = Some(usize::try_from(precision).unwrap_or(usize::MAX));
    }
    rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
    let Some(kind) = rest.chars().next() else {
        fail!("the format ends with `%`");
    };
    rest = &rest[kind.len_utf8()..];
    let value = match named {
        Some(value) => value,
        None => source.take()?,
    };
    write(kind, &value, &directive, source.safe, out)?;
    Ok(rest)
}

impl Source<'_> {
    fn take(&mut self) -> Result<Value> {
        let value = self.values.get(self.next).cloned();
        self.next += 1;
        value.ok_or_else(|| Problem::new("the format has more places than values"))
    }
}

/// A number, or `*` for the next value.
fn size(rest: &mut &str, source: &mut Source<'_>) -> Result<Option<i128>> {
    if let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        return match source.take()?.as_int() {
            Some(int) => Ok(Some(int)),
            None => fail!("`*` takes a whole number"),
        };
    }
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at(length);
    *rest = after;
    Ok((length > 0).then(|| digits.parse().unwrap_or(i128::MAX)))
}

fn write(
    kind: char,
    value: &Value,
    directive: &Directive,
    safe: bool,
    out: &mut Writer<'_>,
) -> Result<()> {
    let heap = out.heap;
    match kind {
        's' | 'r' | 'a' => {
            let mut text = if kind == 's' {
                repr::display(value, heap)?
            } else {
                repr::repr(value, heap)?
            };
            if kind == 'a' {
                text = ascii(&text);
            }
            if safe && !matches!(value, Value::Text(Text { safe: true, .. })) {
                text = escape(&text);
            }
            if let Some(precision) = directive.precision {
                text = text.chars().take(precision).collect();
            }
            pad("", &text, directive, false, out)
        }
        'c' => {
            let letter = match value {
                Value::Text(text) if text.text.chars().count() == 1 => text.text.to_string(),
                value => {
                    let code = value.as_int().and_then(|int| u32::try_from(int).ok());
                    let Some(letter) = code.and_then(char::from_u32) else {
                        fail!("`%c` takes a letter or its number");
                    };
                    letter.to_string()
                }
            };
            pad("", &letter, directive, false, out)
        }
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let int = match value {
                Value::Float(float) if kind == 'd' || kind == 'i' || kind == 'u' => {
                    Some(float.trunc())
                        .filter(|float| float.abs() < 1.7e38)
                        .map(|float| float as i128)
                }
                value => value.as_int(),
            };
            let Some(int) = int else {
                fail!("`%{kind}` takes a whole number, not `{}`", value.kind());
            };
            let size = int.unsigned_abs();
            let (prefix, digits) = match kind {
                'x' => ("0x", format!("{size:x}")),
                'X' => ("0X", format!("{size:X}")),
                'o' => ("0o", format!("{size:o}")),
                _ => ("", size.to_string()),
            };
            let prefix = if directive.alternate { prefix } else { "" };
            let zeros = directive
                .precision
                .unwrap_or(0)
                .saturating_sub(digits.len());
            heap.meter.fits(zeros)?;
            let digits = "0".repeat(zeros) + &digits;
            let head = format!("{}{prefix}", sign(int < 0, directive));
            pad(&head, &digits, directive, true, out)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let Some(float) = number::as_float(value) else {
                fail!("`%{kind}` takes a number, not `{}`", value.kind());
            };
            let precision = directive.precision.unwrap_or(6);
            let digits = float::digits(heap, float, kind, precision, directive.alternate)?;
            let negative = float.is_sign_negative() && !float.is_nan();
            pad(sign(negative, directive), &digits, directive, true, out)
        }
        kind => fail!("the format `%{kind}`"),
    }
}

fn sign(negative: bool, directive: &Directive) -> &'static str {
    match (negative, directive.plus, directive.blank) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (.., true) => " ",
        _ => "",
    }
}

fn pad(
    head: &str,
    body: &str,
    directive: &Directive,
    number: bool,
    out: &mut Writer<'_>,
) -> Result<()> {
    let missing = directive
        .width
        .saturating_sub(head.len() + body.chars().count());
    let zeros = number && directive.zero && !directive.left;
    if !directive.left && !zeros {
        out.repeat(" ", missing)?;
    }
    out.push(head)?;
    if zeros {
        out.repeat("0", missing)?;
    }
    out.push(body)?;
    if directive.left {
        out.repeat(" ", missing)?;
    }
    Ok(())
}

/// `ascii`: other letters as escapes.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            out.push_str(&by_number(letter));
        }
    }
    out
}

/// `value | format(…)`.
pub(in crate::text::jinja) fn filter(
    heap: &Heap,
    text: &Text,
    positional: Vec<Value>,
    named: Vec<(std::rc::Rc<str>, Value)>,
) -> Result<Value> {
    if named.is_empty() {
        return format(text, &heap.tuple(positional)?, heap);
    }
    if !positional.is_empty() {
        fail!("`format` takes positional or named values, not both");
    }
    let mut dict = Dict::default();
    for (name, value) in named {
        dict.insert(heap.text(name)?, value, heap)?;
    }
    format(text, &heap.dict(dict), heap)
}
