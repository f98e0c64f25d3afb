//! JSON as the tools of models write it: with `NaN`, `Infinity` and halves of surrogate pairs, as Python does, or with a
//! byte order mark.
//!
//! Every file that comes with a model is read here, but for the headers of safetensors, whose format is strict. Of two equal
//! keys the last one counts, nesting deeper than 128 is refused, numbers that JSON proper does not know or that are too
//! large for it are `null`, and half a surrogate pair is U+FFFD.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Error as _, IgnoredAny};

/// What some editors put before a text.
const MARK: &str = "\u{feff}";

/// Numbers of Python that are none in JSON.
const WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];

/// Reads a value.
///
/// # Errors
/// When the bytes are not UTF-8, not JSON, or another value; with line and column.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let text = text(bytes)?;
    serde_json::from_str(text).or_else(|problem| match plain(text) {
        Cow::Borrowed(_) => Err(problem),
        Cow::Owned(plain) => serde_json::from_str(&plain),
    })
}

/// The text of a file, without a byte order mark.
///
/// # Errors
/// When it is not UTF-8.
pub fn text(bytes: &[u8]) -> serde_json::Result<&str> {
    let text = std::str::from_utf8(bytes).map_err(|problem| {
        serde_json::Error::custom(match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "UTF-16; expected UTF-8".to_owned(),
            _ => {
                let place = problem.valid_up_to();
                let line = bytes[..place].split(|&byte| byte == b'\n').count();
                format!("not UTF-8 at byte {place}, in line {line}")
            }
        })
    })?;
    Ok(text.strip_prefix(MARK).unwrap_or(text))
}

/// The text with `null` for numbers that JSON does not know or that are too large, and U+FFFD for halves of surrogate pairs.
pub fn plain(text: &str) -> Cow<'_, str> {
    let mut plain = Plain {
        text,
        out: String::new(),
        done: 0,
    };
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        at = match byte {
            b'"' => plain.string(at),
            b'N' | b'I' | b'-' | b'0'..=b'9' => plain.number(at),
            _ => at + 1,
        };
    }
    plain.finish()
}

/// A text in which some parts are replaced.
struct Plain<'t> {
    text: &'t str,
    out: String,
    /// How much of the text is in `out`.
    done: usize,
}

impl<'t> Plain<'t> {
    fn replace(&mut self, begin: usize, end: usize, by: &str) {
        self.out.push_str(&self.text[self.done..begin]);
        self.out.push_str(by);
        // what follows keeps its column where there is room
        let room = (end - begin).saturating_sub(by.len());
        self.out.extend(std::iter::repeat_n(' ', room));
        self.done = end;
    }

    /// Goes over what begins like a number.
    fn number(&mut self, begin: usize) -> usize {
        let rest = &self.text.as_bytes()[begin..];
        let word = WORDS.iter().find(|word| {
            let next = rest.get(word.len());
            rest.starts_with(word) && !next.is_some_and(u8::is_ascii_alphanumeric)
        });
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = match word {
            Some(word) => word.len(),
            None => rest.iter().take_while(|byte| is_digit(byte)).count(),
        };
        let end = begin + length.max(1);
        if word.is_some() || is_too_large(&self.text[begin..end]) {
            self.replace(begin, end, "null");
        }
        end
    }

    /// Goes over the text that begins at a quotation mark.
    fn string(&mut self, begin: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = begin + 1;
        while let Some(&byte) = bytes.get(at) {
            match (byte, surrogate(bytes, at)) {
                (b'"', _) => return at + 1,
                (b'\\', Some(Half::First))
                    if matches!(surrogate(bytes, at + 6), Some(Half::Second)) =>
                {
                    at += 12;
                }
                (b'\\', Some(_)) => {
                    self.replace(at, at + 6, "\\ufffd");
                    at += 6;
                }
                (b'\\', None) => at += 2,
                _ => at += 1,
            }
        }
        bytes.len()
    }

    fn finish(mut self) -> Cow<'t, str> {
        if self.done == 0 {
            return Cow::Borrowed(self.text);
        }
        self.out.push_str(&self.text[self.done..]);
        Cow::Owned(self.out)
    }
}

/// A half of a surrogate pair.
enum Half {
    First,
    Second,
}

/// The half of a surrogate pair that is written at a place, as `\ud83e`.
fn surrogate(bytes: &[u8], at: usize) -> Option<Half> {
    let escape = bytes.get(at..at + 6)?;
    let [b'\\', b'u', b'd' | b'D', second, others @ ..] = escape else {
        return None;
    };
    if !others.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    match second {
        b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Half::First),
        b'c'..=b'f' | b'C'..=b'F' => Some(Half::Second),
        _ => None,
    }
}

