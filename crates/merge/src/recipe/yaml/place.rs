//! From the parser's places to ours.

use crate::Span;

/// The byte order mark, which may stand before the text.
pub(super) const BOM: char = '\u{feff}';

/// Translates character indices to lines, columns and byte offsets.
pub(crate) struct Places<'t> {
    text: &'t str,
    /// Bytes of the byte order mark, which the parser did not see.
    skipped: usize,
    /// Byte offset of every character, or none when every character is one byte.
    offsets: Option<Vec<usize>>,
    /// Byte offset of the first character of every line.
    lines: Vec<usize>,
}

impl<'t> Places<'t> {
    /// For a text with or without a byte order mark.
    pub(crate) fn new(full: &'t str) -> Self {
        let text = full.strip_prefix(BOM).unwrap_or(full);
        Self {
            text,
            skipped: full.len() - text.len(),
            offsets: (!text.is_ascii())
                .then(|| text.char_indices().map(|(offset, _)| offset).collect()),
            lines: line_starts(text),
        }
    }

    /// The text without its byte order mark.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The place of a parser's span; white space and line ends at its end are left out.
    pub(super) fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.offset(span.start.index());
        let end = self.offset(span.end.index()).max(start);
        let end = start + self.text[start..end].trim_end().len();
        self.between(start, end)
    }

    /// The place of a single character.
    pub(super) fn point(&self, marker: saphyr_parser::Marker) -> Span {
        let start = self.offset(marker.index());
        let next = self.text[start..].chars().next();
        let end = start + next.filter(|c| !is_break(*c)).map_or(0, char::len_utf8);
        self.between(start, end)
    }

    /// What stands at a place.
    pub(super) fn source(&self, span: Span) -> &'t str {
        &self.text[span.start - self.skipped..span.end - self.skipped]
    }

    /// The text from the start of a place on.
    pub(super) fn from(&self, span: Span) -> &'t str {
        &self.text[span.start - self.skipped..]
    }

    /// The lines without their ends, each with the byte offset of its first character in [`Self::text`].
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &'t str)> {
        self.lines.iter().enumerate().map(|(index, start)| {
            let end = self.lines.get(index + 1).copied();
            let line = &self.text[*start..end.unwrap_or(self.text.len())];
            (*start, line.trim_end_matches(is_break))
        })
    }

    /// The place between two byte offsets in [`Self::text`].
    pub(crate) fn bytes(&self, start: usize, end: usize) -> Span {
        self.between(start, end)
    }

    fn between(&self, mut start: usize, end: usize) -> Span {
        // The parser sometimes points between the two characters of a line end.
        if self.text[..start].ends_with('\r') && self.text[start..].starts_with('\n') {
            start -= 1;
        }
        let line = self.lines.partition_point(|first| *first <= start).max(1);
        let first = self.lines.get(line - 1).copied().unwrap_or(0);
        Span {
            line,
            column: self.index(start) - self.index(first) + 1,
            start: start + self.skipped,
            end: end + self.skipped,
        }
    }

    /// The index of the character at a byte offset.
    fn index(&self, offset: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.partition_point(|start| *start < offset),
            None => offset,
        }
    }

    /// The byte offset of the character at an index.
    fn offset(&self, index: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(index).copied().unwrap_or(self.text.len()),
            None => index.min(self.text.len()),
        }
    }
}

/// YAML's line ends.
fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Lines end in `\n`, `\r\n` or a lone `\r`.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let behind_break = bytes.iter().enumerate().filter_map(|(at, byte)| {
        let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        ends.then_some(at + 1)
    });
    std::iter::once(0).chain(behind_break).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use saphyr_parser::Marker;

    fn point(text: &str, index: usize) -> Span {
        Places::new(text).point(Marker::new(index, 0, 0))
    }

    #[test]
    fn columns_are_characters_and_offsets_are_bytes() {
        let span = point("ä: ö\nü: x", 8);
        assert_eq!((span.line, span.column), (2, 4));
        assert_eq!((span.start, span.end), (11, 12));
    }

    #[test]
    fn a_byte_order_mark_moves_offsets_but_not_columns() {
        let span = point("\u{feff}ab", 1);
        assert_eq!((span.line, span.column), (1, 2));
        assert_eq!((span.start, span.end), (4, 5));
    }

    #[test]
    fn all_line_ends_count_once() {
        assert_eq!(point("a\r\nb\rc\nd", 3).line, 2);
        assert_eq!(point("a\r\nb\rc\nd", 5).line, 3);
        assert_eq!(point("a\r\nb\rc\nd", 7).line, 4);
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        let span = point("ab", 99);
        assert_eq!((span.line, span.column, span.start, span.end), (1, 3, 2, 2));
    }
}
