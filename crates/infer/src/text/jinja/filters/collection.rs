//! Filters on sequences.

use super::select::Path;
use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::run::Run;
use crate::text::jinja::run::arguments::{Arguments, int, required, size};
use crate::text::jinja::run::operator::binary;
use crate::text::jinja::syntax::tree::Operator;
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::{Part, Value, repr, sequence};

pub(super) fn length(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("length")?;
    Ok(Value::Int(sequence::len(&value, &run.heap)? as i128))
}

pub(super) fn list(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("list")?;
    run.heap.list(sequence::values(&value, &run.heap)?)
}

pub(super) fn items(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("items")?;
    let pairs = match value {
        Value::Undefined(_) => Vec::new(),
        Value::Dict(dict) => sequence::values(&Value::View(dict, Part::Items), &run.heap)?,
        other => fail!("`items` takes a mapping, not `{}`", other.kind()),
    };
    run.heap.stream(pairs, "generator")
}

pub(super) fn first(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("first")?;
    let found = match &value {
        Value::List(items) | Value::Tuple(items) => items.values.first().cloned(),
        Value::Stream(stream) => stream.rest.borrow_mut().pop_front(),
        Value::Text(text) => match text.text.chars().next() {
            Some(letter) => Some(run.heap.text(letter.encode_utf8(&mut [0; 4]))?),
            None => None,
        },
        value => sequence::values(value, &run.heap)?.into_iter().next(),
    };
    Ok(found.unwrap_or_else(|| Value::undefined("there is no first item: there are none")))
}

pub(super) fn last(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("last")?;
    let found = match &value {
        Value::List(items) | Value::Tuple(items) => items.values.last().cloned(),
        Value::Stream(_) | Value::Object(_) => fail!("`{}` has no last item", value.kind()),
        value => sequence::values(value, &run.heap)?.pop(),
    };
    Ok(found.unwrap_or_else(|| Value::undefined("there is no last item: there are none")))
}

pub(super) fn reverse(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("reverse")?;
    if let Value::Text(text) = &value {
        run.heap.meter.read(text.text.len())?;
        let reversed: String = text.text.chars().rev().collect();
        return run.heap.marked(reversed, text.safe);
    }
    let kind = match &value {
        Value::List(_) => "list_reverseiterator",
        Value::Dict(_) | Value::View(_, Part::Keys) => "dict_reversekeyiterator",
        Value::View(_, Part::Values) => "dict_reversevalueiterator",
        Value::View(_, Part::Items) => "dict_reverseitemiterator",
        Value::Range(_) => "range_iterator",
        _ => "reversed",
    };
    let mut values = sequence::values(&value, &run.heap)?;
    values.reverse();
    match value {
        Value::Stream(_) | Value::Object(_) => run.heap.list(values),
        _ => run.heap.stream(values, kind),
    }
}

pub(super) fn join(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [separator, attribute] = arguments.bind("join", ["d", "attribute"])?;
    let separator = match &separator {
        Some(separator) => repr::display(separator, &run.heap)?,
        None => String::new(),
    };
    let path = Path::new(&attribute.unwrap_or(Value::None))?;
    let mut out = Writer::new(&run.heap);
    for (index, item) in sequence::values(&value, &run.heap)?.iter().enumerate() {
        if index > 0 {
            out.push(&separator)?;
        }
        repr::write_display(&path.of(item, None, &run.heap)?, &mut out)?;
    }
    out.finish()
}

pub(super) fn sum(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [attribute, start] = arguments.bind("sum", ["attribute", "start"])?;
    let path = Path::new(&attribute.unwrap_or(Value::None))?;
    let mut sum = start.unwrap_or(Value::Int(0));
    if let Value::Text(_) | Value::Bytes(_) = sum {
        fail!("`sum` adds numbers or lists; texts are joined with `join`");
    }
    for item in sequence::values(&value, &run.heap)? {
        let item = path.of(&item, None, &run.heap)?;
        sum = binary(Operator::Add, &sum, &item, &run.heap)?;
    }
    Ok(sum)
}

pub(super) fn batch(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [count, fill] = arguments.bind("batch", ["linecount", "fill_with"])?;
    let count = required(count, "batch", "linecount")?;
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    for item in sequence::values(&value, &run.heap)? {
        let full = i128::try_from(batch.len()).is_ok_and(|length| Some(length) == count.as_int());
        if full {
            batches.push(run.heap.list(std::mem::take(&mut batch))?);
        }
        batch.push(item);
    }
    if !batch.is_empty() {
        if let Some(fill) = fill {
            let missing = size(int(&count, "batch")?).saturating_sub(batch.len());
            run.heap.room(missing)?;
            run.heap.meter.work(missing as u64)?;
            batch.extend(std::iter::repeat_n(fill, missing));
        }
        batches.push(run.heap.list(batch)?);
    }
    run.heap.stream(batches, "generator")
}

pub(super) fn slice(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [slices, fill] = arguments.bind("slice", ["slices", "fill_with"])?;
    let slices = int(&required(slices, "slice", "slices")?, "slice")?;
    if slices == 0 {
        fail!("`slice` into no parts");
    }
    let slices = size(slices);
    run.heap.room(slices)?;
    run.heap.meter.work(slices as u64)?;
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    let mut rest = sequence::values(&value, &run.heap)?.into_iter();
    let length = rest.len();
    let mut parts = Vec::new();
    for index in 0..slices {
        let longer = index < length % slices;
        let mut part: Vec<Value> = rest
            .by_ref()
            .take(length / slices + usize::from(longer))
            .collect();
        if !longer {
            part.extend(fill.clone());
        }
        parts.push(run.heap.list(part)?);
    }
    run.heap.stream(parts, "generator")
}