/// Whether this is a number of JSON beyond the range of `f64`.
fn is_too_large(number: &str) -> bool {
    // 1e309 is the shortest, and without an exponent it takes as many digits
    let may_be = number.len() > 308 || number.contains(['e', 'E']);
    may_be
        && serde_json::from_str::<f64>(number).is_err()
        && serde_json::from_str::<IgnoredAny>(number).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value(text: &str) -> Value {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn numbers_of_python_are_null() {
        let text = r#"{"a": NaN, "b": [Infinity, -Infinity, -1.5, 1e-06], "NaN": "Infinity \" NaN", "c":NaN}"#;
        assert_eq!(
            value(text),
            json!({"a": null, "b": [null, null, -1.5, 1e-6], "NaN": "Infinity \" NaN", "c": null})
        );
        assert_eq!(value("NaN"), Value::Null);
        for wrong in ["NaNs", "[Inf]", "{\"a\": nan}", "[-NaN]", "[NaN", "\"NaN"] {
            assert!(read::<Value>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_that_are_too_large_are_null_as_infinity_is() {
        let digits = "9".repeat(400);
        let text = format!("[1e999, -1E+400, {digits}, -{digits}.5, 1e308, 1e-999, 1.5e3, 12]");
        assert_eq!(
            value(&text),
            json!([null, null, null, null, 1e308, 0.0, 1500.0, 12])
        );
        for wrong in ["[01e999]", "[1e999e]", "[1.e999]", "[1e999x]", "[+1e999]"] {
            assert!(read::<Value>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_a_replacement_character() {
        let text = r#"{"\ud83e": "a\uDC00b", "b": "\ud83e\udd17 \ud83e\ud83e\udd17\ud83e", "c": "\\ud83e"}"#;
        assert_eq!(
            value(text),
            json!({"\u{fffd}": "a\u{fffd}b", "b": "🤗 \u{fffd}🤗\u{fffd}", "c": "\\ud83e"})
        );
        for wrong in [r#""\ud8""#, r#""\ud83g""#, r#""\ud83e"#, r#""\ud83e\"#] {
            assert!(read::<Value>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(value("\u{feff}{\"a\": 1}"), json!({"a": 1}));
        assert_eq!(value("\u{feff}[Infinity]"), json!([null]));
    }

    #[test]
    fn of_equal_keys_the_last_counts() {
        assert_eq!(
            value(r#"{"a": 1, "b": 2, "a": 3}"#),
            json!({"a": 3, "b": 2})
        );
    }

    #[test]
    fn what_is_no_text_is_said_so() {
        let problem = |bytes: &[u8]| read::<Value>(bytes).unwrap_err().to_string();
        assert_eq!(
            problem(b"{\n\"a\": \"\xFF\"}"),
            "not UTF-8 at byte 8, in line 2"
        );
        assert_eq!(problem(b"\xFF\xFE{\0}\0"), "UTF-16; expected UTF-8");
    }

    #[test]
    fn places_of_errors_are_those_of_the_file() {
        let problem = |text: &str| read::<Value>(text.as_bytes()).unwrap_err().to_string();
        let found = problem("{\"a\": Infinity,\n \"b\" 5}");
        assert!(found.ends_with("at line 2 column 6"), "{found}");
        for number in ["Infinity", "123e4567"] {
            let found = problem(&format!("{{\"a\": {number}, \"b\" 5}}"));
            assert!(found.ends_with("at line 1 column 21"), "{found}");
        }
        let found = problem(r#"{"a": "\ud8000", "b" 5}"#);
        assert!(found.ends_with("at line 1 column 22"), "{found}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        for bracket in ["[", "{\"a\":"] {
            let deep = bracket.repeat(200_000) + "NaN";
            let problem = read::<Value>(deep.as_bytes()).unwrap_err();
            assert!(
                problem.to_string().starts_with("recursion limit exceeded"),
                "{problem}"
            );
        }
    }

    proptest! {
        #[test]
        fn json_is_read_as_ever(text in r#"([\[\]{}",:\\ a0-9NIfnity.e-]|\\u[dD][89c]00){0,30}"#) {
            let proper = serde_json::from_str::<Value>(&text);
            let ours = read::<Value>(text.as_bytes());
            if let Ok(proper) = proper {
                prop_assert_eq!(ours.unwrap(), proper);
            } else if plain(&text) == text {
                prop_assert!(ours.is_err());
            }
        }
    }
}
