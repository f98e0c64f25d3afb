//! Filters on texts.

use crate::text::jinja::format::percent;
use crate::text::jinja::methods::{capitalized, replaced, strip};
use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::run::Run;
use crate::text::jinja::run::arguments::{Arguments, int, required, size};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::json::Layout;
use crate::text::jinja::value::{Heap, Text, Value, repr, sequence};

/// `soft_str`: a text as it is, else `str(value)`.
pub(super) fn soft(heap: &Heap, value: &Value) -> Result<Text> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        value => Ok(Text {
            text: repr::display(value, heap)?.into(),
            safe: false,
        }),
    }
}

fn changed(
    run: &Run<'_>,
    value: &Value,
    arguments: Arguments,
    name: &str,
    change: fn(&str) -> String,
) -> Result<Value> {
    arguments.none(name)?;
    let text = soft(&run.heap, value)?;
    run.heap.meter.read(text.text.len())?;
    run.heap.meter.fits(text.text.len().saturating_mul(3))?;
    run.heap.marked(change(&text.text), text.safe)
}

pub(super) fn upper(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    changed(run, &value, arguments, "upper", str::to_uppercase)
}

pub(super) fn lower(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    changed(run, &value, arguments, "lower", str::to_lowercase)
}

pub(super) fn capitalize(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    changed(run, &value, arguments, "capitalize", capitalized)
}

pub(super) fn title(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("title")?;
    let text = soft(&run.heap, &value)?;
    run.heap.meter.read(text.text.len())?;
    let mut out = String::new();
    let mut inside = false;
    for letter in text.text.chars() {
        let between = super::super::value::text::is_space(letter) || "-({[<".contains(letter);
        if between {
            out.push(letter);
        } else if inside {
            out.extend(letter.to_lowercase());
        } else {
            out.extend(letter.to_uppercase());
        }
        inside = !between;
    }
    // what is put together from parts is no markup
    run.heap.text(out)
}

pub(super) fn string(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("string")?;
    match value {
        Value::Text(_) => Ok(value),
        value => run.heap.text(repr::display(&value, &run.heap)?),
    }
}

pub(super) fn trim(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [letters] = arguments.bind("trim", ["chars"])?;
    let text = soft(&run.heap, &value)?;
    run.heap.meter.read(4 * text.text.len())?;
    run.heap
        .marked(strip(&text.text, "strip", letters.as_ref())?, text.safe)
}

pub(super) fn center(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [width] = arguments.bind("center", ["width"])?;
    let width = width.map_or(Ok(80), |width| int(&width, "center"))?;
    let text = soft(&run.heap, &value)?;
    let missing = size(width).saturating_sub(text.text.chars().count());
    let before = missing / 2 + (missing & size(width) & 1);
    let mut out = Writer::new(&run.heap);
    out.repeat(" ", before)?;
    out.push(&text.text)?;
    out.repeat(" ", missing - before)?;
    run.heap.marked(out.text, text.safe)
}

pub(super) fn replace(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [old, new, count] = arguments.bind("replace", ["old", "new", "count"])?;
    let old = repr::display(&required(old, "replace", "old")?, &run.heap)?;
    let new = repr::display(&required(new, "replace", "new")?, &run.heap)?;
    let count = match count {
        None | Some(Value::None) => -1,
        Some(count) => int(&count, "replace")?,
    };
    let text = repr::display(&value, &run.heap)?;
    replaced(&run.heap, &text, (&old, &new), count)
}

pub(super) fn format(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let text = soft(&run.heap, &value)?;
    percent::filter(&run.heap, &text, arguments.positional, arguments.named)
}

pub(super) fn wordcount(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("wordcount")?;
    let text = soft(&run.heap, &value)?;
    run.heap.meter.read(text.text.len())?;
    let (mut count, mut inside) = (0, false);
    for letter in text.text.chars() {
        let word = letter.is_alphanumeric() || letter == '_';
        count += i128::from(word && !inside);
        inside = word;
    }
    Ok(Value::Int(count))
}

/// `tojson` of transformers is `json.dumps`, not Jinja's filter for web pages.
pub(super) fn tojson(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let [ascii, indent, separators, sorted] = arguments.bind("tojson", names)?;
    let truth = |value: Option<Value>| value.is_some_and(|value| value.is_true());
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Text(text)) => Some(text.text.to_string()),
        Some(width) => {
            let width = size(int(&width, "tojson")?);
            run.heap.meter.fits(width)?;
            Some(" ".repeat(width))
        }
    };
    let separators = match separators {
        None | Some(Value::None) => None,
        Some(pair) => {
            let pair = sequence::values(&pair, &run.heap)?;
            match pair.as_slice() {
                [Value::Text(comma), Value::Text(colon)] => {
                    Some((comma.text.to_string(), colon.text.to_string()))
                }
                _ => fail!("`separators` takes two texts"),
            }
        }
    };
    let layout = Layout {
        indent,
        ascii: truth(ascii),
        sorted: truth(sorted),
        separators,
    };
    layout.dump(&value, &run.heap)
}
