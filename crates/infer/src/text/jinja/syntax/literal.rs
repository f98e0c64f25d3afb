//! Texts and numbers as a source writes them.

use crate::text::jinja::problem::{Result, fail};

/// What a text between quotes means: Python's escapes.
pub(super) fn unescape(source: &str) -> Result<String> {
    let mut out = String::with_capacity(source.len());
    let mut letters = source.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        let Some(escaped) = letters.next() else {
            fail!("a text ends with `\\`");
        };
        match escaped {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(escaped),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            'x' => out.push(code(&mut letters, 2)?),
            'u' => out.push(code(&mut letters, 4)?),
            'U' => out.push(code(&mut letters, 8)?),
            'N' => fail!(
                "`\\N{{…}}`, a letter by its name, is not supported; write `\\u` and its number"
            ),
            '0'..='7' => {
                let rest = letters.as_str();
                let more = rest
                    .bytes()
                    .take(2)
                    .take_while(|byte| (b'0'..=b'7').contains(byte))
                    .count();
                let number = format!("{escaped}{}", &rest[..more]);
                letters = rest[more..].chars();
                let number = u32::from_str_radix(&number, 8).unwrap_or_default();
                out.push(char::from_u32(number).unwrap_or_default());
            }
            other => out.extend(['\\', other]),
        }
    }
    Ok(out)
}

fn code(letters: &mut std::str::Chars<'_>, digits: usize) -> Result<char> {
    let rest = letters.as_str();
    let found = rest
        .get(..digits)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let letter = found
        .and_then(|text| u32::from_str_radix(text, 16).ok())
        .and_then(char::from_u32);
    let Some(letter) = letter else {
        fail!("an escape in a text that is no letter; expected {digits} hexadecimal digits");
    };
    *letters = rest[digits..].chars();
    Ok(letter)
}

/// How long the float at the beginning of a source is, if there is one.
pub(super) fn float_length(source: &str) -> Option<usize> {
    let whole = digits(source)?;
    let fraction = source[whole..]
        .strip_prefix('.')
        .and_then(digits)
        .map_or(0, |length| length + 1);
    let power = source[whole + fraction..]
        .strip_prefix(['e', 'E'])
        .and_then(|rest| {
            let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            digits(unsigned).map(|length| 1 + rest.len() - unsigned.len() + length)
        });
    (fraction > 0 || power.is_some()).then_some(whole + fraction + power.unwrap_or(0))
}

/// The length of digits with single underscores between them.
fn digits(source: &str) -> Option<usize> {
    let length = length_of(source, u8::is_ascii_digit, false);
    (length > 0).then_some(length)
}

fn length_of(source: &str, is_digit: impl Fn(&u8) -> bool, underscore_first: bool) -> usize {
    let bytes = source.as_bytes();
    let mut length = 0;
    loop {
        let underscore = bytes.get(length) == Some(&b'_') && (length > 0 || underscore_first);
        let at = length + usize::from(underscore);
        if !bytes.get(at).is_some_and(&is_digit) {
            return length;
        }
        length = at + 1;
    }
}

/// The whole number at the beginning of a source, and its length.
pub(super) fn integer(source: &str) -> Result<Option<(i128, usize)>> {
    let lower: String = source
        .chars()
        .take(2)
        .collect::<String>()
        .to_ascii_lowercase();
    let (radix, prefix, length) = match lower.as_str() {
        "0b" => (
            2,
            2,
            length_of(&source[2..], |byte| matches!(byte, b'0' | b'1'), true),
        ),
        "0o" => (
            8,
            2,
            length_of(&source[2..], |byte| (b'0'..=b'7').contains(byte), true),
        ),
        "0x" => (16, 2, length_of(&source[2..], u8::is_ascii_hexdigit, true)),
        _ => (10, 0, 0),
    };
    let (radix, prefix, length) = if length > 0 {
        (radix, prefix, length)
    } else if source.starts_with('0') {
        (10, 0, length_of(source, |byte| *byte == b'0', false))
    } else {
        (10, 0, digits(source).unwrap_or(0))
    };
    if length == 0 {
        return Ok(None);
    }
    let digits = source[prefix..prefix + length].replace('_', "");
    match i128::from_str_radix(&digits, radix) {
        Ok(number) => Ok(Some((number, prefix + length))),
        Err(_) => fail!("a whole number of more than 128 bits"),
    }
}
