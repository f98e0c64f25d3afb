//! Columns of text.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::printer::HEADING;
use crate::prose::wrapped;
use crate::terminal_text::safe;

/// What stands before each column.
const GAP: &str = "  ";

/// Text is not wrapped to columns narrower than this.
const LEAST_WRAPPED: usize = 24;

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table with a heading; every row has a cell for each column.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(Cow<'static, str>, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|&(title, align)| (title.into(), align))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a column at the right, before there are rows. Its heading may be text from anywhere, as a cell's.
    pub(crate) fn column(&mut self, title: &str, align: Align) {
        self.columns.push((safe(title).into_owned().into(), align));
    }

    /// Adds a row. Cells may hold text from files: nothing in them reaches the terminal as a command.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| safe(&cell).into_owned())
                .collect(),
        );
    }

    /// True without rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, each line indented by two blanks and ended.
    pub(crate) fn render(&self) -> String {
        self.render_within(usize::MAX)
    }

    /// The same in lines of `width` characters if possible: cells of the last column go on below.
    pub(crate) fn render_within(&self, width: usize) -> String {
        let widths = self.widths(width);
        let heading: Vec<&str> = self
            .columns
            .iter()
            .map(|(title, _)| title.as_ref())
            .collect();
        let heading = self.line(&heading, &widths);
        let mut text = format!("{HEADING}{heading}{HEADING:#}\n");
        for row in &self.rows {
            for line in self.lines(row, &widths) {
                let _ = writeln!(text, "{line}");
            }
        }
        text
    }

    /// Widths of the columns in lines of `width` characters.
    fn widths(&self, width: usize) -> Vec<usize> {
        let widest = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells
                .chain([self.columns[column].0.chars().count()])
                .max()
                .unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        if let [others @ .., last] = widths.as_mut_slice() {
            let before: usize = others.iter().map(|width| width + GAP.len()).sum();
            let left = width.saturating_sub(before + GAP.len());
            *last = (*last).min(left.max(LEAST_WRAPPED));
        }
        widths
    }

    /// A row, its last cell on as many lines as it needs.
    fn lines(&self, row: &[String], widths: &[usize]) -> Vec<String> {
        let (Some((last, others)), Some(width)) = (row.split_last(), widths.last()) else {
            return Vec::new();
        };
        if last.chars().count() <= *width {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            return vec![self.line(&cells, widths)];
        }
        let mut others: Vec<&str> = others.iter().map(String::as_str).collect();
        let mut lines = Vec::new();
        for part in wrapped(last, *width) {
            let mut cells = others.clone();
            cells.push(&part);
            lines.push(self.line(&cells, widths));
            others.fill("");
        }
        lines
    }

    fn line(&self, cells: &[&str], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, (_, align)), width) in cells.iter().zip(&self.columns).zip(widths) {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let _ = match align {
                Align::Left => write!(line, "{GAP}{cell}{padding}"),
                Align::Right => write!(line, "{GAP}{padding}{cell}"),
            };
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_the_right_and_names_at_the_left() {
        let mut table = Table::new(&[("name", Align::Left), ("size", Align::Right)]);
        table.row(["ä".to_owned(), "1".to_owned()]);
        table.row(["longer".to_owned(), "1000".to_owned()]);
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(text, "  name    size\n  ä          1\n  longer  1000\n");
    }

    #[test]
    fn the_last_column_goes_on_below_where_the_line_is_too_short() {
        let mut table = Table::new(&[("name", Align::Left), ("meaning", Align::Left)]);
        table.row([
            "t".to_owned(),
            "how far to go: 0 is the base, 1 the other".to_owned(),
        ]);
        table.row(["eps".to_owned(), "short".to_owned()]);
        let text = anstream::adapter::strip_str(&table.render_within(36)).to_string();
        assert_eq!(
            text,
            "  name  meaning\n  t     how far to go: 0 is the\n        base, 1 the other\n  eps   short\n"
        );
    }
}
