//! How good models are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An evaluation of a model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct EvaluationList {
    /// The newest first.
    pub(crate) evaluations: Vec<Evaluation>,
}

/// Evaluations of models on the same data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Evaluation {
    /// The run; none in the run's own result.
    pub(crate) run: Option<i64>,
    /// When.
    pub(crate) at: u64,
    /// On what.
    pub(crate) data: Data,
    /// The result.
    pub(crate) scores: Vec<Score>,
}

/// What is measured on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Data {
    /// What it is called.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: DataKind,
}

/// What data are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DataKind {
    /// A text, of which each token is predicted.
    #[default]
    Perplexity,
    /// Questions to answer.
    Tasks,
}

/// A number about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Score {
    /// The model.
    pub(crate) model: String,
    /// What was measured.
    pub(crate) metric: Metric,
    /// The number.
    pub(crate) value: f64,
    /// Its standard error.
    pub(crate) error: Option<f64>,
    /// The number of tokens or questions.
    pub(crate) count: usize,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    /// Of a text; lower is better.
    Perplexity,
    /// The share of questions whose correct choice was the most likely.
    Accuracy,
    /// The share of correct answers.
    ExactMatch,
}

impl Metric {
    /// Summary.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Perplexity => "perplexity",
            Self::Accuracy => "accuracy",
            Self::ExactMatch => "exact match",
        }
    }
}
