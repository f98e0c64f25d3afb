//! Methods of texts.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::container::is_utf8;
use super::text_check::answer;
use super::text_split::{partition, replaced, split};
use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::run::arguments::{Arguments, int, required, size, text as as_text};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::text::{is_space, lines};
use crate::text::jinja::value::{Heap, Text, Value, sequence};

pub(super) fn call(heap: &Heap, of: &Text, name: &str, arguments: Arguments) -> Result<Value> {
    let text: &str = &of.text;
    let value = match name {
        "upper" | "lower" | "capitalize" | "casefold" | "swapcase" | "title" => {
            arguments.none(name)?;
            heap.meter.fits(text.len().saturating_mul(3))?;
            heap.text(recased(text, name))?
        }
        "strip" | "lstrip" | "rstrip" => {
            let [letters] = arguments.bind_positional(name)?;
            // each letter is looked up
            heap.meter.read(4 * text.len())?;
            heap.text(strip(text, name, letters.as_ref())?)?
        }
        "split" | "rsplit" => {
            let [separator, limit] = arguments.bind(name, ["sep", "maxsplit"])?;
            let separator = separator.filter(|value| !matches!(value, Value::None));
            let separator = separator
                .as_ref()
                .map(|value| as_text(value, name))
                .transpose()?;
            let limit = limit.map_or(Ok(-1), |limit| int(&limit, name))?;
            return parts(
                heap,
                &split(text, separator, limit, name == "rsplit")?,
                of.safe,
            );
        }
        "splitlines" => {
            let [keep] = arguments.bind(name, ["keepends"])?;
            let keep = keep.is_some_and(|keep| keep.is_true());
            return parts(heap, &lines(text, keep), of.safe);
        }
        "partition" | "rpartition" => {
            let [separator] = arguments.bind_positional(name)?;
            let separator = required(separator, name, "a separator")?;
            let found = partition(text, as_text(&separator, name)?, name == "rpartition")?;
            let found: Result<Vec<Value>> = found.iter().map(|part| heap.text(part)).collect();
            return heap.tuple(found?);
        }
        "startswith" | "endswith" => return ends(heap, text, name, arguments),
        "removeprefix" | "removesuffix" => {
            let [part] = arguments.bind_positional(name)?;
            let part = required(part, name, "a text")?;
            let part = as_text(&part, name)?;
            let kept = if name == "removeprefix" {
                text.strip_prefix(part)
            } else {
                text.strip_suffix(part)
            };
            heap.text(kept.unwrap_or(text))?
        }
        "replace" => {
            let [old, new, count] = arguments.bind_positional(name)?;
            let (old, new) = (required(old, name, "old")?, required(new, name, "new")?);
            let count = count.map_or(Ok(-1), |count| int(&count, name))?;
            replaced(
                heap,
                text,
                (as_text(&old, name)?, as_text(&new, name)?),
                count,
            )?
        }
        "find" | "rfind" | "index" | "rindex" | "count" => {
            return find(heap, text, name, arguments);
        }
        "join" => {
            let [values] = arguments.bind_positional(name)?;
            join(heap, text, &required(values, name, "values")?)?
        }
        "center" | "ljust" | "rjust" => {
            let [width, fill] = arguments.bind_positional(name)?;
            let width = int(&required(width, name, "a width")?, name)?;
            let fill = fill.unwrap_or_else(|| Value::literal(" "));
            justified(heap, text, name, size(width), as_text(&fill, name)?)?
        }
        "zfill" => {
            let [width] = arguments.bind_positional(name)?;
            let width = size(int(&required(width, name, "a width")?, name)?);
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
            let mut out = Writer::new(heap);
            out.push(sign)?;
            out.repeat("0", width.saturating_sub(text.chars().count()))?;
            out.push(digits)?;
            out.finish()?
        }
        "expandtabs" => {
            let [width] = arguments.bind(name, ["tabsize"])?;
            let width = width.map_or(Ok(8), |width| int(&width, name))?;
            expand_tabs(heap, text, size(width))?
        }
        "encode" => return encode(heap, text, arguments),
        "translate" => return translate(heap, text, arguments),
        "striptags" => {
            arguments.none(name)?;
            return heap.text(crate::text::jinja::filters::markup::without_tags(
                heap, text,
            )?);
        }
        "unescape" => {
            arguments.none(name)?;
            return heap.text(crate::text::jinja::filters::markup::unescaped(text));
        }
        name => {
            arguments.none(name)?;
            return Ok(Value::Bool(answer(text, name)));
        }
    };
    Ok(marked(value, of.safe))
}

/// What methods of markup give is markup.
fn marked(value: Value, safe: bool) -> Value {
    match value {
        Value::Text(text) => Value::Text(Text { safe, ..text }),
        other => other,
    }
}

