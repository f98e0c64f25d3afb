//! Pictures of what models score: bars side by side, or lines over a parameter.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::style::{
    Area, Drawn, FAINT, INK, LEFT, LEGEND_LINE, MARGIN, PAPER, RULE, TITLE, WIDTH, colour,
    draw_legend_line, draw_name, draw_title, shortened, text,
};

/// Height of a chart of lines.
const LINES: u32 = 230;
/// Height of a chart's name.
const NAME: u32 = 30;
/// Height of a bar with the blank below it.
const BAR: u32 = 24;
/// Blank behind a chart of bars.
const GAP: u32 = 14;
/// Room for a number behind the longest bar.
const NUMBER: u32 = 90;

/// What is drawn: charts below one another, which share the colours of the models.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorePicture {
    /// Above everything.
    pub title: String,
    /// The models, each with its colour; a value's place is its model's.
    pub models: Vec<String>,
    /// The charts.
    pub charts: Vec<ScoreChart>,
}

/// One measure.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreChart {
    /// What is measured, and on what.
    pub name: String,
    /// True for shares of one; other measures have a scale of their own.
    pub is_share: bool,
    /// What the models score.
    pub values: ScoreValues,
}

/// What the models of a picture score in one chart.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreValues {
    /// A bar for each model that was measured.
    Bars(Vec<Option<f64>>),
    /// Over a parameter.
    Lines {
        /// Name of the parameter.
        parameter: String,
        /// Each model's points; a model with a single score, whatever the parameter is, has a level.
        lines: Vec<ScoreLine>,
    },
}

/// A model's scores over a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ScoreLine {
    /// Value of the parameter and score.
    Points(Vec<(f64, f64)>),
    /// The same for all values.
    Level(f64),
    /// Not measured.
    Absent,
}

/// Draws as SVG. The same values give the same bytes; numbers that are not finite are left out.
pub fn score_picture(picture: &ScorePicture) -> String {
    let head = TITLE + LEGEND_LINE * picture.models.len() as u32 + 8;
    let charts: u32 = picture.charts.iter().map(height).sum();
    let size = (WIDTH, head + charts + MARGIN / 2);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&root, picture, head).expect("a string takes every drawing");
    }
    svg
}

fn height(chart: &ScoreChart) -> u32 {
    match &chart.values {
        ScoreValues::Bars(bars) => NAME + BAR * bars.iter().flatten().count() as u32 + GAP,
        ScoreValues::Lines { .. } => LINES,
    }
}

fn draw(root: &Area<'_>, picture: &ScorePicture, head: u32) -> Drawn {
    root.fill(&PAPER)?;
    draw_title(root, &shortened(&picture.title))?;
    for (place, model) in picture.models.iter().enumerate() {
        draw_legend_line(root, place, place, &shortened(model))?;
    }
    let mut top = head;
    for chart in &picture.charts {
        let (_, rest) = root.split_vertically(top);
        let (area, _) = rest.split_vertically(height(chart));
        draw_name(&area, &chart.name)?;
        match &chart.values {
            ScoreValues::Bars(bars) => draw_bars(&area, bars, chart.is_share)?,
            ScoreValues::Lines { parameter, lines } => {
                draw_lines(&area, parameter, lines, chart.is_share)?;
            }
        }
        top += height(chart);
    }
    root.present()?;
    Ok(())
}

/// Bars from the left, as long as their numbers.
fn draw_bars(area: &Area<'_>, bars: &[Option<f64>], is_share: bool) -> Drawn {
    let finite = |value: &f64| value.is_finite();
    let largest = bars.iter().flatten().copied().filter(finite);
    let largest = if is_share {
        1.0
    } else {
        largest.fold(f64::MIN_POSITIVE, f64::max)
    };
    let room = f64::from(WIDTH - LEFT - MARGIN - NUMBER);
    let measured = bars.iter().enumerate();
    let measured = measured.filter_map(|(place, bar)| Some((place, (*bar).filter(finite)?)));
    for (line, (place, value)) in measured.enumerate() {
        let top = (NAME + line as u32 * BAR) as i32;
        let end = LEFT as i32 + (room * (value / largest).clamp(0.0, 1.0)).round() as i32;
        let bar = [(LEFT as i32, top), (end, top + BAR as i32 - 6)];
        area.draw(&Rectangle::new(bar, colour(place).filled()))?;
        let style = text(15.0, INK, HPos::Left, VPos::Center);
        let middle = top + (BAR as i32 - 6) / 2;
        area.draw(&Text::new(number(value), (end + 8, middle), style))?;
    }
    Ok(())
}

/// Four digits that count.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if size >= 1000.0 => 0,
        size if size >= 0.1 => 3,
        size => (3 - size.log10().floor() as i32).clamp(3, 9) as usize,
    };
    format!("{value:.digits$}")
}

