//! Columns of text.

use std::fmt::Write as _;

use crate::printer::HEADING;
use crate::terminal_text::safe;

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table with a heading; every row has a cell for each column.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
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
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells
                .chain([self.columns[column].0.chars().count()])
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for ((cell, (_, align)), width) in cells.zip(&self.columns).zip(&widths) {
                let padding = " ".repeat(width - cell.chars().count());
                let _ = match align {
                    Align::Left => write!(line, "  {cell}{padding}"),
                    Align::Right => write!(line, "  {padding}{cell}"),
                };
            }
            line.trim_end().to_owned()
        };
        let heading = line(&mut self.columns.iter().map(|(title, _)| *title));
        let mut text = format!("{HEADING}{heading}{HEADING:#}\n");
        for row in &self.rows {
            let _ = writeln!(text, "{}", line(&mut row.iter().map(String::as_str)));
        }
        text
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
}