fn parts(heap: &Heap, parts: &[&str], safe: bool) -> Result<Value> {
    heap.room(parts.len())?;
    let values: Result<Vec<Value>> = parts.iter().map(|part| heap.marked(part, safe)).collect();
    heap.list(values?)
}

fn recased(text: &str, name: &str) -> String {
    match name {
        "upper" => text.to_uppercase(),
        "lower" => text.to_lowercase(),
        "casefold" => text.chars().flat_map(folded).collect(),
        "capitalize" => capitalized(text),
        "swapcase" => {
            let mut out = String::with_capacity(text.len());
            for letter in text.chars() {
                if letter.is_uppercase() {
                    out.extend(letter.to_lowercase());
                } else {
                    out.extend(letter.to_uppercase());
                }
            }
            out
        }
        _ => {
            let mut out = String::with_capacity(text.len());
            let mut inside = false;
            for letter in text.chars() {
                if inside {
                    out.extend(letter.to_lowercase());
                } else {
                    out.push_str(&title_letter(letter));
                }
                inside = letter.is_lowercase() || letter.is_uppercase();
            }
            out
        }
    }
}

/// A letter for comparing without case.
fn folded(letter: char) -> Vec<char> {
    match letter {
        'ı' => vec![letter],
        _ => letter.to_uppercase().flat_map(char::to_lowercase).collect(),
    }
}

/// A letter at the beginning of a word: `ß` becomes `Ss`, digraphs their own form, other than in capitals.
fn title_letter(letter: char) -> String {
    match letter {
        'Ǆ'..='ǆ' => return "ǅ".to_owned(),
        'Ǉ'..='ǉ' => return "ǈ".to_owned(),
        'Ǌ'..='ǌ' => return "ǋ".to_owned(),
        'Ǳ'..='ǳ' => return "ǲ".to_owned(),
        'ა'..='ჿ' => return letter.to_string(),
        'ŉ' => return "ʼN".to_owned(),
        _ => {}
    }
    let mut upper = letter.to_uppercase();
    let first = upper.next().unwrap_or(letter);
    let rest: String = upper.flat_map(char::to_lowercase).collect();
    format!("{first}{rest}")
}

/// `capitalize`.
pub(in crate::text::jinja) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => title_letter(first) + &letters.as_str().to_lowercase(),
        None => String::new(),
    }
}

/// `strip`, `lstrip`, `rstrip`: of blanks, or of any of the letters.
pub(in crate::text::jinja) fn strip<'t>(
    text: &'t str,
    name: &str,
    letters: Option<&Value>,
) -> Result<&'t str> {
    let letters = match letters {
        None | Some(Value::None) => None,
        Some(letters) => Some(as_text(letters, name)?),
    };
    let letters = letters.map(|letters| letters.chars().collect::<BTreeSet<char>>());
    let dropped = |letter: char| match &letters {
        Some(letters) => letters.contains(&letter),
        None => is_space(letter),
    };
    Ok(match name {
        "lstrip" => text.trim_start_matches(dropped),
        "rstrip" => text.trim_end_matches(dropped),
        _ => text.trim_matches(dropped),
    })
}

/// The part of a text between two places, counted in letters, and how many letters precede it.
fn within<'t>(
    text: &'t str,
    start: Option<Value>,
    stop: Option<Value>,
    name: &str,
) -> Result<Option<(&'t str, usize)>> {
    let len = text.chars().count() as i128;
    let bound = |bound: Option<Value>, otherwise: i128| -> Result<i128> {
        match bound {
            None | Some(Value::None) => Ok(otherwise),
            Some(bound) => {
                let bound = int(&bound, name)?;
                Ok(if bound < 0 {
                    bound.saturating_add(len).max(0)
                } else {
                    bound
                })
            }
        }
    };
    let (start, stop) = (bound(start, 0)?, bound(stop, len)?.min(len));
    if start > stop || start > len {
        return Ok(None);
    }
    let byte = |letters: i128| {
        text.char_indices()
            .nth(letters as usize)
            .map_or(text.len(), |(place, _)| place)
    };
    Ok(Some((&text[byte(start)..byte(stop)], start as usize)))
}

fn ends(heap: &Heap, text: &str, name: &str, arguments: Arguments) -> Result<Value> {
    let [part, start, stop] = arguments.bind_positional(name)?;
    let part = required(part, name, "a text")?;
    let wanted = match &part {
        Value::Tuple(_) => sequence::values(&part, heap)?,
        _ => vec![part],
    };
    let range = within(text, start, stop, name)?;
    let mut found = false;
    for part in &wanted {
        let part = as_text(part, name)?;
        found |= range.is_some_and(|(text, _)| {
            if name == "startswith" {
                text.starts_with(part)
            } else {
                text.ends_with(part)
            }
        });
        if found {
            break;
        }
    }
    Ok(Value::Bool(found))
}

