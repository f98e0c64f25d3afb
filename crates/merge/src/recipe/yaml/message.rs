//! The parser's errors in words that help.

use saphyr_parser::ScanError;

use super::place::Places;
use crate::Diagnostic;

/// Parts of the parser's messages, what to say instead, and what to do.
const EXPLANATIONS: [(&str, &str, Option<&str>); 0] = [];

/// A diagnostic for text that is not YAML.
pub(super) fn syntax_error(error: &ScanError, places: &Places<'_>) -> Diagnostic {
    let span = places.point(*error.marker());
    let info = error.info();
    for (part, message, hint) in EXPLANATIONS {
        if info.contains(part) {
            let diagnostic = Diagnostic::error(format!("invalid YAML: {message}"), span);
            return match hint {
                Some(hint) => diagnostic.hint(hint),
                None => diagnostic,
            };
        }
    }
    Diagnostic::error(format!("invalid YAML: {info}"), span)
}
