//! Each model's share as stacked areas over the layers.

use super::canvas::Columns;
use super::glyphs::Glyphs;
use super::{Page, letter};
use crate::explain::Shares;
use crate::explain::numbers::{in_proportion, percent};
use crate::explain::outside_parts::parts_in_words;
use crate::explain::shares::same;

/// Height of a chart in lines: a tenth of the whole each.
const LINES: usize = 10;

/// Characters of a bar that stands for constant shares.
const BAR: usize = 30;

/// Draws the shares of every group of tensors and those outside the layers.
pub(super) fn draw(page: &Page<'_>, shares: &Shares) -> String {
    let explanation = page.explanation;
    let keys = explanation
        .models
        .iter()
        .enumerate()
        .map(|(model, of)| format!("{} {}", page.model_key(model), of.name));
    let proportion = if shares.fractions {
        ""
    } else {
        ", in proportion to the coefficients"
    };
    let mut text = format!(
        "Share of each model{proportion}\n  {}\n",
        keys.collect::<Vec<_>>().join("   ")
    );
    let order = explanation.drawing_order();
    for (name, layers) in shares.shown() {
        let known: Vec<Vec<f64>> = layers
            .iter()
            .flatten()
            .map(|layer| in_proportion(layer))
            .collect();
        let Some(first) = known.first() else { continue };
        if known.iter().all(|layer| same(layer, first)) {
            text += &bar(&every_layer(name), first, &order, page.glyphs);
        } else {
            text += &format!(
                "  {name}\n{}",
                stacked(layers, &order, page.width, page.glyphs)
            );
        }
    }
    for outside in &shares.outside {
        text += &bar(
            &parts_in_words(&outside.parts),
            &in_proportion(&outside.shares),
            &order,
            page.glyphs,
        );
    }
    text
}

fn every_layer(group: &str) -> String {
    if group == "all tensors" {
        "every layer".to_owned()
    } else {
        format!("{group}, every layer")
    }
}

/// A bar with the percentages behind it.
fn bar(title: &str, shares: &[f64], order: &[usize], glyphs: &Glyphs) -> String {
    let stack = in_order(shares, order);
    let cells: String = (0..BAR)
        .map(|cell| glyphs.fill(owner(&stack, (cell as f64 + 0.5) / BAR as f64)))
        .collect();
    let present = (0..shares.len()).filter(|&model| shares[model] != 0.0);
    let numbers: Vec<String> = present
        .map(|model| format!("{} {}", letter(model), percent(shares[model])))
        .collect();
    format!("  {title}\n          {cells}  {}\n", numbers.join(", "))
}

fn in_order(shares: &[f64], order: &[usize]) -> Vec<f64> {
    order.iter().map(|&model| shares[model]).collect()
}

/// The first model at the bottom with its exact height, the others above it.
fn stacked(layers: &[Option<Vec<f64>>], order: &[usize], width: usize, glyphs: &Glyphs) -> String {
    let columns = Columns::new(layers.len(), width);
    let stacks: Vec<Option<Vec<f64>>> = columns
        .layers
        .iter()
        .map(|range| mean(&layers[range.clone()]).map(|shares| in_order(&shares, order)))
        .collect();
    let mut text = String::new();
    for line in (0..LINES).rev() {
        let label = match line + 1 {
            LINES => "100 %",
            5 => "50 %",
            _ => "",
        };
        let cells = stacks.iter().map(|stack| {
            stack
                .as_ref()
                .map_or(' ', |stack| cell(stack, line, glyphs))
        });
        text += &columns.line(
            label,
            if label.is_empty() {
                glyphs.axis
            } else {
                glyphs.tick
            },
            cells,
        );
    }
    text + &columns.axis("0 %", glyphs)
}

fn cell(stack: &[f64], line: usize, glyphs: &Glyphs) -> char {
    let first = stack.first().map_or(0.0, |share| share.abs()) * LINES as f64 - line as f64;
    let full = glyphs.levels.len() - 1;
    match (first * full as f64).round() as isize {
        ..=0 => glyphs.fill(
            owner(stack, (line as f64 + 0.5) / LINES as f64).max(usize::from(stack.len() > 1)),
        ),
        level if (level as usize) < full => glyphs.levels[level as usize],
        _ => glyphs.fill(0),
    }
}

/// The place in the stack whose area holds that point of the whole.
fn owner(stack: &[f64], point: f64) -> usize {
    let mut sum = 0.0;
    let reached = stack.iter().position(|share| {
        sum += share.abs();
        point < sum
    });
    reached.unwrap_or_else(|| stack.iter().rposition(|share| *share != 0.0).unwrap_or(0))
}

fn mean(layers: &[Option<Vec<f64>>]) -> Option<Vec<f64>> {
    let known: Vec<Vec<f64>> = layers
        .iter()
        .flatten()
        .map(|layer| in_proportion(layer))
        .collect();
    let models = known.first()?.len();
    Some(
        (0..models)
            .map(|model| known.iter().map(|layer| layer[model]).sum::<f64>() / known.len() as f64)
            .collect(),
    )
}
