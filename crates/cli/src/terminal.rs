//! What the terminal can show.

use std::env::var_os;
use std::io::{IsTerminal as _, stdout};

use crate::env_vars;

/// Width of text that goes to no terminal.
const USUAL_WIDTH: usize = 100;

/// Characters in a line.
pub(crate) fn width() -> usize {
    if !stdout().is_terminal() {
        return USUAL_WIDTH;
    }
    terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| width.0.into())
}

/// Whether characters beyond ASCII can be shown: unless the locale says otherwise.
pub(crate) fn unicode() -> bool {
    let locale = env_vars::LOCALE
        .iter()
        .find_map(|name| var_os(name).filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| is_utf8(&locale.to_string_lossy()))
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_locale_has_ascii_alone() {
        assert!(is_utf8("de_DE.UTF-8") && is_utf8("C.utf8"));
        assert!(!is_utf8("C") && !is_utf8("de_DE.ISO-8859-1"));
    }
}
