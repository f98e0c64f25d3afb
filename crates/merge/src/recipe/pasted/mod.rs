//! What copying from a web page or a chat does to a recipe: look-alikes of its characters, lost indentation, a code fence.

mod layout;
mod look_alike;

use crate::Diagnostic;

use super::yaml::{MAX_RECIPE_BYTES, Places};
pub(super) use look_alike::in_plain_text;

/// The damage that explains why a text with errors cannot be read.
///
/// `is_yaml` says whether it is YAML nevertheless. Only texts with errors are looked at: what stands in a comment, in quotes or in a chat template may well be meant.
pub(super) fn damage(text: &str, is_yaml: bool) -> Vec<Diagnostic> {
    if text.len() > MAX_RECIPE_BYTES {
        return Vec::new();
    }
    let places = Places::new(text);
    let mut found: Vec<Diagnostic> = layout::fence(&places).into_iter().collect();
    found.extend(look_alike::in_structure(&places));
    if found.is_empty() {
        found.extend(layout::indentation(&places, is_yaml));
    }
    found
}

/// A line of a recipe that is no comment and no part of a text over several lines.
#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    /// Byte offset of its first character.
    start: usize,
    /// Without its end.
    text: &'t str,
}

impl<'t> Line<'t> {
    /// Bytes of white space at its start, of any kind.
    fn indent(self) -> usize {
        let is_blank = |c: char| c.is_whitespace() || look_alike::is_invisible(c);
        self.text.len() - self.text.trim_start_matches(is_blank).len()
    }

    /// What follows the indentation.
    fn content(self) -> &'t str {
        &self.text[self.indent()..]
    }

    /// The key at its start, behind the dashes of a list, with its byte offset in the line.
    fn key(self) -> Option<(usize, &'t str)> {
        let mut at = self.indent();
        while let Some(rest) = self.text[at..].strip_prefix("- ") {
            at = self.text.len() - rest.trim_start().len();
        }
        let rest = &self.text[at..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let is_key = length > 0 && rest[length..].trim_start().starts_with(':');
        is_key.then_some((at, &rest[..length]))
    }
}

/// The lines that have a structure.
fn lines<'t>(places: &Places<'t>) -> Vec<Line<'t>> {
    let mut lines = Vec::new();
    // the indentation of the key whose text goes on in the lines below it
    let mut text_of: Option<usize> = None;
    for (start, text) in places.lines() {
        let line = Line { start, text };
        let content = line.content();
        if content.is_empty() {
            continue;
        }
        if text_of.is_some_and(|key| line.indent() > key) {
            continue;
        }
        text_of = opens_text(content).then(|| line.indent());
        if !content.starts_with('#') {
            lines.push(line);
        }
    }
    lines
}

/// Whether a line ends in `|` or `>`, with or without its modifiers.
fn opens_text(content: &str) -> bool {
    let is_mark = |word: &str| {
        let rest = word.strip_prefix(['|', '>']);
        rest.is_some_and(|rest| rest.len() <= 2 && rest.chars().all(|c| "+-123456789".contains(c)))
    };
    content.contains(':') && content.rsplit(' ').next().is_some_and(is_mark)
}
