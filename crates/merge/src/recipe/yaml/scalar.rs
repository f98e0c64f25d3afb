//! Typing of scalars, as PyYAML does it.
//!
//! YAML 1.1 (<https://yaml.org/type/>) as PyYAML 6 implements it, which differs from YAML 1.2 and from what one expects:
//! `yes` and `on` are booleans, `0777` and `1:30` are numbers, `1e-5`, `0o777` and `-.5` are texts.

/// What a scalar is taken for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved {
    /// `null`, `~`, or nothing.
    Null,
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// A whole number, rounded to f64 where it has more than 53 bits.
    Integer(f64),
    /// A number with a dot, infinity or "not a number".
    Float(f64),
    /// Anything else, and everything in quotes.
    Text,
}

impl Resolved {
    /// The kind with article, for messages.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text => "a string",
        }
    }

    /// What a plain scalar, one without quotes and tag, is taken for.
    pub(crate) fn of_plain(text: &str) -> Self {
        null(text)
            .or_else(|| boolean(text))
            .or_else(|| float(text))
            .or_else(|| integer(text))
            .unwrap_or(Self::Text)
    }

    /// What a scalar with a tag of the YAML type repository is taken for; none if the text does not fit the tag or the tag
    /// is none of those for plain values.
    pub(super) fn of_tagged(suffix: &str, text: &str) -> Option<Self> {
        match suffix {
            "str" => Some(Self::Text),
            "null" => Some(Self::Null),
            "bool" => boolean(&text.to_lowercase()),
            "int" => integer(text),
            "float" => float(text).or_else(|| python_float(text).map(Self::Float)),
            _ => None,
        }
    }
}

fn null(text: &str) -> Option<Resolved> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Resolved::Null)
}

fn boolean(text: &str) -> Option<Resolved> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Resolved::Bool(true))
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Resolved::Bool(false))
        }
        _ => None,
    }
}

fn integer(text: &str) -> Option<Resolved> {
    let (sign, digits) = split_sign(text);
    // Whole numbers have one zero: `-0` is 0.
    magnitude(digits).map(|value| Resolved::Integer(sign * value + 0.0))
}

/// An unsigned whole number: binary, hexadecimal, octal with a leading zero, decimal or base sixty.
fn magnitude(digits: &str) -> Option<f64> {
    if let Some(binary) = digits.strip_prefix("0b") {
        return in_radix(binary, 2);
    }
    if let Some(hexadecimal) = digits.strip_prefix("0x") {
        return in_radix(hexadecimal, 16);
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return in_radix(digits, 8);
    }
    if let Some((first, rest)) = digits.split_once(':') {
        let whole = decimal_digits(first).filter(|_| !first.starts_with('0'))?;
        return rest
            .split(':')
            .try_fold(whole, |value, part| Some(value * 60.0 + sixtieth(part)?));
    }
    decimal_digits(digits)
}

/// Digits of a base, with underscores between, before or behind them, and at least one digit.
fn in_radix(digits: &str, radix: u32) -> Option<f64> {
    let mut digits = digits.chars().filter(|c| *c != '_').peekable();
    digits.peek()?;
    digits.try_fold(0.0, |value, c| {
        Some(value * f64::from(radix) + f64::from(c.to_digit(radix)?))
    })
}

/// Decimal digits with underscores, the first of which is a digit; correctly rounded however long they are.
fn decimal_digits(text: &str) -> Option<f64> {
    let well_formed = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '_');
    well_formed
        .then(|| without_underscores(text).parse().ok())
        .flatten()
}

/// A digit of base sixty: `0` to `59`, with or without a leading zero.
fn sixtieth(text: &str) -> Option<f64> {
    let well_formed = match text.as_bytes() {
        [digit] | [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    well_formed.then(|| text.parse().ok()).flatten()
}

fn float(text: &str) -> Option<Resolved> {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Resolved::Float(f64::NAN));
    }
    let (sign, rest) = split_sign(text);
    if matches!(rest, ".inf" | ".Inf" | ".INF") {
        return Some(Resolved::Float(sign * f64::INFINITY));
    }
    // PyYAML allows a sign before a leading digit only: `-.5` is a text.
    if rest.starts_with('.') && rest.len() != text.len() {
        return None;
    }
    let value = if rest.contains(':') {
        base_sixty_with_fraction(rest)?
    } else {
        with_fraction(rest)?
    };
    Some(Resolved::Float(sign * value))
}

