//! Each model's share as stacked areas over the layers.

use super::canvas::Columns;
use super::glyphs::Glyphs;
use crate::explain::outside_parts::parts_in_words;
use crate::explain::shares::same;
use crate::explain::words::{in_proportion, percent};
use crate::explain::{Explanation, Shares};

/// Height of a chart in lines: a tenth of the whole each.
const LINES: usize = 10;

/// Characters of a bar that stands for constant shares.
const BAR: usize = 30;

/// Draws the shares of every group of tensors and those outside of the layers.
pub(super) fn draw(explanation: &Explanation, shares: &Shares, width: usize, glyphs: &Glyphs) -> String {
    let names: Vec<&str> = explanation.models.iter().map(|model| model.name.as_str()).collect();
    let legend: Vec<String> =
        names.iter().enumerate().map(|(model, name)| format!("{} {name}", glyphs.model_key(model))).collect();
    let proportion = if shares.fractions { "" } else { ", in proportion to the coefficients" };
    let mut text = format!("Share of each model{proportion}\n  {}\n", legend.join("   "));
    for (name, layers) in shares.shown() {
        let known: Vec<Vec<f64>> = layers.iter().flatten().map(|layer| in_proportion(layer)).collect();
        let Some(first) = known.first() else { continue };
        if known.iter().all(|layer| same(layer, first)) {
            text += &bar(&every_layer(name), first, &names, glyphs);
        } else {
            text += &format!("  {name}\n{}", stacked(layers, width, glyphs));
        }
    }
    for outside in &shares.outside {
        text += &bar(&parts_in_words(&outside.parts), &in_proportion(&outside.shares), &names, glyphs);
    }
    text
}

fn every_layer(group: &str) -> String {
    if group == "all tensors" { "every layer".to_owned() } else { format!("{group}, every layer") }
}

/// A bar with the percentages behind it.
fn bar(title: &str, shares: &[f64], names: &[&str], glyphs: &Glyphs) -> String {
    let cells: String = (0..BAR).map(|cell| glyphs.fill(owner(shares, (cell as f64 + 0.5) / BAR as f64))).collect();
    let numbers: Vec<String> = (0..names.len())
        .filter(|&model| shares[model] != 0.0)
        .map(|model| format!("{} {}", names[model], percent(shares[model])))
        .collect();
    format!("  {title}\n    {cells}  {}\n", numbers.join(", "))
}

/// The first model at the bottom with its exact height, the others above it.
fn stacked(layers: &[Option<Vec<f64>>], width: usize, glyphs: &Glyphs) -> String {
    let columns = Columns::new(layers.len(), width);
    let stacks: Vec<Option<Vec<f64>>> = columns.layers.iter().map(|range| mean(&layers[range.clone()])).collect();
    let mut text = String::new();
    for line in (0..LINES).rev() {
        let label = match line + 1 {
            LINES => "100 %",
            5 => "50 %",
            _ => "",
        };
        let cells = stacks.iter().map(|stack| stack.as_ref().map_or(' ', |stack| cell(stack, line, glyphs)));
        text += &columns.line(label, if label.is_empty() { glyphs.axis } else { glyphs.tick }, cells);
    }
    text + &columns.axis("0 %", glyphs)
}

fn cell(stack: &[f64], line: usize, glyphs: &Glyphs) -> char {
    let first = stack.first().map_or(0.0, |share| share.abs()) * LINES as f64 - line as f64;
    let full = glyphs.levels.len() - 1;
    let level = (first * full as f64).round() as isize;
    match usize::try_from(level) {
        Ok(level @ 1..) if level < full => glyphs.levels[level],
        Ok(1..) => glyphs.fill(0),
        _ => glyphs.fill(owner(stack, (line as f64 + 0.5) / LINES as f64)),
    }
}

/// The model whose area holds that point of the whole.
fn owner(shares: &[f64], point: f64) -> usize {
    let mut sum = 0.0;
    let reached = shares.iter().position(|share| {
        sum += share.abs();
        point < sum
    });
    reached.unwrap_or_else(|| shares.iter().rposition(|share| *share != 0.0).unwrap_or(0))
}

fn mean(layers: &[Option<Vec<f64>>]) -> Option<Vec<f64>> {
    let known: Vec<Vec<f64>> = layers.iter().flatten().map(|layer| in_proportion(layer)).collect();
    let models = known.first()?.len();
    Some((0..models).map(|model| known.iter().map(|layer| layer[model]).sum::<f64>() / known.len() as f64).collect())
}
