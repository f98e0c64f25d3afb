//! The explanation for a terminal: curves, shares and a table, drawn with characters.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "text is put together once; `write!` would only add a result to drop"
)]

mod canvas;
mod curve_chart;
mod glyphs;
mod share_chart;
mod table;
mod wrap;

use glyphs::Glyphs;

use super::layer_origins::in_place;
use super::layer_ranges::range;
use super::numbers::{magnitude, number_text};
use super::{CurveGroup, ExplainedModel, Explanation, ParameterCurves};
use weightsmith::plan::Value;

/// Narrower terminals get lines of this width all the same.
const MIN_WIDTH: usize = 40;

/// Wider terminals do not make lines easier to read.
const MAX_WIDTH: usize = 120;

/// Draws an explanation with lines of at most `width` characters (as far as names allow).
///
/// With `unicode` false only ASCII is used, names aside.
pub fn render_text(explanation: &Explanation, width: usize, unicode: bool) -> String {
    let page = Page {
        explanation,
        width: width.clamp(MIN_WIDTH, MAX_WIDTH),
        glyphs: if unicode {
            &glyphs::UNICODE
        } else {
            &glyphs::ASCII
        },
    };
    let sections = [
        page.header(),
        page.origins(),
        page.parameters(),
        page.shares(),
        page.table(),
        page.words(),
    ];
    let text = sections
        .iter()
        .filter(|section| !section.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n");
    if unicode {
        text
    } else {
        glyphs::to_ascii(&text)
    }
}

/// What every section is drawn from.
struct Page<'a> {
    explanation: &'a Explanation,
    width: usize,
    glyphs: &'static Glyphs,
}

impl Page<'_> {
    fn header(&self) -> String {
        let explanation = self.explanation;
        let mut text = format!("{}\n", explanation.title);
        if !explanation.summary.is_empty() {
            text += &wrap::wrap(&explanation.summary, self.width, "  ");
        }
        text += "\nModels\n";
        let titles: Vec<String> = explanation.models.iter().map(title).collect();
        let width = titles
            .iter()
            .map(|title| title.chars().count())
            .max()
            .unwrap_or(0);
        for (model, title) in titles.iter().enumerate() {
            let of = &explanation.models[model];
            let base = if of.base { ", base_model" } else { "" };
            let layers = if of.layers == 1 {
                "1 layer".to_owned()
            } else {
                format!("{} layers", of.layers)
            };
            let size = magnitude(of.parameters);
            text += &format!(
                "  {}  {title:width$}  {layers}, {size} parameters{base}\n",
                self.model_key(model)
            );
        }
        text
    }

    /// The letter of a model and how its share is filled.
    fn model_key(&self, model: usize) -> String {
        let place = self
            .explanation
            .drawing_order()
            .iter()
            .position(|&drawn| drawn == model)
            .unwrap_or(model);
        format!("{} {}", letter(model), self.glyphs.sample(place))
    }

    fn origins(&self) -> String {
        let origins = &self.explanation.origins;
        if in_place(origins) {
            return String::new();
        }
        let mut text = "Where the layers come from\n".to_owned();
        let width = origins
            .iter()
            .map(|origin| range(origin.first, origin.last).chars().count())
            .max()
            .unwrap_or(0);
        for origin in origins {
            let sources: Vec<String> = origin
                .sources
                .iter()
                .map(|source| {
                    let layers = range(source.first as usize, source.last as usize);
                    format!("{} {layers}", self.explanation.models[source.model].name)
                })
                .collect();
            let layers = range(origin.first, origin.last);
            let padding = " ".repeat(width - layers.chars().count());
            text += &format!(
                "  layers {padding}{layers}  {} {}\n",
                self.glyphs.from,
                sources.join(" + ")
            );
        }
        text
    }

    fn parameters(&self) -> String {
        if self.explanation.parameters.is_empty() {
            return String::new();
        }
        let mut text = "Parameters\n".to_owned();
        let (constant, other): (Vec<_>, Vec<_>) = self
            .explanation
            .parameters
            .iter()
            .partition(|parameter| parameter.constant().is_some());
        for parameter in other {
            text += &self.parameter(parameter);
        }
        for parameter in constant {
            let value = parameter.constant().map_or_else(String::new, value_text);
            text += &format!(
                "  {} = {value}{}\n",
                self.parameter_name(parameter),
                reach(parameter)
            );
        }
        text
    }

    fn parameter(&self, parameter: &ParameterCurves) -> String {
        let mut text = String::new();
        for group in &parameter.groups {
            let title = format!(
                "  {} {} {}\n",
                self.parameter_name(parameter),
                self.glyphs.dot,
                group.name
            );
            if let Some(value) = group.constant() {
                text += &format!("{} = {}\n", title.trim_end(), value_text(value));
            } else {
                text += &title;
                text += &curve_chart::draw(&group.values, parameter.usual, self.width, self.glyphs);
            }
        }
        if !parameter.outside.is_empty() {
            let values: Vec<String> = parameter
                .outside
                .iter()
                .map(|outside| {
                    format!(
                        "{} {}",
                        super::outside_parts::parts_in_words(&outside.parts),
                        value_text(&outside.value)
                    )
                })
                .collect();
            text += &wrap::wrap(
                &format!("outside the layers: {}", values.join("; ")),
                self.width,
                "    ",
            );
        }
        text
    }

    /// `t`, or `weight of MODEL`.
    fn parameter_name(&self, parameter: &ParameterCurves) -> String {
        let Some(source) = parameter.source else {
            return parameter.name.clone();
        };
        let model = &self.explanation.models[source.model].name;
        if source.mention == 0 {
            format!("{} of {model}", parameter.name)
        } else {
            format!(
                "{} of {model} (mention {})",
                parameter.name,
                source.mention + 1
            )
        }
    }

    fn shares(&self) -> String {
        let Some(shares) = self.explanation.shares.as_ref() else {
            return String::new();
        };
        if self.explanation.models.len() < 2 {
            return String::new();
        }
        share_chart::draw(self, shares)
    }

    fn table(&self) -> String {
        table::draw(self.explanation, self.width, self.glyphs)
    }

    fn words(&self) -> String {
        let sentences = self.explanation.words.iter();
        let text: String = sentences
            .map(|sentence| wrap::wrap(sentence, self.width, "  "))
            .collect();
        if text.is_empty() {
            text
        } else {
            format!("Summary\n{text}")
        }
    }
}

