//! What was measured, as tables.

use std::fmt::Write as _;

use weightsmith_infer::evaluate::Comparison;

use super::measures::{Divergence, Measure};
use super::report::{Evaluation, Point, Scores, Share, SweepReport};
use crate::printer::HEADING;
use crate::table::{Align, Table};
use crate::terminal_text::safe;
use weightsmith_session::quantities::grouped;

/// What stands where nothing was measured.
const NOTHING: &str = "–";

impl Evaluation {
    /// As tables; models of `--against` have a column beside the model's.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{HEADING}{}{HEADING:#}\n", safe(&self.introduction));
        let own = &self.measurement.scores;
        let tables = if self.against.is_empty() {
            [texts(own), tasks(own)]
        } else {
            let others = self
                .against
                .iter()
                .map(|one| (one.model.as_str(), &one.scores));
            let columns: Vec<_> = std::iter::once((self.model.as_str(), own))
                .chain(others)
                .collect();
            [texts_beside(&columns), tasks_beside(&columns)]
        };
        for table in tables.iter().filter(|table| !table.is_empty()) {
            let _ = write!(text, "\n{}", table.render());
        }
        for row in &self.measurement.comparisons {
            let _ = write!(
                text,
                "\nThe model (Q) against {} (base), on {}\n{}",
                safe(&row.against),
                safe(&row.file),
                comparison(&row.comparison).render()
            );
        }
        text
    }
}

impl SweepReport {
    /// A row for each value, and below one for each model of `--against`.
    pub(super) fn text(&self) -> String {
        let heading = format!("{} over {}", self.model, self.parameter);
        let mut text = format!("{HEADING}{}{HEADING:#}\n", safe(&heading));
        let Some(Point { measurement, .. }) = self.values.first() else {
            return text;
        };
        let measures = Measure::all(&measurement.scores);
        let divergences = Divergence::all(measurement);
        let mut table = Table::new(&[]);
        table.column(&self.parameter, Align::Left);
        for measure in &measures {
            table.column(&measure.name(), Align::Right);
        }
        for Divergence { file, against } in &divergences {
            table.column(&format!("KLD from {against}, {file}"), Align::Right);
        }
        let scored = |name: String, scores: &Scores| {
            let cells = measures.iter().map(|measure| measure.of(scores));
            std::iter::once(name)
                .chain(cells.map(|value| value_cell(value, 3)))
                .collect::<Vec<_>>()
        };
        for Point { value, measurement } in &self.values {
            let divergences = divergences.iter().map(|one| one.of(measurement));
            let own = scored(value.to_string(), &measurement.scores);
            table.row(
                own.into_iter()
                    .chain(divergences.map(|value| value_cell(value, 6))),
            );
        }
        for one in &self.against {
            let blank = divergences.iter().map(|_| String::new());
            let own = scored(one.model.clone(), &one.scores);
            table.row(own.into_iter().chain(blank));
        }
        let _ = write!(text, "\n{}", table.render());
        text
    }
}

fn value_cell(value: Option<f64>, digits: usize) -> String {
    value.map_or(NOTHING.to_owned(), |value| format!("{value:.digits$}"))
}

fn texts(scores: &Scores) -> Table {
    let mut table = Table::new(&[
        ("text", Align::Left),
        ("tokens", Align::Right),
        ("perplexity", Align::Right),
        ("±", Align::Right),
    ]);
    for row in &scores.texts {
        table.row([
            row.file.clone(),
            grouped(row.perplexity.tokens as u64),
            format!("{:.3}", row.perplexity.perplexity),
            format!("{:.3}", row.perplexity.standard_error),
        ]);
    }
    table
}

/// Perplexities of several models, in columns.
fn texts_beside(columns: &[(&str, &Scores)]) -> Table {
    let mut table = Table::new(&[("perplexity on", Align::Left), ("tokens", Align::Right)]);
    for (model, _) in columns {
        table.column(model, Align::Right);
    }
    let own = columns.first().map_or(&[][..], |(_, own)| &own.texts);
    for row in own {
        let cells = columns.iter().map(|(_, scores)| {
            let mut texts = scores.texts.iter();
            let found = texts.find(|found| found.file == row.file);
            found.map_or(NOTHING.to_owned(), |found| {
                let perplexity = &found.perplexity;
                format!(
                    "{:.3} ± {:.3}",
                    perplexity.perplexity, perplexity.standard_error
                )
            })
        });
        let tokens = grouped(row.perplexity.tokens as u64);
        table.row([row.file.clone(), tokens].into_iter().chain(cells));
    }
    table
}

fn tasks(scores: &Scores) -> Table {
    let mut table = Table::new(&[
        ("questions", Align::Left),
        ("measure", Align::Left),
        ("right", Align::Right),
        ("of", Align::Right),
        ("share", Align::Right),
    ]);
    for row in &scores.tasks {
        for (index, share) in row.score.shares().iter().enumerate() {
            table.row([
                file_cell(&row.file, index),
                measure_cell(share),
                grouped(share.right as u64),
                grouped(share.of as u64),
                format!("{:.3}", share.value()),
            ]);
        }
    }
    table
}

/// Right answers of several models, in columns.
fn tasks_beside(columns: &[(&str, &Scores)]) -> Table {
    let mut table = Table::new(&[("questions", Align::Left), ("measure", Align::Left)]);
    for (model, _) in columns {
        table.column(model, Align::Right);
    }
    let own = columns.first().map_or(&[][..], |(_, own)| &own.tasks);
    for row in own {
        for (index, share) in row.score.shares().iter().enumerate() {
            let cells = columns.iter().map(|(_, scores)| {
                let found = scores.share(&row.file, &share.measure, share.is_part);
                found.map_or(NOTHING.to_owned(), |found| {
                    format!("{}/{} {:.3}", found.right, found.of, found.value())
                })
            });
            let first = [file_cell(&row.file, index), measure_cell(share)];
            table.row(first.into_iter().chain(cells));
        }
    }
    table
}

/// A file is named in the first of its rows.
fn file_cell(file: &str, row: usize) -> String {
    if row == 0 {
        file.to_owned()
    } else {
        String::new()
    }
}

fn measure_cell(share: &Share) -> String {
    let indent = if share.is_part { "  " } else { "" };
    format!("{indent}{}", share.measure)
}

/// The rows and names of llama.cpp.
fn comparison(comparison: &Comparison) -> Table {
    let mut table = Table::new(&[("measure", Align::Left), ("value", Align::Right)]);
    let percent = |share: f64| format!("{:.3} %", share * 100.0);
    let rows = [
        ("Mean PPL(Q)", format!("{:.4}", comparison.model.perplexity)),
        (
            "Mean PPL(base)",
            format!("{:.4}", comparison.base.perplexity),
        ),
        (
            "Mean ln(PPL(Q)/PPL(base))",
            format!("{:.6}", comparison.mean_ln_ratio),
        ),
        ("Mean KLD", format!("{:.6}", comparison.mean_kld)),
        ("Maximum KLD", format!("{:.6}", comparison.maximum_kld)),
        ("Mean Δp", percent(comparison.mean_delta_p)),
        ("RMS Δp", percent(comparison.rms_delta_p)),
        ("Same top p", percent(comparison.same_top_p)),
    ];
    for (name, value) in rows {
        table.row([name.to_owned(), value]);
    }
    table
}
