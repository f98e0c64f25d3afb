//! Going through values, their lengths, items and slices.

use std::rc::Rc;

use super::{Heap, Items, Object, Part, Range, Value};
use crate::text::jinja::problem::{Problem, Result, fail};

/// The values that a loop over this one gets.
pub(in crate::text::jinja) fn values(value: &Value, heap: &Heap) -> Result<Vec<Value>> {
    Ok(match value {
        Value::Undefined(_) => Vec::new(),
        Value::List(items) | Value::Tuple(items) => {
            heap.meter.work(items.values.len() as u64)?;
            items.values.clone()
        }
        Value::Text(text) => {
            heap.room(text.text.len())?;
            let mut letters = Vec::new();
            for letter in text.text.chars() {
                letters.push(heap.text(letter.encode_utf8(&mut [0; 4]))?);
            }
            letters
        }
        Value::Bytes(bytes) => {
            heap.room(bytes.len())?;
            heap.meter.work(bytes.len() as u64)?;
            bytes
                .iter()
                .map(|byte| Value::Int(i128::from(*byte)))
                .collect()
        }
        Value::Dict(dict) | Value::View(dict, Part::Keys) => {
            heap.meter.work(dict.len() as u64)?;
            dict.iter().map(|entry| entry.key.clone()).collect()
        }
        Value::View(dict, Part::Values) => {
            heap.meter.work(dict.len() as u64)?;
            dict.iter().map(|entry| entry.value.clone()).collect()
        }
        Value::View(dict, Part::Items) => dict
            .iter()
            .map(|entry| heap.tuple(vec![entry.key.clone(), entry.value.clone()]))
            .collect::<Result<_>>()?,
        Value::Range(range) => {
            heap.meter.work(range.len() as u64)?;
            (0..range.len()).map(|index| range.get(index)).collect()
        }
        Value::Stream(stream) => stream.rest.take().into(),
        Value::Object(Object::Loop(object)) => {
            // the rest of the loop, each with the loop itself
            let from = (object.index.get() + 1).min(object.items.values.len());
            object.index.set(object.items.values.len());
            object.items.values[from..]
                .iter()
                .map(|item| heap.tuple(vec![item.clone(), value.clone()]))
                .collect::<Result<_>>()?
        }
        other => fail!("`{}` is not iterable", other.kind()),
    })
}

/// The same, without copying those of a list.
pub(in crate::text::jinja) fn items(value: &Value, heap: &Heap) -> Result<Rc<Items>> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items.clone()),
        other => heap.items(values(other, heap)?),
    }
}

/// Whether a loop can go over it.
pub(in crate::text::jinja) fn is_iterable(value: &Value) -> bool {
    !matches!(
        value,
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_)
    ) && !matches!(value, Value::Object(object) if !matches!(object, Object::Loop(_)))
}