/// Where a parameter with a single value is set, when that is not everywhere.
fn reach(parameter: &ParameterCurves) -> String {
    let everywhere = matches!(parameter.groups.as_slice(), [group] if group.name == "all tensors" && !group.values.contains(&None));
    let in_layers = match parameter.groups.as_slice() {
        [] => "outside the layers".to_owned(),
        _ if everywhere => return String::new(),
        groups => groups
            .iter()
            .map(group_reach)
            .collect::<Vec<_>>()
            .join(", "),
    };
    format!(" in {in_layers}")
}

fn group_reach(group: &CurveGroup) -> String {
    let layers: Vec<usize> = (0..group.values.len())
        .filter(|&layer| group.values[layer].is_some())
        .collect();
    if layers.len() == group.values.len() {
        group.name.clone()
    } else {
        format!(
            "{} of {}",
            group.name,
            super::layer_ranges::layers_in_words(&layers)
        )
    }
}

/// `org/name@revision`, the revision as short as git prints it.
fn title(model: &ExplainedModel) -> String {
    let revision = model
        .revision
        .iter()
        .map(|revision| format!("@{}", revision.chars().take(7).collect::<String>()));
    model.label.clone() + &revision.collect::<String>()
}

/// What a model is called in tables: A, B … Z, then M27 and on.
fn letter(model: usize) -> String {
    match u8::try_from(model) {
        Ok(index @ 0..26) => char::from(b'A' + index).to_string(),
        _ => format!("M{}", model + 1),
    }
}

/// A value as text.
fn value_text(value: &Value) -> String {
    match value {
        Value::Number(number) => number_text(*number),
        other => other.to_string(),
    }
}
