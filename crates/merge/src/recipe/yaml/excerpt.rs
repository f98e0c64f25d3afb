//! Parts of a recipe's text in messages.

/// The first line of a text, cut where it is long.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().nth(LONGEST).map(|(at, _)| at);
    match end {
        None if line.len() == text.len() => line.to_owned(),
        None => format!("{line}…"),
        Some(end) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_and_further_lines_are_cut() {
        assert_eq!(excerpt("a b"), "a b");
        assert_eq!(excerpt("a\nb"), "a…");
        assert_eq!(excerpt(&"ü".repeat(61)), format!("{}…", "ü".repeat(60)));
    }
}
