//! Text from files, made safe for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every character that a terminal would obey, or that changes the direction of reading, written as an escape.
///
/// Tensor names and paths come from files that anybody may have made.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_unsafe(character) {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// The same for text of several lines, whose line ends are its own.
pub(crate) fn safe_lines(text: &str) -> String {
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// Text that a model made, for a terminal: what a terminal would obey is an escape, but tabs and what joins letters stay.
pub(crate) fn speakable(text: &str) -> Cow<'_, str> {
    let obeyed = |character: char| {
        (character.is_control() && !matches!(character, '\n' | '\t'))
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if obeyed(character) {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_loses_its_power() {
        assert_eq!(safe("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\\u{a}");
    }

    #[test]
    fn text_that_reverses_reading_is_shown() {
        assert_eq!(safe("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn ordinary_text_is_borrowed() {
        assert!(matches!(safe("Größe 模型 é"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_a_model_says_keeps_its_lines_and_its_emoji() {
        let text = "a\n\tb \u{1f468}\u{200d}\u{1f469}";
        assert_eq!(speakable(text), text);
        assert_eq!(speakable("\u{1b}[2J\u{202e}"), "\\u{1b}[2J\\u{202e}");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(safe_lines("a\n\u{7}b"), "a\n\\u{7}b");
    }
}