/// `len(value)`.
pub(in crate::text::jinja) fn len(value: &Value, heap: &Heap) -> Result<usize> {
    Ok(match value {
        Value::Undefined(_) => 0,
        Value::List(items) | Value::Tuple(items) => items.values.len(),
        Value::Text(text) => {
            heap.meter.read(text.text.len())?;
            text.text.chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::Dict(dict) | Value::View(dict, _) => dict.len(),
        Value::Range(range) => range.len(),
        Value::Object(Object::Loop(object)) => object.items.values.len(),
        other => fail!("`{}` has no length", other.kind()),
    })
}

/// Whether it has a length and items: what Jinja calls a sequence.
pub(in crate::text::jinja) fn is_sequence(value: &Value) -> bool {
    matches!(
        value,
        Value::List(_)
            | Value::Tuple(_)
            | Value::Text(_)
            | Value::Bytes(_)
            | Value::Dict(_)
            | Value::Range(_)
            | Value::Undefined(_)
    )
}

/// The place that an index of a sequence means.
fn place(index: i128, len: usize) -> Option<usize> {
    let from_end = if index < 0 { len as i128 } else { 0 };
    let place = usize::try_from(index.checked_add(from_end)?).ok()?;
    (place < len).then_some(place)
}

/// `value[index]`; `None` where Python has none, or none of that type.
pub(in crate::text::jinja) fn get(
    value: &Value,
    index: &Value,
    heap: &Heap,
) -> Result<Option<Value>> {
    if let Value::Dict(dict) = value {
        // what cannot be a key is not there
        return Ok(dict.get(index, heap).ok().flatten().cloned());
    }
    if let Value::Undefined(text) = value {
        return Err(Problem::new(&**text));
    }
    let Some(index) = index.as_int() else {
        return Ok(None);
    };
    Ok(match value {
        Value::List(items) | Value::Tuple(items) => {
            place(index, items.values.len()).map(|place| items.values[place].clone())
        }
        Value::Text(text) => {
            heap.meter.read(text.text.len())?;
            let count = text.text.chars().count();
            match place(index, count).and_then(|place| text.text.chars().nth(place)) {
                Some(letter) => Some(heap.text(letter.encode_utf8(&mut [0; 4]))?),
                None => None,
            }
        }
        Value::Bytes(bytes) => {
            place(index, bytes.len()).map(|place| Value::Int(i128::from(bytes[place])))
        }
        Value::Range(range) => place(index, range.len()).map(|place| range.get(place)),
        _ => None,
    })
}

/// `value[start:stop:step]`.
pub(in crate::text::jinja) fn slice(
    value: &Value,
    bounds: [&Value; 3],
    heap: &Heap,
) -> Result<Value> {
    let mut numbers = [None; 3];
    for (number, bound) in numbers.iter_mut().zip(bounds) {
        *number = match bound {
            Value::None => None,
            bound => Some(bound.as_int().ok_or_else(|| {
                Problem::new(format!(
                    "a slice takes whole numbers, not `{}`",
                    bound.kind()
                ))
            })?),
        };
    }
    let step = numbers[2].unwrap_or(1);
    if step == 0 {
        fail!("the step of a slice is zero");
    }
    match value {
        Value::List(items) => heap.list(pick(&items.values, numbers, step, heap)?),
        Value::Tuple(items) => heap.tuple(pick(&items.values, numbers, step, heap)?),
        Value::Text(text) => {
            heap.meter.read(text.text.len())?;
            heap.meter.fits(text.text.len().saturating_mul(4))?;
            let letters: Vec<char> = text.text.chars().collect();
            let picked: String = pick(&letters, numbers, step, heap)?.into_iter().collect();
            heap.marked(picked, text.safe)
        }
        Value::Bytes(bytes) => {
            let picked = pick(bytes, numbers, step, heap)?;
            heap.meter.make(picked.len())?;
            Ok(Value::Bytes(picked.into()))
        }
        Value::Range(range) => {
            let places = places(range.len(), numbers, step);
            Ok(Value::Range(Range {
                start: range.start + places.start * range.step,
                stop: range.start + places.stop * range.step,
                step: range.step.saturating_mul(step),
            }))
        }
        Value::Undefined(text) => Err(Problem::new(&**text)),
        other => fail!("`{}` cannot be sliced", other.kind()),
    }
}

/// The places that a slice of a sequence takes.
fn places(len: usize, [start, stop, _]: [Option<i128>; 3], step: i128) -> Range {
    let len = len as i128;
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let bound = |given: Option<i128>, otherwise: i128| match given {
        None => otherwise,
        Some(index) if index < 0 => index.saturating_add(len).clamp(low, high),
        Some(index) => index.clamp(low, high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    Range {
        start: bound(start, first),
        stop: bound(stop, last),
        step,
    }
}

fn pick<T: Clone>(
    from: &[T],
    bounds: [Option<i128>; 3],
    step: i128,
    heap: &Heap,
) -> Result<Vec<T>> {
    let places = places(from.len(), bounds, step);
    let count = places.len();
    heap.meter.work(count as u64 / 2)?;
    Ok((0..count)
        .map(|index| from[(places.start + places.step * index as i128) as usize].clone())
        .collect())
}
