//! The parser's errors in words that help.

use saphyr_parser::ScanError;

use super::place::Places;
use crate::Diagnostic;

/// What to say instead of one of the parser's messages.
struct Explanation {
    /// A part of the parser's message. The first explanation that fits is taken.
    part: &'static str,
    /// What is wrong; `{}` stands for the text at the place, up to the next white space or bracket.
    message: &'static str,
    /// What to do.
    hint: &'static str,
}

const EXPLANATIONS: [Explanation; 21] = [
    Explanation {
        part: "unprintable",
        message: "a control character is not allowed here",
        hint: "the file may not be a text file in UTF-8",
    },
    Explanation {
        part: "tab",
        message: "tabs are not allowed in indentation",
        hint: "indent with spaces",
    },
    Explanation {
        part: "mapping values are not allowed",
        message: "a key is not allowed here",
        hint: "check the indentation and the space after the `:` in the lines before; quote a string that contains `: `",
    },
    Explanation {
        part: "illegal placement of ':'",
        message: "a key is not allowed here",
        hint: "a `[` or `{` before it may not be closed",
    },
    Explanation {
        part: "unexpected character",
        message: "a value cannot start with the first character of `{}`",
        hint: "put the value in quotes",
    },
    Explanation {
        part: "unknown anchor",
        message: "alias `{}` has no anchor before it",
        hint: "an anchor is written `&name` before its value; quote a string that starts with `*`",
    },
    Explanation {
        part: "unexpected end of stream",
        message: "this quote is not closed",
        hint: "close it; inside single quotes, write a single quote twice",
    },
    Explanation {
        part: "unknown escape character",
        message: "a `\\` in this string starts an unknown escape",
        hint: "use single quotes, where `\\` is literal",
    },
    Explanation {
        part: "invalid trailing content",
        message: "`{}` follows a closing quote",
        hint: "quote the whole value; inside single quotes, write a single quote twice",
    },
    Explanation {
        part: "misplaced bracket",
        message: "`{}` has no opening bracket",
        hint: "remove it, or add the opening bracket",
    },
    Explanation {
        part: "did not find expected ',' or '}'",
        message: "a `{` before this place is not closed, or a `,` is missing",
        hint: "write `{key: value, key: value}`",
    },
    Explanation {
        part: "expected ',' or ']'",
        message: "a `[` before this place is not closed, or a `,` is missing",
        hint: "write `[value, value]`",
    },
    Explanation {
        part: "did not find expected '-' indicator",
        message: "found `{}` where the next `-` of a list was expected",
        hint: "the entries of a list start in the same column, and so do the keys of a mapping",
    },
    Explanation {
        part: "did not find expected key",
        message: "found `{}` where the next key of a mapping was expected",
        hint: "the keys of a mapping start in the same column",
    },
    Explanation {
        part: "did not find expected <document start>",
        message: "`{}` is neither part of the document before it nor the start of a new one",
        hint: "the keys of a mapping start in the same column; documents are separated by `---`",
    },
    Explanation {
        part: "block sequence entries are not allowed",
        message: "a list cannot start here",
        hint: "start it on the line after the key",
    },
    Explanation {
        part: "comment intercepting",
        message: "a comment interrupts a string that continues on the next line",
        hint: "check the indentation of the next line",
    },
    Explanation {
        part: "did not find expected node content",
        message: "a value was expected here",
        hint: "a `[` or `{` before it may not be closed",
    },
    Explanation {
        part: "simple key expect",
        message: "a `:` is missing after a key",
        hint: "write `key: value`",
    },
    Explanation {
        part: "alphabetic or numeric character",
        message: "a name is missing after `{}`",
        hint: "quote a string that starts with `*` or `&`",
    },
    Explanation {
        part: "recursion limit",
        message: "the brackets are nested deeper than 255 levels",
        hint: "no recipe needs more than ten",
    },
];

/// A diagnostic for text that is not YAML.
pub(super) fn syntax_error(error: &ScanError, places: &Places<'_>) -> Diagnostic {
    let span = places.point(*error.marker());
    let info = error.info();
    let explanation = EXPLANATIONS
        .iter()
        .find(|explanation| info.contains(explanation.part));
    match explanation {
        Some(Explanation { message, hint, .. }) => {
            let message = message.replace("{}", word(places.from(span)));
            Diagnostic::error(format!("invalid YAML: {message}"), span).hint(*hint)
        }
        None => Diagnostic::error(format!("invalid YAML: {info}"), span),
    }
}

/// The text up to the first white space or bracket, at least one character and not very long.
fn word(text: &str) -> &str {
    const LONGEST: usize = 40;
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
    let end = text
        .char_indices()
        .skip(1)
        .find(|(at, c)| ends(*c) || *at >= LONGEST)
        .map_or(text.len(), |(at, _)| at);
    text[..end].trim_end()
}
