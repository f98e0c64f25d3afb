//! `+`, `-`, `*`, `/`, `//`, `%`, `**` of Python's values.

use crate::text::jinja::format::percent;
use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::syntax::tree::Operator;
use crate::text::jinja::value::text::escape;
use crate::text::jinja::value::{Heap, Text, Value, number};

use super::arguments::size;

/// `left operator right`.
pub(in crate::text::jinja) fn binary(
    operator: Operator,
    left: &Value,
    right: &Value,
    heap: &Heap,
) -> Result<Value> {
    if let (Operator::Modulo, Value::Text(format)) = (operator, left) {
        return percent::format(format, right, heap);
    }
    if let (Value::Undefined(text), _) | (_, Value::Undefined(text)) = (left, right) {
        return Err(Problem::new(&**text));
    }
    if let Some(value) = arithmetic(operator, left, right)? {
        return Ok(value);
    }
    match (operator, left, right) {
        (Operator::Add, Value::Text(left), Value::Text(right)) => add_texts(left, right, heap),
        (Operator::Add, Value::List(left), Value::List(right)) => {
            heap.list(joined(&left.values, &right.values, heap)?)
        }
        (Operator::Add, Value::Tuple(left), Value::Tuple(right)) => {
            heap.tuple(joined(&left.values, &right.values, heap)?)
        }
        (Operator::Multiply, value, times) | (Operator::Multiply, times, value)
            if times.as_int().is_some() && value.as_int().is_none() =>
        {
            repeated(value, size(times.as_int().unwrap_or(0)), heap)
        }
        _ => Err(no_such(operator, left, right)),
    }
}

fn no_such(operator: Operator, left: &Value, right: &Value) -> Problem {
    let sign = match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::FloorDivide => "//",
        Operator::Modulo => "%",
        Operator::Power => "**",
    };
    Problem::new(format!(
        "`{sign}` does not take `{}` and `{}`",
        left.kind(),
        right.kind()
    ))
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Option<Value>> {
    if let (Some(left), Some(right)) = (left.as_int(), right.as_int()) {
        return whole(operator, left, right).map(Some);
    }
    let (Some(first), Some(second)) = (number::as_float(left), number::as_float(right)) else {
        return Ok(None);
    };
    Ok(Some(Value::Float(match operator {
        Operator::Add => first + second,
        Operator::Subtract => first - second,
        Operator::Multiply => first * second,
        Operator::Divide if second == 0.0 => fail!("division by zero"),
        Operator::Divide => first / second,
        Operator::FloorDivide => number::float_floor_div(first, second)?,
        Operator::Modulo => number::float_modulo(first, second)?,
        Operator::Power => return number::power(left, right).map(Some),
    })))
}

fn whole(operator: Operator, left: i128, right: i128) -> Result<Value> {
    match operator {
        Operator::Add => number::whole(left.checked_add(right)),
        Operator::Subtract => number::whole(left.checked_sub(right)),
        Operator::Multiply => number::whole(left.checked_mul(right)),
        Operator::Divide if right == 0 => fail!("division by zero"),
        Operator::Divide => Ok(Value::Float(left as f64 / right as f64)),
        Operator::FloorDivide => number::floor_div(left, right),
        Operator::Modulo => number::modulo(left, right),
        Operator::Power => number::power(&Value::Int(left), &Value::Int(right)),
    }
}

/// Texts one behind the other; what is no markup is escaped where the other is.
fn add_texts(left: &Text, right: &Text, heap: &Heap) -> Result<Value> {
    heap.meter.fits(
        (left.text.len() + right.text.len()).saturating_mul(if left.safe == right.safe {
            1
        } else {
            5
        }),
    )?;
    let safe = left.safe || right.safe;
    let part = |text: &Text| {
        if safe && !text.safe {
            escape(&text.text)
        } else {
            text.text.to_string()
        }
    };
    heap.marked(part(left) + &part(right), safe)
}

fn joined(left: &[Value], right: &[Value], heap: &Heap) -> Result<Vec<Value>> {
    heap.room(left.len() + right.len())?;
    heap.meter.work((left.len() + right.len()) as u64 / 2)?;
    Ok(left.iter().chain(right).cloned().collect())
}

/// A sequence several times.
fn repeated(value: &Value, times: usize, heap: &Heap) -> Result<Value> {
    let many = |values: &[Value]| -> Result<Vec<Value>> {
        heap.room(values.len().saturating_mul(times))?;
        heap.meter
            .work(values.len().saturating_mul(times) as u64 / 2)?;
        Ok(std::iter::repeat_n(values, times)
            .flatten()
            .cloned()
            .collect())
    };
    match value {
        Value::Text(text) => {
            heap.meter.fits(text.text.len().saturating_mul(times))?;
            heap.marked(text.text.repeat(times), text.safe)
        }
        Value::List(items) => heap.list(many(&items.values)?),
        Value::Tuple(items) => heap.tuple(many(&items.values)?),
        Value::Bytes(bytes) => {
            heap.meter.make(bytes.len().saturating_mul(times))?;
            Ok(Value::Bytes(bytes.repeat(times).into()))
        }
        other => Err(no_such(Operator::Multiply, other, &Value::Int(0))),
    }
}
