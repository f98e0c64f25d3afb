//! Filters on numbers.

use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::run::Run;
use crate::text::jinja::run::arguments::{Arguments, int as as_int};
use crate::text::jinja::value::{Value, number};

pub(super) fn abs(_: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    arguments.none("abs")?;
    match &value {
        Value::Float(float) => Ok(Value::Float(float.abs())),
        Value::Undefined(text) => Err(Problem::new(&**text)),
        value => match value.as_int() {
            Some(int) => number::whole(int.checked_abs()),
            None => fail!("`abs` takes a number, not `{}`", value.kind()),
        },
    }
}

pub(super) fn int(_: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [default, base] = arguments.bind("int", ["default", "base"])?;
    let default = default.unwrap_or(Value::Int(0));
    let base = base.map_or(Ok(10), |base| as_int(&base, "int"))?;
    let from_float = |float: f64| {
        let whole = Some(float.trunc()).filter(|float| float.abs() < 1.7e38);
        whole.map(|float| Value::Int(float as i128))
    };
    Ok(match &value {
        Value::Undefined(text) => return Err(Problem::new(&**text)),
        Value::Text(text) => {
            let base = u32::try_from(base)
                .ok()
                .filter(|base| *base == 0 || (2..=36).contains(base));
            let whole = base.and_then(|base| number::parse_int(&text.text, base));
            let float = || number::parse_float(&text.text).and_then(from_float);
            whole.map(Value::Int).or_else(float).unwrap_or(default)
        }
        Value::Float(float) if float.is_infinite() => fail!("an infinite number is not whole"),
        Value::Float(float) => from_float(*float).unwrap_or(default),
        value => value.as_int().map_or(default, Value::Int),
    })
}

pub(super) fn float(_: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [default] = arguments.bind("float", ["default"])?;
    let float = match &value {
        Value::Undefined(text) => return Err(Problem::new(&**text)),
        Value::Text(text) => number::parse_float(&text.text),
        value => number::as_float(value),
    };
    Ok(float.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

pub(super) fn round(_: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [precision, method] = arguments.bind("round", ["precision", "method"])?;
    let digits = precision.map_or(Ok(0), |precision| as_int(&precision, "round"))?;
    let method = method.unwrap_or_else(|| Value::literal("common"));
    let method = method.as_text().unwrap_or_default();
    if !["common", "ceil", "floor"].contains(&method) {
        fail!("`round` has the methods `common`, `ceil` and `floor`");
    }
    if let Value::Undefined(text) = &value {
        return Err(Problem::new(&**text));
    }
    let Some(float) = number::as_float(&value) else {
        fail!("`round` takes a number, not `{}`", value.kind());
    };
    if method == "common" {
        return Ok(match value.as_int() {
            Some(int) => Value::Int(number::round_int(int, digits)),
            None => Value::Float(number::round_float(float, digits)),
        });
    }
    let unit = number::power(&Value::Int(10), &Value::Int(digits))?;
    let unit = number::as_float(&unit).unwrap_or(1.0);
    let scaled = float * unit;
    if !scaled.is_finite() {
        fail!("a number that cannot be rounded");
    }
    let whole = if method == "ceil" {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    // whole numbers have no zero with a sign
    Ok(Value::Float((whole + 0.0) / unit))
}

pub(super) fn filesizeformat(_: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [binary] = arguments.bind("filesizeformat", ["binary"])?;
    let binary = binary.is_some_and(|binary| binary.is_true());
    let bytes = match &value {
        Value::Text(text) => number::parse_float(&text.text),
        value => number::as_float(value),
    };
    let Some(bytes) = bytes else {
        fail!("`filesizeformat` takes a number");
    };
    if !bytes.is_finite() {
        fail!("`filesizeformat` takes a finite number");
    }
    let base = if binary { 1024.0 } else { 1000.0_f64 };
    if bytes == 1.0 {
        return Ok(Value::literal("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::literal(&format!("{} Bytes", bytes.trunc() as i128)));
    }
    let letters = if binary { "KMGTPEZY" } else { "kMGTPEZY" };
    let ending = if binary { "iB" } else { "B" };
    let mut unit = base;
    let mut prefix = 'k';
    for letter in letters.chars() {
        prefix = letter;
        unit *= base;
        if bytes < unit {
            break;
        }
    }
    Ok(Value::literal(&format!(
        "{:.1} {prefix}{ending}",
        base * bytes / unit
    )))
}
