//! Methods of numbers.

use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::value::{Heap, Value};

/// `real`, `imag`, `numerator`, `denominator`.
pub(in crate::text::jinja) fn part(value: &Value, name: &str) -> Option<Value> {
    match (value, name) {
        (Value::Float(_), "real") => Some(value.clone()),
        (Value::Float(_), "imag") => Some(Value::Float(0.0)),
        (Value::Float(_), _) => None,
        (value, "real" | "numerator") => value.as_int().map(Value::Int),
        (_, "imag") => Some(Value::Int(0)),
        _ => Some(Value::Int(1)),
    }
}

pub(super) fn call(heap: &Heap, value: &Value, name: &str) -> Result<Value> {
    if let Some(int) = value.as_int() {
        return Ok(match name {
            "bit_length" => Value::Int(i128::from(128 - int.unsigned_abs().leading_zeros())),
            "bit_count" => Value::Int(i128::from(int.unsigned_abs().count_ones())),
            "as_integer_ratio" => heap.tuple(vec![Value::Int(int), Value::Int(1)])?,
            _ => Value::Int(int),
        });
    }
    let Value::Float(float) = value else {
        fail!("`{}` has no method `{name}`", value.kind());
    };
    match name {
        "is_integer" => Ok(Value::Bool(float.is_finite() && float.fract() == 0.0)),
        "as_integer_ratio" => ratio(heap, *float),
        _ => Ok(value.clone()),
    }
}

fn ratio(heap: &Heap, float: f64) -> Result<Value> {
    if !float.is_finite() {
        fail!("`{float}` is no ratio");
    }
    let (mut numerator, mut denominator) = (float, 1_i128);
    while numerator.fract() != 0.0 {
        numerator *= 2.0;
        let Some(doubled) = denominator.checked_mul(2) else {
            fail!("a whole number of more than 128 bits");
        };
        denominator = doubled;
    }
    if numerator.abs() >= 1.7e38 {
        fail!("a whole number of more than 128 bits");
    }
    heap.tuple(vec![Value::Int(numerator as i128), Value::Int(denominator)])
}
