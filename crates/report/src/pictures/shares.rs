//! A picture of each model's share over the layers, for the model card.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::style::{
    Area, Drawn, FAINT, LEFT, LEGEND_LINE, MARGIN, PAPER, RULE, TITLE, WIDTH, colour,
    draw_legend_line, draw_name, draw_title, shortened, text,
};
use crate::explain::{Explanation, Shares};

/// Height of one chart.
const PANEL: u32 = 250;
/// Draws the shares as stacked areas, one chart for each group of tensors whose shares change over the layers, as SVG.
///
/// `None` when there is nothing to see: a single model, shares that depend on the tensors, or the same in every layer.
/// The same explanation gives the same bytes.
pub fn share_picture(explanation: &Explanation) -> Option<String> {
    let (shares, panels) = panels(explanation)?;
    let height = TITLE
        + LEGEND_LINE * explanation.models.len() as u32
        + PANEL * panels.len() as u32
        + MARGIN / 2;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&root, explanation, shares, &panels).expect("a string takes every drawing");
    }
    Some(svg)
}

/// Whether there is something to see in the picture of the shares.
pub fn has_share_picture(explanation: &Explanation) -> bool {
    panels(explanation).is_some()
}

/// The charts, at least one.
fn panels(explanation: &Explanation) -> Option<(&Shares, Vec<Panel<'_>>)> {
    let shares = explanation
        .shares
        .as_ref()
        .filter(|_| explanation.models.len() > 1)?;
    let shown = shares
        .shown()
        .into_iter()
        .map(|(name, layers)| Panel { name, layers });
    let panels: Vec<Panel<'_>> = shown.filter(|panel| !panel.is_constant()).collect();
    (!panels.is_empty()).then_some((shares, panels))
}

/// One chart.
struct Panel<'a> {
    name: &'a str,
    layers: &'a [Option<Vec<f64>>],
}

impl Panel<'_> {
    fn is_constant(&self) -> bool {
        let mut known = self
            .layers
            .iter()
            .flatten()
            .map(|layer| in_proportion(layer));
        let first = known.next();
        known.all(|layer| {
            first
                .iter()
                .flatten()
                .zip(&layer)
                .all(|(a, b)| (a - b).abs() < 1e-9)
        })
    }
}

