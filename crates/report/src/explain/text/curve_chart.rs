//! A parameter's values as columns over the layers.

use super::canvas::Columns;
use super::glyphs::Glyphs;
use crate::explain::numbers::number_text;
use weightsmith::plan::Value;

/// Height of a chart in lines.
const LINES: usize = 8;

/// Draws the values; the axis covers the usual range, so that charts of different recipes can be compared by eye.
pub(super) fn draw(
    values: &[Option<Value>],
    usual: Option<(f64, f64)>,
    width: usize,
    glyphs: &Glyphs,
) -> String {
    let columns = Columns::new(values.len(), width);
    let heights: Vec<Option<f64>> = columns
        .layers
        .iter()
        .map(|layers| mean(&values[layers.clone()]))
        .collect();
    let (low, high) = bounds(&heights, usual);
    let above = lines_above(low, high);
    let upper = Half {
        columns: &columns,
        heights: &heights,
        lines: above,
        end: high,
        fill: glyphs.levels,
    };
    let lower = Half {
        columns: &columns,
        heights: &heights,
        lines: LINES - above,
        end: low,
        fill: glyphs.hanging,
    };
    let mut text: String = (0..above)
        .rev()
        .map(|line| upper.line(line, glyphs))
        .collect();
    if lower.lines == 0 {
        return text + &columns.axis("0", glyphs);
    }
    text += &columns.rule("0", glyphs);
    text.extend((0..lower.lines).map(|line| lower.line(line, glyphs)));
    text + &columns.axis("", glyphs)
}

/// The part of a chart on one side of zero.
struct Half<'a> {
    columns: &'a Columns,
    heights: &'a [Option<f64>],
    lines: usize,
    /// The value at the far end.
    end: f64,
    fill: &'static [char],
}

impl Half<'_> {
    /// A line, counted from zero outwards.
    fn line(&self, line: usize, glyphs: &Glyphs) -> String {
        let label = self.label(line);
        let axis = if label.is_empty() {
            glyphs.axis
        } else {
            glyphs.tick
        };
        let cells = self.heights.iter().map(|height| match height {
            Some(height) => self.cell(height / self.end * self.lines as f64 - line as f64),
            None if line == 0 => glyphs.dot,
            None => ' ',
        });
        self.columns.line(&label, axis, cells)
    }

    /// The character for the filled part of a cell. A value that is not zero leaves a mark on the line next to zero.
    fn cell(&self, part: f64) -> char {
        let full = self.fill.len() - 1;
        let level = (part * full as f64).round().clamp(0.0, full as f64) as usize;
        let trace = usize::from(part > 0.0 && part * full as f64 >= 0.02);
        self.fill[level.max(if level == 0 && part < 1.0 { trace } else { 0 })]
    }

    /// The value at the outer edge of the outermost and the middle line.
    fn label(&self, line: usize) -> String {
        if line + 1 == self.lines {
            number_text(self.end)
        } else if self.lines == LINES && (line + 1) * 2 == self.lines {
            number_text(self.end / 2.0)
        } else {
            String::new()
        }
    }
}

fn mean(values: &[Option<Value>]) -> Option<f64> {
    let set: Vec<f64> = values
        .iter()
        .flatten()
        .filter_map(Value::as_number)
        .collect();
    (!set.is_empty()).then(|| set.iter().sum::<f64>() / set.len() as f64)
}

/// The ends of the axis: zero, the usual range and all values lie between them.
fn bounds(heights: &[Option<f64>], usual: Option<(f64, f64)>) -> (f64, f64) {
    let known = || heights.iter().flatten().copied();
    let low = known().fold(usual.map_or(0.0, |(low, _)| low.min(0.0)), f64::min);
    let high = known().fold(usual.map_or(0.0, |(_, high)| high.max(0.0)), f64::max);
    let high = round_up(high);
    let low = -round_up(-low);
    if low == 0.0 && high == 0.0 {
        (0.0, 1.0)
    } else {
        (low, high)
    }
}

/// The next of 1, 2, 2.5, 5 and 10 times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|end| *end >= value * (1.0 - 1e-9))
        .unwrap_or(value)
}

/// Lines above zero, in proportion; at least one for each side that has values.
fn lines_above(low: f64, high: f64) -> usize {
    if low == 0.0 {
        return LINES;
    }
    if high == 0.0 {
        return 0;
    }
    ((high / (high - low) * LINES as f64).round() as usize).clamp(1, LINES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::text::glyphs::{ASCII, UNICODE};

    fn numbers(values: &[f64]) -> Vec<Option<Value>> {
        values
            .iter()
            .map(|value| Some(Value::Number(*value)))
            .collect()
    }

    #[test]
    fn a_value_fills_its_part_of_the_column() {
        let chart = draw(
            &numbers(&[0.0, 0.25, 0.5, 1.0]),
            Some((0.0, 1.0)),
            40,
            &UNICODE,
        );
        insta::assert_snapshot!(chart, @"
          1 ┤               ████
            │               ████
            │               ████
            │               ████
        0.5 ┤          ████ ████
            │          ████ ████
            │     ████ ████ ████
            │     ████ ████ ████
          0 └────────────────────
             0    1    2    3 (layer)
        ");
    }

    #[test]
    fn negative_values_hang_from_zero() {
        let chart = draw(&numbers(&[-1.0, -0.5, 0.0, 1.0]), None, 40, &ASCII);
        insta::assert_snapshot!(chart, @"
         1 +               ####
           |               ####
           |               ####
           |               ####
         0 +--------------------
           |#### ####
           |#### ####
           |####
        -1 +####
           +--------------------
            0    1    2    3 (layer)
        ");
    }

    #[test]
    fn the_axis_ends_at_a_round_number() {
        assert_eq!(bounds(&[Some(0.3)], None), (0.0, 0.5));
        assert_eq!(bounds(&[Some(0.3)], Some((0.0, 1.0))), (0.0, 1.0));
        assert_eq!(bounds(&[Some(-0.3), Some(3.0)], None), (-0.5, 5.0));
    }
}
