//! Characters that look like those of YAML and are others.

use std::collections::BTreeMap;

use super::super::yaml::Places;
use super::{Line, lines};
use crate::{Diagnostic, Span};

/// What a character is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Invisible,
    Colon,
    Comma,
    Bracket,
    Quote,
    Dash,
}

fn kind(c: char) -> Option<Kind> {
    Some(match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Kind::Space,
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => Kind::Invisible,
        '：' | '﹕' | '∶' | '꞉' | '︓' => Kind::Colon,
        '，' | '、' | '﹐' => Kind::Comma,
        '［' | '］' | '｛' | '｝' | '【' | '】' => Kind::Bracket,
        '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‛' | '«' | '»' | '‹' | '›' | '＂' | '＇' => {
            Kind::Quote
        }
        '\u{2010}'..='\u{2015}' | '−' | '－' | '•' | '●' | '▪' | '‣' | '·' | '∙' | '◦' => {
            Kind::Dash
        }
        _ => return None,
    })
}

/// Its name in words, with its number.
fn name(c: char) -> String {
    let words = match c {
        '\u{a0}' => "no-break space",
        '\u{202f}' => "narrow no-break space",
        '\u{3000}' => "full-width space",
        '\u{200b}' => "zero-width space",
        '\u{200c}' => "zero-width non-joiner",
        '\u{200d}' => "zero-width joiner",
        '\u{2060}' => "word joiner",
        '\u{feff}' => "byte order mark",
        '\u{ad}' => "soft hyphen",
        '：' => "full-width colon",
        '，' => "full-width comma",
        '–' => "en dash",
        '—' => "em dash",
        '−' => "minus sign",
        '•' => "bullet",
        _ => match kind(c) {
            Some(Kind::Space) => "space of another width",
            Some(Kind::Invisible) | None => "invisible character",
            Some(Kind::Colon) => "look-alike of a colon",
            Some(Kind::Comma) => "look-alike of a comma",
            Some(Kind::Bracket) => "look-alike of a bracket",
            Some(Kind::Quote) => "typographic quote",
            Some(Kind::Dash) => "look-alike of a dash",
        },
    };
    format!("{words} (U+{:04X})", u32::from(c))
}

/// Whether a character takes no room.
pub(super) fn is_invisible(c: char) -> bool {
    kind(c) == Some(Kind::Invisible)
}

/// Where a look-alike keeps a text from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Indents,
    BeginsItem,
    Separates,
    EndsKey,
    Lists,
}

impl Role {
    fn message(self, name: &str) -> String {
        match self {
            Self::Indents => format!("{name} in the indentation"),
            Self::BeginsItem => format!("{name} in place of the `-` of a list"),
            Self::Separates => format!("{name} in place of the space after a `-` or `:`"),
            Self::EndsKey => format!("{name} in place of the `:` after a key"),
            Self::Lists => format!("{name} in a list"),
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Indents => {
                "use ordinary spaces for indentation: replace it, or copy the recipe again from the page's raw text"
            }
            Self::BeginsItem => "type an ordinary `-` and a space",
            Self::Separates => "type an ordinary space",
            Self::EndsKey => "type an ordinary `:` and a space",
            Self::Lists => "type ordinary `,`, `[` and `]`",
        }
    }
}

/// Look-alikes where YAML's own characters would have a meaning: one diagnostic for each kind, at its first place.
pub(super) fn in_structure(places: &Places<'_>) -> Vec<Diagnostic> {
    let mut found: BTreeMap<(Role, char), (usize, usize)> = BTreeMap::new();
    for line in lines(places) {
        for (role, at, c) in of_line(line) {
            let (_, count) = found.entry((role, c)).or_insert((line.start + at, 0));
            *count += 1;
        }
    }
    let diagnostics = found.into_iter().map(|((role, c), (start, count))| {
        let more = match count - 1 {
            0 => String::new(),
            1 => ", here and in 1 more line".to_owned(),
            more => format!(", here and in {more} more lines"),
        };
        let message = format!("{}{more}", role.message(&name(c)));
        Diagnostic::error(message, places.bytes(start, start + c.len_utf8())).hint(role.hint())
    });
    diagnostics.collect()
}

