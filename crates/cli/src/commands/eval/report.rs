//! What was measured, as JSON; `tables` has it as text.

use serde::Serialize;
use weightsmith_infer::evaluate::{ChoiceScore, Comparison, ExactScore, Perplexity};

/// A model, and all that was measured of it and of those beside it.
#[derive(Debug, Serialize)]
pub(super) struct Evaluation {
    pub(super) model: String,
    /// What the model is, in a few words.
    #[serde(skip)]
    pub(super) introduction: String,
    #[serde(flatten)]
    pub(super) measurement: Measurement,
    pub(super) against: Vec<Beside>,
    /// It was interrupted: the last counts are of a part, and what came after them is missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) incomplete: bool,
}

/// A recipe, and all that was measured of it for each value of a parameter.
#[derive(Debug, Serialize)]
pub(super) struct SweepReport {
    pub(super) model: String,
    pub(super) parameter: String,
    pub(super) values: Vec<Point>,
    pub(super) against: Vec<Beside>,
    /// It was interrupted: values are missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) incomplete: bool,
}

/// A value of the parameter.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    pub(super) value: f64,
    #[serde(flatten)]
    pub(super) measurement: Measurement,
}

/// A model of `--against`.
#[derive(Debug, Serialize)]
pub(super) struct Beside {
    pub(super) model: String,
    #[serde(flatten)]
    pub(super) scores: Scores,
}

/// What was measured of a model.
#[derive(Debug, Default, Serialize)]
pub(super) struct Measurement {
    #[serde(flatten)]
    pub(super) scores: Scores,
    pub(super) comparisons: Vec<ComparisonRow>,
}

/// Evaluations of a model.
#[derive(Debug, Default, Serialize)]
pub(super) struct Scores {
    pub(super) texts: Vec<TextRow>,
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
pub(super) struct ComparisonRow {
    pub(super) file: String,
    pub(super) against: String,
    #[serde(flatten)]
    pub(super) comparison: Comparison,
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

/// A share of questions that were answered right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    /// `exact match`, the kind of question, `acc` or `acc_norm`.
    pub(super) measure: String,
    /// It counts a part of the questions that the share before it counts.
    pub(super) is_part: bool,
    pub(super) right: usize,
    pub(super) of: usize,
}

impl Share {
    /// Right answers to each question.
    pub(super) fn value(&self) -> f64 {
        self.right as f64 / self.of as f64
    }
}

impl Measurement {
    /// Adds a comparison.
    pub(super) fn compared(&mut self, file: &str, against: &str, comparison: Comparison) {
        self.comparisons.push(ComparisonRow {
            file: file.to_owned(),
            against: against.to_owned(),
            comparison,
        });
    }
}

impl Scores {
    /// Adds a text that has not been measured yet.
    pub(super) fn text(&mut self, row: TextRow) {
        if !self.texts.iter().any(|known| known.file == row.file) {
            self.texts.push(row);
        }
    }

    /// A share of a file's questions.
    pub(super) fn share(&self, file: &str, measure: &str, is_part: bool) -> Option<Share> {
        let row = self.tasks.iter().find(|row| row.file == file)?;
        let mut shares = row.score.shares().into_iter();
        shares.find(|share| share.measure == measure && share.is_part == is_part)
    }
}

impl TaskScore {
    /// What is counted, the whole before its parts.
    pub(super) fn shares(&self) -> Vec<Share> {
        let share = |measure: &str, right, of| Share {
            measure: measure.to_owned(),
            is_part: false,
            right,
            of,
        };
        match self {
            Self::Exact(score) => {
                let whole = share("exact match", score.right, score.questions);
                let parts = score.kinds.iter().map(|kind| Share {
                    is_part: true,
                    ..share(&kind.kind, kind.right, kind.questions)
                });
                std::iter::once(whole).chain(parts).collect()
            }
            Self::Choice(score) => vec![
                share("acc", score.right, score.questions),
                share("acc_norm", score.right_norm, score.questions),
            ],
        }
    }
}