fn draw_lines(area: &Area<'_>, parameter: &str, lines: &[ScoreLine], is_share: bool) -> Drawn {
    let points = |line: &ScoreLine| match line {
        ScoreLine::Points(points) => points.clone(),
        ScoreLine::Level(_) | ScoreLine::Absent => Vec::new(),
    };
    let levels = lines.iter().filter_map(|line| match line {
        ScoreLine::Level(level) => Some(*level),
        ScoreLine::Points(_) | ScoreLine::Absent => None,
    });
    let all: Vec<(f64, f64)> = lines.iter().flat_map(points).collect();
    let across = range(all.iter().map(|(x, _)| *x), 0.0);
    let up = if is_share {
        (0.0, 1.0)
    } else {
        range(all.iter().map(|(_, y)| *y).chain(levels), 0.08)
    };
    let mut chart = ChartBuilder::on(area)
        .margin_top(NAME)
        .margin_right(MARGIN)
        .margin_bottom(4)
        .margin_left(8)
        .x_label_area_size(42)
        .y_label_area_size(LEFT - 8)
        .build_cartesian_2d(across.0..across.1, up.0..up.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RULE)
        .x_labels(11)
        .y_labels(5)
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .x_desc(shortened(parameter))
        .axis_desc_style(text(16.0, FAINT, HPos::Center, VPos::Top))
        .label_style(text(15.0, FAINT, HPos::Center, VPos::Center))
        .axis_style(RULE)
        .draw()?;
    // levels first, so that a line is seen where it runs along one
    let (levels, others): (Vec<_>, Vec<_>) = lines
        .iter()
        .enumerate()
        .partition(|(_, line)| matches!(line, ScoreLine::Level(_)));
    for (place, line) in levels.into_iter().chain(others) {
        let style = colour(place);
        match line {
            ScoreLine::Points(points) => {
                let finite = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
                let points: Vec<(f64, f64)> = points.iter().copied().filter(finite).collect();
                chart.draw_series(LineSeries::new(points.clone(), style.stroke_width(3)))?;
                let dots = points
                    .into_iter()
                    .map(|point| Circle::new(point, 4, style.filled()));
                chart.draw_series(dots)?;
            }
            ScoreLine::Level(level) if level.is_finite() => {
                let ends = [(across.0, *level), (across.1, *level)];
                chart.draw_series(LineSeries::new(ends, style.stroke_width(2)))?;
            }
            ScoreLine::Level(_) | ScoreLine::Absent => {}
        }
    }
    Ok(())
}

/// From the least to the largest finite value, with a part of that around; never empty.
fn range(values: impl Iterator<Item = f64>, around: f64) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return (0.0, 1.0);
    }
    let width = high - low;
    if width <= f64::EPSILON * high.abs() {
        let room = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
        return (low - room, high + room);
    }
    (low - width * around, high + width * around)
}

/// A number on an axis, without zeros at its end.
fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" || text.is_empty() {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(values: &[Option<f64>], is_share: bool) -> ScorePicture {
        ScorePicture {
            title: "Scores".to_owned(),
            models: values.iter().map(|_| "a<b>&\"c\"".to_owned()).collect(),
            charts: vec![ScoreChart {
                name: "acc".to_owned(),
                is_share,
                values: ScoreValues::Bars(values.to_vec()),
            }],
        }
    }

    fn lines(lines: Vec<ScoreLine>) -> ScorePicture {
        let values = ScoreValues::Lines {
            parameter: "t".to_owned(),
            lines,
        };
        let mut picture = bars(&[None, None], false);
        picture.charts[0].values = values;
        picture
    }

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let svg = score_picture(&bars(&[Some(0.25), Some(0.5), None], true));
        let room = WIDTH - LEFT - MARGIN - NUMBER;
        for (share, label) in [(4, "0.250"), (2, "0.500")] {
            let width = f64::from(room) / f64::from(share);
            let width = format!("width=\"{:.0}\" height=\"{}\"", width.round(), BAR - 6);
            assert!(
                svg.contains(&width) && svg.contains(label),
                "{width} in {svg}"
            );
        }
        assert!(svg.contains("a&lt;b&gt;&amp;&quot;c&quot;") && !svg.contains("a<b>"));
    }

    #[test]
    fn the_picture_is_always_the_same_and_odd_numbers_do_no_harm() {
        for picture in [
            bars(&[Some(f64::NAN), Some(0.0)], false),
            lines(vec![ScoreLine::Points(vec![(0.5, 1.0)]), ScoreLine::Absent]),
            lines(vec![ScoreLine::Points(Vec::new()), ScoreLine::Level(2.0)]),
            lines(vec![
                ScoreLine::Points(vec![(0.0, 1.0), (0.1, f64::INFINITY), (1.0, 3.0)]),
                ScoreLine::Level(2.0),
            ]),
        ] {
            let svg = score_picture(&picture);
            assert_eq!(svg, score_picture(&picture));
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn a_line_has_a_dot_for_each_value() {
        let points = (0..=10).map(|step| (f64::from(step) / 10.0, 1.0 + f64::from(step)));
        let svg = score_picture(&lines(vec![
            ScoreLine::Points(points.collect()),
            ScoreLine::Level(2.0),
        ]));
        assert_eq!(svg.matches("<circle").count(), 11);
        assert!(svg.contains("\n0.5\n"), "{svg}");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.000_123_4), "0.0001234");
        assert_eq!(number(1.924_6), "1.925");
        assert_eq!(number(0.0), "0");
        assert_eq!(short(0.30), "0.3");
        assert_eq!(short(-0.000_000_1), "0");
    }
}
