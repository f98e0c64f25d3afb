//! `==`, `<` and `in`, as Python has them.

use std::cmp::Ordering;
use std::rc::Rc;

use super::dict::Key;
use super::{Dict, Heap, Items, Object, Part, Value};
use crate::text::jinja::problem::{Problem, Result, fail};

/// `left == right`.
pub(in crate::text::jinja) fn equal(left: &Value, right: &Value, heap: &Heap) -> Result<bool> {
    heap.meter.work(1)?;
    Ok(match (left, right) {
        (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
        (Value::Text(left), Value::Text(right)) => {
            heap.meter.read(left.text.len().min(right.text.len()))?;
            left.text == right.text
        }
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            Rc::ptr_eq(left, right)
                || left.values.len() == right.values.len()
                    && first_difference(left, right, heap)?.is_none()
        }
        (Value::Dict(left), Value::Dict(right)) => {
            Rc::ptr_eq(left, right) || equal_dicts(left, right, heap)?
        }
        (Value::View(left, Part::Keys), Value::View(right, Part::Keys)) => {
            left.len() == right.len() && contains_all(left, right, heap)?
        }
        (Value::View(left, Part::Items), Value::View(right, Part::Items)) => {
            equal_dicts(left, right, heap)?
        }
        (Value::Range(left), Value::Range(right)) => {
            left.len() == right.len()
                && (left.len() == 0
                    || left.start == right.start && (left.len() == 1 || left.step == right.step))
        }
        (Value::Object(_), Value::Object(_)) | (Value::Stream(_), Value::Stream(_)) => {
            Key::of(left, heap)? == Key::of(right, heap)?
        }
        (left, right) => numbers(left, right).is_some_and(|order| order == Some(Ordering::Equal)),
    })
}

fn contains_all(left: &Dict, right: &Dict, heap: &Heap) -> Result<bool> {
    for entry in left.iter() {
        if right.get(&entry.key, heap)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_dicts(left: &Dict, right: &Dict, heap: &Heap) -> Result<bool> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for entry in left.iter() {
        match right.get(&entry.key, heap)? {
            Some(other) if equal(&entry.value, other, heap)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Where two sequences differ first, if it is not their lengths alone.
fn first_difference(left: &Items, right: &Items, heap: &Heap) -> Result<Option<usize>> {
    for (index, (left, right)) in left.values.iter().zip(&right.values).enumerate() {
        if !equal(left, right, heap)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// The order of two numbers; `None` for values that are none. NaN has none.
#[allow(
    clippy::option_option,
    reason = "no numbers, and numbers without an order, differ"
)]
fn numbers(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    if let (Some(left), Some(right)) = (left.as_int(), right.as_int()) {
        return Some(Some(left.cmp(&right)));
    }
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => Some(left.partial_cmp(right)),
        (left, Value::Float(right)) => Some(with_float(left.as_int()?, *right)),
        (Value::Float(left), right) => {
            Some(with_float(right.as_int()?, *left).map(Ordering::reverse))
        }
        _ => None,
    }
}

/// The order of a whole number and a float, exactly.
fn with_float(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float.abs() >= 1.7e38 {
        return (int as f64).partial_cmp(&float);
    }
    let rest = 0.0.partial_cmp(&float.fract())?;
    Some(int.cmp(&(float.trunc() as i128)).then(rest))
}

/// The order of two values; `None` where NaN is one of them.
pub(in crate::text::jinja) fn order(
    left: &Value,
    right: &Value,
    heap: &Heap,
) -> Result<Option<Ordering>> {
    heap.meter.work(1)?;
    match (left, right) {
        (Value::Undefined(text), _) | (_, Value::Undefined(text)) => Err(Problem::new(&**text)),
        (Value::Text(left), Value::Text(right)) => {
            heap.meter.read(left.text.len().min(right.text.len()))?;
            Ok(Some(left.text.cmp(&right.text)))
        }
        (Value::Bytes(left), Value::Bytes(right)) => Ok(Some(left.cmp(right))),
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            match first_difference(left, right, heap)? {
                Some(index) => order(&left.values[index], &right.values[index], heap),
                None => Ok(Some(left.values.len().cmp(&right.values.len()))),
            }
        }
        (left, right) => numbers(left, right).ok_or_else(|| {
            Problem::new(format!(
                "`{}` and `{}` have no order",
                left.kind(),
                right.kind()
            ))
        }),
    }
}

/// `left < right`.
pub(in crate::text::jinja) fn less(left: &Value, right: &Value, heap: &Heap) -> Result<bool> {
    Ok(order(left, right, heap)? == Some(Ordering::Less))
}

/// `item in container`.
pub(in crate::text::jinja) fn contains(
    container: &Value,
    item: &Value,
    heap: &Heap,
) -> Result<bool> {
    match container {
        Value::Text(text) => {
            let Some(part) = item.as_text() else {
                fail!("`in` a text takes a text, not `{}`", item.kind());
            };
            heap.meter.read(text.text.len())?;
            Ok(text.text.contains(part))
        }
        Value::Dict(dict) | Value::View(dict, Part::Keys) => Ok(dict.get(item, heap)?.is_some()),
        Value::List(items) | Value::Tuple(items) => any(&items.values, item, heap),
        Value::Range(range) => match item.as_int() {
            Some(int) => Ok(range.contains(int)),
            None => any(&super::sequence::values(container, heap)?, item, heap),
        },
        Value::Bytes(bytes) => match item.as_int() {
            Some(int) => Ok(bytes.iter().any(|byte| i128::from(*byte) == int)),
            None => fail!("`in` bytes takes a number"),
        },
        Value::Undefined(_)
        | Value::View(..)
        | Value::Stream(_)
        | Value::Object(Object::Loop(_)) => {
            any(&super::sequence::values(container, heap)?, item, heap)
        }
        other => fail!("`{}` contains nothing: `in` cannot be asked", other.kind()),
    }
}

fn any(values: &[Value], item: &Value, heap: &Heap) -> Result<bool> {
    for value in values {
        if equal(value, item, heap)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `left is right`, as far as it can be known without addresses.
pub(in crate::text::jinja) fn same(left: &Value, right: &Value, heap: &Heap) -> Result<bool> {
    Ok(match (left, right) {
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            Rc::ptr_eq(left, right)
                || left.values.is_empty() && right.values.is_empty() && left.depth == 0
        }
        (Value::Dict(left), Value::Dict(right)) => Rc::ptr_eq(left, right),
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Undefined(left), Value::Undefined(right)) => Rc::ptr_eq(left, right),
        (left, right) => left.kind() == right.kind() && equal(left, right, heap)?,
    })
}
