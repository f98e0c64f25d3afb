//! JSON as the tools of models write it: with `NaN` and `Infinity`, as Python does, or with a byte order mark.
//!
//! Every file that comes with a model is read here, but for the headers of safetensors, whose format is strict. Of two equal
//! keys the last one counts, nesting deeper than 128 is refused, and numbers that JSON proper does not know are `null`.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Error as _};

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

/// The text with `null` for numbers that JSON does not know.
pub fn plain(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut at, mut done) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at),
            b'N' | b'I' | b'-' => {
                let rest = &bytes[at..];
                let word = WORDS.iter().find(|word| rest.starts_with(word));
                let word = word.filter(|word| {
                    let next = rest.get(word.len());
                    !next.is_some_and(u8::is_ascii_alphanumeric)
                });
                let Some(word) = word else {
                    at += 1;
                    continue;
                };
                out.push_str(&text[done..at]);
                out.push_str("null");
                // what follows keeps its column where there is room
                out.extend(std::iter::repeat_n(' ', word.len().saturating_sub(4)));
                at += word.len();
                done = at;
            }
            _ => at += 1,
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// Where the text that begins at a quotation mark is over.
fn string_end(bytes: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
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
        let found = problem("{\"a\": Infinity, \"b\" 5}");
        assert!(found.ends_with("at line 1 column 21"), "{found}");
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
        fn json_is_read_as_ever(text in r#"[\[\]{}",:\\ a0-9NIfnity.-]{0,30}"#) {
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
