//! The frame of a chart over layers: columns, the axis below, labels on the left.

use std::ops::Range;

use super::glyphs::Glyphs;

/// Width of the labels left of the axis.
const LABEL: usize = 7;

/// What the numbers below the axis count.
const UNIT: &str = " (layer)";

/// Widest column of a layer.
const WIDEST: usize = 6;

/// How layers are put into columns of characters.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// The layers of each column.
    pub(super) layers: Vec<Range<usize>>,
    /// Characters per column, the gap behind it included.
    pub(super) pitch: usize,
    /// Characters of the gap between columns.
    pub(super) gap: usize,
}

impl Columns {
    /// One column per layer where they fit, else several layers in one.
    pub(super) fn new(layers: usize, width: usize) -> Self {
        let room = width.saturating_sub(LABEL + 2 + UNIT.len()).max(1);
        let pitch = (room / layers.max(1)).clamp(1, WIDEST);
        let count = layers.min(room);
        let bounds = |column: usize| column * layers / count.max(1);
        Self {
            layers: (0..count)
                .map(|column| bounds(column)..bounds(column + 1))
                .collect(),
            pitch,
            gap: usize::from(pitch > 2),
        }
    }

    /// A line of the chart: a label, the axis and one character per column, as wide as the column.
    pub(super) fn line(
        &self,
        label: &str,
        axis: char,
        cells: impl Iterator<Item = char>,
    ) -> String {
        let gap = " ".repeat(self.gap);
        let bars: String = cells
            .map(|cell| format!("{}{gap}", cell.to_string().repeat(self.pitch - self.gap)))
            .collect();
        format!("{label:>LABEL$} {axis}{bars}")
            .trim_end()
            .to_owned()
            + "\n"
    }

    /// A line at zero between values above and below it.
    pub(super) fn rule(&self, label: &str, glyphs: &Glyphs) -> String {
        let line: String =
            std::iter::repeat_n(glyphs.base_line, self.layers.len() * self.pitch).collect();
        format!("{label:>LABEL$} {}{line}\n", glyphs.tick)
    }

    /// The axis at the bottom with the numbers of layers.
    pub(super) fn axis(&self, label: &str, glyphs: &Glyphs) -> String {
        let length = self.layers.len() * self.pitch;
        let line: String = std::iter::repeat_n(glyphs.base_line, length).collect();
        let mut numbers: Vec<char> = vec![' '; length + LABEL];
        let mut free = 0;
        let step = self.step();
        let last = self.layers.len().saturating_sub(1);
        let marks = (0..self.layers.len())
            .filter(|column| column % step == 0 && (last - column) * self.pitch >= 4)
            .chain([last]);
        for column in marks {
            let text = self.layers.get(column).map_or(0, |layers| {
                if column == last {
                    layers.end - 1
                } else {
                    layers.start
                }
            });
            let text = text.to_string();
            let start = column * self.pitch;
            if start < free || start + text.len() > numbers.len() {
                continue;
            }
            for (offset, digit) in text.chars().enumerate() {
                numbers[start + offset] = digit;
            }
            free = start + text.len() + 1;
        }
        let numbers: String = numbers.into_iter().collect();
        let numbers = numbers.trim_end();
        format!(
            "{label:>LABEL$} {}{line}\n{:>LABEL$}  {numbers}{UNIT}\n{}",
            glyphs.origin,
            "",
            self.compression()
        )
    }

    /// Says how many layers a column stands for, where that is more than one.
    fn compression(&self) -> String {
        let counts = || self.layers.iter().map(Range::len);
        match (counts().min(), counts().max()) {
            (_, None | Some(0 | 1)) => String::new(),
            (Some(least), Some(most)) if least < most => {
                format!(
                    "{:>LABEL$}  each column is the mean of {least} to {most} layers\n",
                    ""
                )
            }
            (_, Some(number)) => format!(
                "{:>LABEL$}  each column is the mean of {number} layers\n",
                ""
            ),
        }
    }

    /// Columns from one number to the next: a round count that leaves room for four digits.
    fn step(&self) -> usize {
        [1, 2, 4, 5, 10, 20, 50, 100]
            .into_iter()
            .find(|step| step * self.pitch >= 5)
            .unwrap_or(100)
    }
}
