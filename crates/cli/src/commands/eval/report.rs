//! What was measured, as a table and as JSON.

use std::fmt::Write as _;

use serde::Serialize;
use weightsmith_infer::evaluate::{ChoiceScore, Comparison, ExactScore, Perplexity};

use crate::printer::HEADING;
use crate::quantities::grouped;
use crate::table::{Align, Table};
use crate::terminal_text::safe;
use crate::text_model::TextModel;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Evaluation {
    model: String,
    #[serde(skip)]
    introduction: String,
    pub(super) texts: Vec<TextRow>,
    comparisons: Vec<ComparisonRow>,
    pub(super) tasks: Vec<TaskRow>,
}

/// A text.
#[derive(Debug, Serialize)]
pub(super) struct TextRow {
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) perplexity: Perplexity,
}

/// A text, and another model.
#[derive(Debug, Serialize)]
struct ComparisonRow {
    file: String,
    against: String,
    #[serde(flatten)]
    comparison: Comparison,
}

/// A file of questions.
#[derive(Debug, Serialize)]
pub(super) struct TaskRow {
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) score: TaskScore,
}

/// How they were answered.
#[derive(Debug, Serialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub(super) enum TaskScore {
    Exact(ExactScore),
    Choice(ChoiceScore),
}

impl Evaluation {
    /// Nothing yet.
    pub(super) fn new(opened: &TextModel) -> Self {
        Self {
            model: opened.label.clone(),
            introduction: opened.introduction(),
            texts: Vec::new(),
            comparisons: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Adds a comparison.
    pub(super) fn compared(&mut self, file: &str, against: &str, comparison: Comparison) {
        self.comparisons.push(ComparisonRow {
            file: file.to_owned(),
            against: against.to_owned(),
            comparison,
        });
    }

    /// As tables.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{HEADING}{}{HEADING:#}\n", safe(&self.introduction));
        let tables = [
            (self.texts.is_empty(), texts(&self.texts)),
            (self.tasks.is_empty(), tasks(&self.tasks)),
        ];
        for (_, table) in tables.iter().filter(|(empty, _)| !empty) {
            let _ = write!(text, "\n{}", table.render());
        }
        for row in &self.comparisons {
            let _ = write!(
                text,
                "\nQ, the model, against the base {}, on {}\n{}",
                safe(&row.against),
                safe(&row.file),
                comparison(&row.comparison).render()
            );
        }
        text
    }
}

fn texts(rows: &[TextRow]) -> Table {
    let mut table = Table::new(&[
        ("text", Align::Left),
        ("tokens", Align::Right),
        ("perplexity", Align::Right),
        ("±", Align::Right),
    ]);
    for row in rows {
        table.row([
            row.file.clone(),
            grouped(row.perplexity.tokens as u64),
            format!("{:.3}", row.perplexity.perplexity),
            format!("{:.3}", row.perplexity.standard_error),
        ]);
    }
    table
}

fn tasks(rows: &[TaskRow]) -> Table {
    let mut table = Table::new(&[
        ("questions", Align::Left),
        ("measure", Align::Left),
        ("right", Align::Right),
        ("of", Align::Right),
        ("share", Align::Right),
    ]);
    let mut add = |file: &str, measure: String, right: usize, of: usize| {
        table.row([
            file.to_owned(),
            measure,
            grouped(right as u64),
            grouped(of as u64),
            format!("{:.3}", right as f64 / of as f64),
        ]);
    };
    for TaskRow { file, score } in rows {
        match score {
            TaskScore::Exact(score) => {
                add(file, "exact match".to_owned(), score.right, score.questions);
                for kind in &score.kinds {
                    add("", format!("  {}", kind.kind), kind.right, kind.questions);
                }
            }
            TaskScore::Choice(score) => {
                add(file, "acc".to_owned(), score.right, score.questions);
                add("", "acc_norm".to_owned(), score.right_norm, score.questions);
            }
        }
    }
    table
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
