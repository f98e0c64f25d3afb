//! Numbers as Python writes, divides and rounds them.

use super::Value;
use crate::text::jinja::problem::{Problem, Result, fail};

/// What an operation on whole numbers gives when it leaves 128 bits.
pub(in crate::text::jinja) fn whole(result: Option<i128>) -> Result<Value> {
    result
        .map(Value::Int)
        .ok_or_else(|| Problem::new("a whole number of more than 128 bits"))
}

/// `repr(float)`: the shortest digits that read back as the same number.
pub(in crate::text::jinja) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{float}");
        if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.abs())
    }
}

/// A number as a float.
pub(in crate::text::jinja) fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(float) => Some(*float),
        value => value.as_int().map(|int| int as f64),
    }
}

/// `left // right` of whole numbers: towards minus infinity.
pub(in crate::text::jinja) fn floor_div(left: i128, right: i128) -> Result<Value> {
    if right == 0 {
        fail!("division by zero");
    }
    let quotient = left.checked_div(right);
    let exact = left.checked_rem(right).is_none_or(|rest| rest == 0);
    whole(if exact || (left < 0) == (right < 0) {
        quotient
    } else {
        quotient.and_then(|quotient| quotient.checked_sub(1))
    })
}

/// `left % right` of whole numbers: it has the sign of `right`.
pub(in crate::text::jinja) fn modulo(left: i128, right: i128) -> Result<Value> {
    if right == 0 {
        fail!("modulo by zero");
    }
    let rest = left.wrapping_rem(right);
    Ok(Value::Int(if rest != 0 && (rest < 0) != (right < 0) {
        rest + right
    } else {
        rest
    }))
}

/// `left % right` of floats.
pub(in crate::text::jinja) fn float_modulo(left: f64, right: f64) -> Result<f64> {
    if right == 0.0 {
        fail!("modulo by zero");
    }
    let rest = left % right;
    Ok(if rest == 0.0 {
        0.0_f64.copysign(right)
    } else if (rest < 0.0) != (right < 0.0) {
        rest + right
    } else {
        rest
    })
}

/// `left // right` of floats.
pub(in crate::text::jinja) fn float_floor_div(left: f64, right: f64) -> Result<f64> {
    if right == 0.0 {
        fail!("division by zero");
    }
    let quotient = (left - float_modulo(left, right)?) / right;
    if quotient == 0.0 {
        return Ok(0.0_f64.copysign(left / right));
    }
    let floor = quotient.floor();
    Ok(if quotient - floor > 0.5 {
        floor + 1.0
    } else {
        floor
    })
}

/// `left ** right`.
pub(in crate::text::jinja) fn power(left: &Value, right: &Value) -> Result<Value> {
    if let (Some(base), Some(exponent)) = (left.as_int(), right.as_int())
        && exponent >= 0
    {
        let exponent = match (base, u32::try_from(exponent)) {
            (0 | 1, _) => exponent.min(1) as u32,
            (-1, _) => (exponent % 2) as u32 + 2 * u32::from(exponent % 2 == 0),
            (_, Ok(exponent)) => exponent,
            (_, Err(_)) => return whole(None),
        };
        return whole(base.checked_pow(exponent));
    }
    let (Some(base), Some(exponent)) = (as_float(left), as_float(right)) else {
        fail!(
            "`**` does not take `{}` and `{}`",
            left.kind(),
            right.kind()
        );
    };
    if base == 0.0 && exponent < 0.0 {
        fail!("zero cannot be raised to a negative power");
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
        fail!(
            "a negative number to a broken power is a complex number, which templates do not have"
        );
    }
    let result = base.powf(exponent);
    if result.is_infinite() && base.is_finite() && exponent.is_finite() {
        fail!("a float that is too large");
    }
    Ok(Value::Float(result))
}

/// `round(float, digits)`: halves go to the even neighbour of the number as it is stored.
pub(in crate::text::jinja) fn round_float(float: f64, digits: i128) -> f64 {
    if !float.is_finite() || digits > 300 {
        return float;
    }
    if digits >= 0 {
        return format!("{float:.*}", digits as usize)
            .parse()
            .unwrap_or(float);
    }
    if digits < -308 {
        return 0.0_f64.copysign(float);
    }
    let unit = 10.0_f64.powf(-digits as f64);
    let scaled = float / unit;
    scaled.round_ties_even() * unit
}

/// `round(int, digits)`.
pub(in crate::text::jinja) fn round_int(int: i128, digits: i128) -> i128 {
    if digits >= 0 {
        return int;
    }
    let Some(unit) = u32::try_from(-digits)
        .ok()
        .and_then(|digits| 10_i128.checked_pow(digits))
    else {
        return 0;
    };
    let (rest, down) = (int.rem_euclid(unit), int.div_euclid(unit));
    let up = match (2 * rest).cmp(&unit) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => down.rem_euclid(2),
        std::cmp::Ordering::Greater => 1,
    };
    (down + up).saturating_mul(unit)
}

/// A number in a text, as `int(text, base)` reads it; `base` 0 goes by the prefix.
pub(in crate::text::jinja) fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim_matches(super::text::is_space);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find(|(prefix, radix)| lower.starts_with(prefix) && (base == 0 || base == *radix));
    let (digits, radix) = match prefixed {
        Some((prefix, radix)) => {
            let rest = &lower[prefix.len()..];
            (rest.strip_prefix('_').unwrap_or(rest), radix)
        }
        None if base == 0
            && lower.len() > 1
            && lower.starts_with('0')
            && !lower.trim_matches(['0', '_']).is_empty() =>
        {
            return None;
        }
        None => (lower.as_str(), if base == 0 { 10 } else { base }),
    };
    let digits = without_underscores(digits)?;
    let signed = if negative {
        format!("-{digits}")
    } else {
        digits
    };
    i128::from_str_radix(&signed, radix).ok()
}

/// A number in a text, as `float(text)` reads it.
pub(in crate::text::jinja) fn parse_float(text: &str) -> Option<f64> {
    let text = text
        .trim_matches(super::text::is_space)
        .to_ascii_lowercase();
    let unsigned = text.trim_start_matches(['+', '-']);
    if ["inf", "infinity", "nan"].contains(&unsigned) && text.len() - unsigned.len() <= 1 {
        let float = if unsigned == "nan" {
            f64::NAN
        } else {
            f64::INFINITY
        };
        return Some(if text.starts_with('-') { -float } else { float });
    }
    if unsigned.contains(['i', 'n']) {
        return None;
    }
    without_underscores(&text)?.parse().ok()
}

/// Underscores stand between digits alone.
fn without_underscores(text: &str) -> Option<String> {
    let letters = text.as_bytes();
    let sound = letters.iter().enumerate().all(|(place, letter)| {
        let digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
        *letter != b'_'
            || place > 0 && digit(letters.get(place - 1)) && digit(letters.get(place + 1))
    });
    (sound && !text.is_empty() && !text.starts_with(['+', '-'].as_slice())
        || sound
            && text.len() > 1
            && text[1..].starts_with(|letter: char| letter.is_ascii_digit() || letter == '.'))
    .then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_does() {
        for (float, text) in [
            (1.0, "1.0"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(float_repr(float), text);
        }
    }

    #[test]
    fn halves_are_rounded_to_even() {
        assert_eq!(round_float(2.5, 0), 2.0);
        assert_eq!(round_float(0.125, 2), 0.12);
        assert_eq!(round_float(2.675, 2), 2.67);
        assert_eq!(round_int(25, -1), 20);
        assert_eq!(round_int(-35, -1), -40);
    }
}
