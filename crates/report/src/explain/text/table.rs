//! The values of every layer in numbers, for whatever changes from layer to layer.

use super::glyphs::Glyphs;
use super::{letter, value_text};
use crate::explain::Explanation;
use crate::explain::layer_ranges::range;
use crate::explain::numbers::percent;

/// Headings are cut to this length.
const HEADING: usize = 22;

/// Rows above this number are set side by side where there is room.
const TALL: usize = 12;

/// Blanks between columns.
const GAP: usize = 2;

/// Blanks between blocks of rows side by side.
const BLOCK_GAP: usize = 4;

/// A heading and one text per layer.
struct Column {
    heading: String,
    cells: Vec<String>,
}

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.chars().count());
        cells
            .chain([self.heading.chars().count()])
            .max()
            .unwrap_or(0)
    }

    fn varies(&self) -> bool {
        self.cells.windows(2).any(|pair| pair[0] != pair[1])
    }
}

/// Tables as wide as the terminal; empty when nothing changes from layer to layer.
pub(super) fn draw(explanation: &Explanation, width: usize, glyphs: &Glyphs) -> String {
    let columns: Vec<Column> = parameter_columns(explanation)
        .into_iter()
        .chain(share_columns(explanation))
        .filter(Column::varies)
        .collect();
    if columns.is_empty() {
        return String::new();
    }
    let mut text = "Layer by layer\n".to_owned();
    for columns in fitting(&columns, width) {
        text += &table(columns, explanation.layers, width, glyphs);
    }
    text
}

fn parameter_columns(explanation: &Explanation) -> Vec<Column> {
    let mut columns = Vec::new();
    for parameter in &explanation.parameters {
        for group in &parameter.groups {
            let mut heading = parameter.name.clone();
            if let Some(source) = parameter.source {
                heading += &format!(" {}", letter(source.model));
                if source.mention > 0 {
                    heading += &format!("({})", source.mention + 1);
                }
            }
            if group.name != "all tensors" {
                heading += &format!(" {}", group.name);
            }
            let cells = group
                .values
                .iter()
                .map(|value| value.as_ref().map_or_else(|| "-".to_owned(), value_text))
                .collect();
            columns.push(Column {
                heading: cut(&heading),
                cells,
            });
        }
    }
    columns
}

fn share_columns(explanation: &Explanation) -> Vec<Column> {
    let told = explanation.models.len() > 1 && !explanation.is_stack();
    let Some(shares) = explanation
        .shares
        .as_ref()
        .filter(|shares| told && shares.fractions)
    else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    for (name, layers) in shares.shown() {
        for model in 0..explanation.models.len() {
            let of = if name == "all tensors" {
                String::new()
            } else {
                format!(" {name}")
            };
            let share = |layer: &Option<Vec<f64>>| {
                layer
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |shares| percent(shares[model]))
            };
            columns.push(Column {
                heading: cut(&format!("{}{of}", letter(model))),
                cells: layers.iter().map(share).collect(),
            });
        }
    }
    columns
}

fn cut(heading: &str) -> String {
    if heading.chars().count() <= HEADING {
        return heading.to_owned();
    }
    let kept: String = heading.chars().take(HEADING - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Successive columns that fit beside each other.
fn fitting(columns: &[Column], width: usize) -> Vec<&[Column]> {
    let room = width.saturating_sub("  layer".len());
    let mut rest = columns;
    let mut tables = Vec::new();
    while !rest.is_empty() {
        let mut used = 0;
        let count = rest
            .iter()
            .take_while(|column| {
                used += column.width() + GAP;
                used <= room
            })
            .count()
            .max(1);
        let (table, others) = rest.split_at(count);
        tables.push(table);
        rest = others;
    }
    tables
}

/// Rows of layers with the same cells are one row; many rows are set in blocks side by side.
fn table(columns: &[Column], layers: usize, width: usize, glyphs: &Glyphs) -> String {
    let same = |a: usize, b: usize| {
        columns
            .iter()
            .all(|column| column.cells.get(a) == column.cells.get(b))
    };
    let mut rows: Vec<(usize, usize)> = Vec::new();
    for layer in 0..layers {
        match rows.last_mut() {
            Some((_, last)) if same(*last, layer) => *last = layer,
            _ => rows.push((layer, layer)),
        }
    }
    let lines: Vec<String> = rows
        .iter()
        .map(|&(first, last)| row(&range(first, last), columns, |column| &column.cells[first]))
        .collect();
    let heading = row("layer", columns, |column| &column.heading);
    let block = heading.chars().count();
    let blocks =
        ((width + BLOCK_GAP - 2) / (block + BLOCK_GAP)).clamp(1, lines.len().div_ceil(TALL).max(1));
    let height = lines.len().div_ceil(blocks);
    let beside = |line: &dyn Fn(usize) -> String| {
        let texts: Vec<String> = (0..blocks).map(line).collect();
        format!("  {}", texts.join(&" ".repeat(BLOCK_GAP)))
            .trim_end()
            .to_owned()
            + "\n"
    };
    let rule: String = std::iter::repeat_n(glyphs.rule, block).collect();
    let mut text = beside(&|_| heading.clone()) + &beside(&|_| rule.clone());
    for line in 0..height {
        text += &beside(&|block| {
            lines
                .get(block * height + line)
                .cloned()
                .unwrap_or_default()
        });
    }
    text
}

fn row<'a>(layers: &str, columns: &'a [Column], cell: impl Fn(&'a Column) -> &'a String) -> String {
    let mut text = format!("{layers:>7}");
    for column in columns {
        let width = column.width() + GAP;
        text += &format!("{:>width$}", cell(column));
    }
    text
}