/// The first look-alike of each role in a line.
fn of_line(line: Line<'_>) -> Vec<(Role, usize, char)> {
    let mut found = Vec::new();
    let indent = line.indent();
    let in_indent = line.text[..indent]
        .char_indices()
        .find(|(_, c)| kind(*c).is_some());
    found.extend(in_indent.map(|(at, c)| (Role::Indents, at, c)));
    let content = line.content();
    let mut rest = content;
    let mut chars = content.chars();
    if let (Some(first), Some(second)) = (chars.next(), chars.next()) {
        let at = |rest: &str| line.text.len() - rest.len();
        let is_space = |c: char| c == ' ' || kind(c) == Some(Kind::Space);
        if kind(first) == Some(Kind::Dash) && is_space(second) {
            found.push((Role::BeginsItem, indent, first));
            rest = chars.as_str();
        } else if first == '-' && is_space(second) {
            rest = chars.as_str();
            if second != ' ' {
                found.push((Role::Separates, indent + 1, second));
            }
        }
        rest = rest.trim_start();
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let behind = &rest[word.unwrap_or(rest.len())..];
        let mut next = behind.chars();
        if word.is_some_and(|length| length > 0)
            && let Some(mark) = next.next()
        {
            if kind(mark) == Some(Kind::Colon) {
                found.push((Role::EndsKey, at(behind), mark));
            } else if mark == ':'
                && let Some(c) = next.next()
                && kind(c) == Some(Kind::Space)
            {
                found.push((Role::Separates, at(behind) + 1, c));
            }
        }
    }
    if content.contains(['[', '{', '［', '｛', '【']) {
        let is_mark = |c: char| matches!(kind(c), Some(Kind::Comma | Kind::Bracket));
        let mark = line.text.char_indices().find(|(_, c)| is_mark(*c));
        found.extend(mark.map(|(at, c)| (Role::Lists, at, c)));
    }
    found
}

/// What is odd about a text without quotes: characters that nobody sees, and quotes that YAML does not know.
pub(in super::super) fn in_plain_text(text: &str, span: Span) -> Option<Diagnostic> {
    if text.is_ascii() {
        return None;
    }
    let is_quoted = |c: Option<char>| c.filter(|c| kind(*c) == Some(Kind::Quote));
    if let Some(quote) = is_quoted(text.chars().next()).or(is_quoted(text.chars().next_back())) {
        let message = format!("{} is part of the string", name(quote));
        return Some(Diagnostic::warning(message, span).hint(
            "only straight quotes, `\"` and `'`, quote a string: replace it, or put the string in straight quotes if it belongs there",
        ));
    }
    if let Some(bracket) = text
        .chars()
        .next()
        .filter(|c| kind(*c) == Some(Kind::Bracket))
    {
        let message = format!("{} makes this a string, not a list", name(bracket));
        return Some(Diagnostic::warning(message, span).hint(Role::Lists.hint()));
    }
    let mut chars = text.chars();
    if let (Some(dash), Some('0'..='9' | '.')) = (chars.next(), chars.next())
        && kind(dash) == Some(Kind::Dash)
    {
        let message = format!("{} makes this a string, not a number", name(dash));
        return Some(Diagnostic::warning(message, span).hint("type an ordinary `-`"));
    }
    let unseen = |c: &char| matches!(kind(*c), Some(Kind::Space | Kind::Invisible));
    let found = text.chars().find(unseen)?;
    let place = if text.starts_with(found) {
        "at the start of"
    } else if text.ends_with(found) {
        "at the end of"
    } else {
        "in"
    };
    let message = format!("{} {place} the text", name(found));
    Some(
        Diagnostic::warning(message, span)
            .hint("delete it, or put the string in quotes if it belongs there"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(Role, usize, char)> {
        of_line(Line { start: 0, text })
    }

    #[test]
    fn look_alikes_count_where_yaml_s_characters_would() {
        assert_eq!(of("\u{a0} - model: a"), [(Role::Indents, 0, '\u{a0}')]);
        assert_eq!(of("  • model: a"), [(Role::BeginsItem, 2, '•')]);
        assert_eq!(of("-\u{a0}model: a"), [(Role::Separates, 1, '\u{a0}')]);
        assert_eq!(of("  - model： a"), [(Role::EndsKey, 9, '：')]);
        assert_eq!(of("t:\u{a0}1"), [(Role::Separates, 2, '\u{a0}')]);
        assert_eq!(of("layer_range: [0， 8]"), [(Role::Lists, 15, '，')]);
    }

    #[test]
    fn ordinary_lines_have_none() {
        for line in [
            "- model: a",
            "merge_method: slerp",
            "name: 模型：一",
            "é: 1",
            "",
            "-",
            "- ",
        ] {
            assert_eq!(of(line), [], "{line}");
        }
    }
}