fn draw(
    root: &Area<'_>,
    explanation: &Explanation,
    shares: &Shares,
    panels: &[Panel<'_>],
) -> Drawn {
    root.fill(&PAPER)?;
    let (top, charts) =
        root.split_vertically(TITLE + LEGEND_LINE * explanation.models.len() as u32);
    draw_head(&top, explanation, shares)?;
    let order = explanation.drawing_order();
    for (index, panel) in panels.iter().enumerate() {
        let (_, rest) = charts.split_vertically(PANEL * index as u32);
        let (area, _) = rest.split_vertically(PANEL);
        draw_panel(&area, panel, panel.name != "all tensors", &order)?;
    }
    root.present()?;
    Ok(())
}

/// Title and legend: the topmost area first.
fn draw_head(area: &Area<'_>, explanation: &Explanation, shares: &Shares) -> Drawn {
    let title = if shares.fractions {
        "Share of each model, layer by layer"
    } else {
        "Share of each model in the coefficients, layer by layer"
    };
    draw_title(area, title)?;
    let order = explanation.drawing_order();
    for (line, (place, &model)) in order.iter().enumerate().rev().enumerate() {
        let base = if explanation.models[model].base {
            " (base_model)"
        } else {
            ""
        };
        let label = format!("{}{base}", shortened(&explanation.models[model].label));
        draw_legend_line(area, line, place, &label)?;
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, panel: &Panel<'_>, named: bool, order: &[usize]) -> Drawn {
    if named {
        draw_name(area, panel.name)?;
    }
    let count = panel.layers.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_top(if named { 30 } else { 12 })
        .margin_right(MARGIN)
        .margin_bottom(4)
        .margin_left(8)
        .x_label_area_size(42)
        .y_label_area_size(LEFT - 8)
        .build_cartesian_2d(-0.5..count - 0.5, 0.0..1.0)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(panel.layers.len().min(13))
        .y_labels(5)
        .x_label_formatter(&|layer| format!("{layer:.0}"))
        .y_label_formatter(&|share| format!("{:.0} %", share * 100.0))
        .x_desc("layer")
        .axis_desc_style(text(16.0, FAINT, HPos::Center, VPos::Top))
        .label_style(text(15.0, FAINT, HPos::Center, VPos::Center))
        .axis_style(RULE)
        .draw()?;
    for (place, outline) in areas(panel.layers, order).into_iter().enumerate() {
        for points in outline {
            chart.draw_series(std::iter::once(Polygon::new(
                points,
                colour(place).filled(),
            )))?;
        }
    }
    draw_half(&mut chart, count)
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A line at one half, so that it can be seen who leads.
fn draw_half(chart: &mut Chart<'_, '_>, count: f64) -> Drawn {
    let line = PathElement::new(
        [(-0.5, 0.5), (count - 0.5, 0.5)],
        PAPER.mix(0.75).stroke_width(1),
    );
    chart.draw_series(std::iter::once(line))?;
    Ok(())
}

/// For every place in the drawing order the outlines of its area, one for each run of layers that have shares.
/// A layer is a step as wide as the layer.
fn areas(layers: &[Option<Vec<f64>>], order: &[usize]) -> Vec<Vec<Vec<(f64, f64)>>> {
    let stacks: Vec<Option<Vec<f64>>> = layers
        .iter()
        .map(|layer| Some(cumulative(layer.as_deref()?, order)))
        .collect();
    (0..order.len())
        .map(|place| {
            runs(&stacks)
                .into_iter()
                .filter(|run| run.iter().any(|(_, stack)| stack[place + 1] > stack[place]))
                .map(|run| outline(&run, place))
                .collect()
        })
        .collect()
}

/// Sums of the shares up to each place, from 0.
fn cumulative(shares: &[f64], order: &[usize]) -> Vec<f64> {
    let shares = in_proportion(shares);
    let mut sums = vec![0.0];
    let mut sum: f64 = 0.0;
    for &model in order {
        sum += shares[model];
        sums.push(sum.min(1.0));
    }
    sums
}

fn runs(stacks: &[Option<Vec<f64>>]) -> Vec<Vec<(usize, &[f64])>> {
    let mut runs: Vec<Vec<(usize, &[f64])>> = vec![Vec::new()];
    for (layer, stack) in stacks.iter().enumerate() {
        match (stack, runs.last_mut()) {
            (Some(stack), Some(run)) => run.push((layer, stack)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Along the lower edge and back along the upper one.
fn outline(run: &[(usize, &[f64])], place: usize) -> Vec<(f64, f64)> {
    let step =
        |layer: usize, height: f64| [(layer as f64 - 0.5, height), (layer as f64 + 0.5, height)];
    let lower = run
        .iter()
        .flat_map(|(layer, stack)| step(*layer, stack[place]));
    let upper = run.iter().rev().flat_map(|(layer, stack)| {
        let [left, right] = step(*layer, stack[place + 1]);
        [right, left]
    });
    lower.chain(upper).collect()
}

/// The size of each share as a part of the sum of their sizes.
fn in_proportion(shares: &[f64]) -> Vec<f64> {
    let total: f64 = shares.iter().map(|share| share.abs()).sum();
    shares
        .iter()
        .map(|share| {
            if total > 0.0 {
                share.abs() / total
            } else {
                0.0
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith::testing::example_plans::{
        gradient, in_place, linear, plan, slerp_curve, stack, v,
    };

    use crate::explain::explain;

    #[test]
    fn the_step_of_a_layer_is_as_wide_as_the_layer() {
        let layers = [Some(vec![0.25, 0.75]), Some(vec![1.0, 0.0])];
        let areas = areas(&layers, &[1, 0]);
        assert_eq!(
            areas[0][0],
            [
                (-0.5, 0.0),
                (0.5, 0.0),
                (0.5, 0.0),
                (1.5, 0.0),
                (1.5, 0.0),
                (0.5, 0.0),
                (0.5, 0.75),
                (-0.5, 0.75)
            ]
        );
        assert_eq!(areas[1][0].last(), Some(&(-0.5, 1.0)));
    }

    #[test]
    fn layers_without_shares_are_left_blank() {
        let layers = [Some(vec![1.0, 0.0]), None, Some(vec![1.0, 0.0])];
        assert_eq!(areas(&layers, &[0, 1])[0].len(), 2);
    }

    #[test]
    fn constant_shares_are_no_picture() {
        assert!(share_picture(&explain(&slerp_curve(6, &[0.3]))).is_none());
    }

    #[test]
    fn the_picture_is_small_and_always_the_same() {
        for plan in [v(), stack(), slerp_curve(126, &[0.0, 1.0, 0.0])] {
            let picture = share_picture(&explain(&plan)).unwrap();
            assert!(picture.len() < 40_000, "{} bytes", picture.len());
            assert_eq!(picture, share_picture(&explain(&plan)).unwrap());
            assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
        }
    }

    #[test]
    fn labels_are_escaped() {
        let odd = plan(
            "linear",
            &["a<b>&\"c\"", "d"],
            None,
            in_place(2, 4),
            &|place| linear(place, &[gradient(&[0.0, 1.0], place.position), 0.5], true),
        );
        let picture = share_picture(&explain(&odd)).unwrap();
        assert!(
            picture.contains("a&lt;b&gt;&amp;&quot;c&quot;") && !picture.contains("a<b>"),
            "{picture}"
        );
    }
}