fn find(heap: &Heap, text: &str, name: &str, arguments: Arguments) -> Result<Value> {
    let [part, start, stop] = arguments.bind_positional(name)?;
    let part = required(part, name, "a text")?;
    let part = as_text(&part, name)?;
    let range = within(text, start, stop, name)?;
    heap.meter.read(2 * text.len())?;
    if name == "count" {
        let count = range.map_or(0, |(text, _)| text.matches(part).count());
        return Ok(Value::Int(count as i128));
    }
    let place = range.and_then(|(text, before)| {
        let place = if name.starts_with('r') {
            text.rfind(part)
        } else {
            text.find(part)
        };
        place.map(|place| (before + text[..place].chars().count()) as i128)
    });
    match place {
        Some(place) => Ok(Value::Int(place)),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => fail!("`{name}`: the text is not in it"),
    }
}

fn join(heap: &Heap, separator: &str, values: &Value) -> Result<Value> {
    let mut out = Writer::new(heap);
    for (index, value) in sequence::values(values, heap)?.iter().enumerate() {
        if index > 0 {
            out.push(separator)?;
        }
        out.push(as_text(value, "join")?)?;
    }
    out.finish()
}

fn justified(heap: &Heap, text: &str, name: &str, width: usize, fill: &str) -> Result<Value> {
    if fill.chars().count() != 1 {
        fail!("`{name}` fills with one letter");
    }
    let count = text.chars().count();
    let missing = width.saturating_sub(count);
    let before = match name {
        "ljust" => 0,
        "rjust" => missing,
        // where it cannot be even, Python goes by the width
        _ => missing / 2 + (missing & width & 1),
    };
    let mut out = Writer::new(heap);
    out.repeat(fill, before)?;
    out.push(text)?;
    out.repeat(fill, missing - before)?;
    out.finish()
}

fn expand_tabs(heap: &Heap, text: &str, width: usize) -> Result<Value> {
    let mut out = Writer::new(heap);
    let mut column = 0;
    for letter in text.chars() {
        match letter {
            '\t' if width > 0 => {
                let blanks = width - column % width;
                out.repeat(" ", blanks)?;
                column += blanks;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(letter.encode_utf8(&mut [0; 4]))?;
                column = 0;
            }
            letter => {
                out.push(letter.encode_utf8(&mut [0; 4]))?;
                column += 1;
            }
        }
    }
    out.finish()
}

fn encode(heap: &Heap, text: &str, arguments: Arguments) -> Result<Value> {
    let [encoding, errors] = arguments.bind("encode", ["encoding", "errors"])?;
    let encoding = encoding.unwrap_or_else(|| Value::literal("utf-8"));
    let utf8 = is_utf8(as_text(&encoding, "encode")?)?;
    heap.meter.make(text.len())?;
    if utf8 || text.is_ascii() {
        return Ok(Value::Bytes(text.as_bytes().into()));
    }
    let kept: Vec<u8> = match errors.as_ref().and_then(Value::as_text) {
        Some("ignore") => text.bytes().filter(u8::is_ascii).collect(),
        Some("replace") => text
            .chars()
            .map(|letter| {
                u8::try_from(letter)
                    .ok()
                    .filter(u8::is_ascii)
                    .unwrap_or(b'?')
            })
            .collect(),
        _ => fail!("a letter of the text is not in ASCII"),
    };
    Ok(Value::Bytes(Rc::from(kept)))
}

/// `translate`: letters by their numbers, to texts, numbers or nothing.
fn translate(heap: &Heap, text: &str, arguments: Arguments) -> Result<Value> {
    let [table] = arguments.bind_positional("translate")?;
    let table = required(table, "translate", "a table")?;
    let mut out = Writer::new(heap);
    for letter in text.chars() {
        heap.meter.work(1)?;
        let place = Value::Int(i128::from(u32::from(letter)));
        match sequence::get(&table, &place, heap)? {
            None => out.push(letter.encode_utf8(&mut [0; 4]))?,
            Some(Value::None) => {}
            Some(Value::Text(text)) => out.push(&text.text)?,
            Some(value) => {
                let code = int(&value, "translate")?;
                let letter = u32::try_from(code).ok().and_then(char::from_u32);
                match letter {
                    Some(letter) => out.push(letter.encode_utf8(&mut [0; 4]))?,
                    None => fail!("`translate`: {code} is no letter"),
                }
            }
        }
    }
    out.finish()
}