/// `1.5`, `1.`, `.5`, `1_000.5`, `1.0e+3`: the dot and the sign of the exponent must be there.
fn with_fraction(text: &str) -> Option<f64> {
    let (whole, behind) = text.split_once('.')?;
    let (fraction, exponent) = match behind.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (behind, None),
    };
    let digits_or_underscores = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '_');
    let starts_with_digit = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let well_formed = digits_or_underscores(whole)
        && digits_or_underscores(fraction)
        && (starts_with_digit(whole) || (whole.is_empty() && starts_with_digit(fraction)))
        && exponent.is_none_or(is_signed_exponent);
    well_formed
        .then(|| without_underscores(text).parse().ok())
        .flatten()
}

fn is_signed_exponent(text: &str) -> bool {
    text.strip_prefix(['+', '-'])
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// `1:30.5` is 90.5.
fn base_sixty_with_fraction(text: &str) -> Option<f64> {
    let (front, fraction) = text.split_once('.')?;
    let (first, rest) = front.split_once(':')?;
    if !fraction.chars().all(|c| c.is_ascii_digit() || c == '_') {
        return None;
    }
    let mut parts = vec![decimal_digits(first)?];
    for part in rest.split(':') {
        parts.push(sixtieth(part)?);
    }
    let last = front.rsplit(':').next()?;
    *parts.last_mut()? = without_underscores(&format!("{last}.{fraction}"))
        .parse()
        .ok()?;
    // Summed from the last part on, as PyYAML does.
    let mut base = 1.0;
    Some(parts.iter().rev().fold(0.0, |value, part| {
        let sum = value + part * base;
        base *= 60.0;
        sum
    }))
}

/// A number as Python's `float()` reads a text, which is how mergekit turns texts into numbers: `1e-5`, ` 2 `, `1_000`, `inf`.
pub(crate) fn python_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let between_digits = |at: usize| {
        let bytes = text.as_bytes();
        at > 0
            && bytes[at - 1].is_ascii_digit()
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    if text.match_indices('_').any(|(at, _)| !between_digits(at)) {
        return None;
    }
    without_underscores(text).parse().ok()
}

fn split_sign(text: &str) -> (f64, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        _ => (1.0, text),
    }
}

fn without_underscores(text: &str) -> String {
    text.chars().filter(|c| *c != '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_number_may_be_a_text() {
        for text in [
            "1e-5", "1.0e5", "-.5", "0o777", "08", "1,5", "0x", "_1", "1:60",
        ] {
            assert_eq!(Resolved::of_plain(text), Resolved::Text, "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_text_may_be_a_number() {
        for (text, value) in [("1:30", 90.0), ("0777", 511.0), ("1_000", 1000.0)] {
            assert_eq!(Resolved::of_plain(text), Resolved::Integer(value), "{text}");
        }
        assert_eq!(Resolved::of_plain("1:30.5"), Resolved::Float(90.5));
        assert_eq!(Resolved::of_plain("1.0e-5"), Resolved::Float(1e-5));
    }

    #[test]
    fn words_of_yaml_1_1_are_booleans() {
        assert_eq!(Resolved::of_plain("on"), Resolved::Bool(true));
        assert_eq!(Resolved::of_plain("No"), Resolved::Bool(false));
        assert_eq!(Resolved::of_plain("y"), Resolved::Text);
        assert_eq!(Resolved::of_plain("nO"), Resolved::Text);
    }

    #[test]
    fn texts_become_numbers_as_in_python() {
        assert_eq!(python_float(" 1e-5 "), Some(1e-5));
        assert_eq!(python_float("1_000"), Some(1000.0));
        assert_eq!(python_float("-.5"), Some(-0.5));
        for text in ["", "_1", "1__0", "1_", "0x10", "one"] {
            assert_eq!(python_float(text), None, "{text}");
        }
    }
}
