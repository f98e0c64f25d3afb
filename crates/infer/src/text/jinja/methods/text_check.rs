//! What kind of text it is.

use crate::text::jinja::value::text::{is_printable, is_space};

/// `islower` and `isupper`: there are cased letters, and all have this case.
pub(in crate::text::jinja) fn is_cased(text: &str, upper: bool) -> bool {
    let mut found = false;
    for letter in text.chars() {
        if letter.is_lowercase() && upper || (letter.is_uppercase() || is_title(letter)) && !upper {
            return false;
        }
        found |= letter.is_lowercase() || letter.is_uppercase();
    }
    found
}

/// Digraphs that are written as a capital with a small letter.
fn is_title(letter: char) -> bool {
    matches!(letter, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

/// The answer of an `is…` method.
pub(super) fn answer(text: &str, name: &str) -> bool {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    match name {
        "isalnum" => all(|letter| letter.is_alphabetic() || letter.is_numeric()),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => text.is_ascii(),
        "isdecimal" => all(is_decimal),
        "isdigit" => all(|letter| is_decimal(letter) || is_digit(letter)),
        "isidentifier" => {
            let mut letters = text.chars();
            letters
                .next()
                .is_some_and(|first| first.is_alphabetic() || first == '_')
                && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        }
        "islower" => is_cased(text, false),
        "isupper" => is_cased(text, true),
        "isnumeric" => all(char::is_numeric),
        "isprintable" => text.chars().all(is_printable),
        "isspace" => all(is_space),
        _ => is_titled(text),
    }
}

/// Decimal digits of any script: those are in runs of ten, and Rust knows only that they are numbers.
fn is_decimal(letter: char) -> bool {
    letter.is_numeric() && !is_digit(letter) && !is_other_number(letter)
}

/// Superscripts, subscripts and circled digits: digits, but no decimals.
fn is_digit(letter: char) -> bool {
    matches!(letter, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉' | '①'..='⑨' | '⑴'..='⑼' | '⒈'..='⒐' | '⓪' | '❶'..='❾')
}

/// Fractions, Roman numerals and the like.
fn is_other_number(letter: char) -> bool {
    matches!(letter, '¼'..='¾' | '⅐'..='↉' | '⑩'..='⓿' | '❿'..='➓' | '〇' | '〡'..='〩' | '㈠'..='㉟' | '㊀'..='㊿' | '一'..='龥')
}

fn is_titled(text: &str) -> bool {
    let (mut found, mut inside) = (false, false);
    for letter in text.chars() {
        let (upper, lower) = (
            letter.is_uppercase() || is_title(letter),
            letter.is_lowercase(),
        );
        if upper && inside || lower && !inside {
            return false;
        }
        inside = upper || lower;
        found |= inside;
    }
    found
}
