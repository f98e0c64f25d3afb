//! Floats with a number of digits.

use crate::text::jinja::problem::Result;
use crate::text::jinja::value::Heap;

/// No float has more digits than this; what is asked for beyond are zeros.
const MAX_DIGITS: usize = 1100;

/// How a float is written: `e`, `f`, `g`, or `%`; the sign is not part of it.
pub(super) fn digits(
    heap: &Heap,
    float: f64,
    kind: char,
    precision: usize,
    alternate: bool,
) -> Result<String> {
    heap.meter.fits(precision.saturating_add(400))?;
    heap.meter.read(precision)?;
    let float = float.abs();
    let text = if float.is_nan() {
        "nan".to_owned()
    } else if float.is_infinite() {
        "inf".to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            'f' => fixed(float, precision, alternate),
            'e' => scientific(float, precision, alternate),
            '%' => fixed(float * 100.0, precision, alternate) + "%",
            _ => general(float, precision.max(1), alternate),
        }
    };
    Ok(if kind.is_ascii_uppercase() {
        text.to_ascii_uppercase()
    } else {
        text
    })
}

fn fixed(float: f64, precision: usize, alternate: bool) -> String {
    let known = precision.min(MAX_DIGITS);
    let mut text = format!("{float:.known$}");
    text.extend(std::iter::repeat_n('0', precision - known));
    if alternate && precision == 0 {
        text.push('.');
    }
    text
}

fn scientific(float: f64, precision: usize, alternate: bool) -> String {
    let (mantissa, exponent) = parts(float, precision);
    let point = if alternate && precision == 0 { "." } else { "" };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{point}e{sign}{:02}", exponent.abs())
}

/// The digits with one before the point, and the power of ten.
fn parts(float: f64, precision: usize) -> (String, i32) {
    let known = precision.min(MAX_DIGITS);
    let text = format!("{float:.known$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mut mantissa = mantissa.to_owned();
    mantissa.extend(std::iter::repeat_n('0', precision - known));
    (mantissa, exponent.parse().unwrap_or(0))
}

/// The shorter of both, without zeros at the end.
fn general(float: f64, precision: usize, alternate: bool) -> String {
    let (_, exponent) = parts(float, precision - 1);
    let small = exponent >= -4 && i64::from(exponent) < precision as i64;
    if small {
        let decimals = (precision as i64 - 1 - i64::from(exponent)).max(0) as usize;
        let text = fixed(float, decimals, alternate);
        return if alternate {
            text
        } else {
            trimmed(&text).to_owned()
        };
    }
    if alternate {
        return scientific(float, precision - 1, true);
    }
    let (mantissa, exponent) = parts(float, precision - 1);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(&mantissa), exponent.abs())
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}
