//! What a check for hosts gives, as data.

use std::fmt;

use serde::Serialize;

use super::HostFacts;

/// Whether hosts will take a model, with all reasons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostReport {
    /// `org/name`, or the folder's name.
    pub label: String,
    /// The commit, for a model of the hub.
    pub revision: Option<String>,
    /// True when nothing failed; warnings do not matter.
    pub ready: bool,
    /// Every requirement, in a fixed order.
    pub checks: Vec<HostCheck>,
    /// What the model is like and needs.
    pub facts: HostFacts,
}

/// A requirement and whether it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostCheck {
    /// What is required.
    pub requirement: Requirement,
    /// Whether it is met.
    pub outcome: Outcome,
    /// What was found.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Something that hosts require.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// Weights in safetensors.
    Safetensors,
    /// Weights of 16 bits.
    WeightsType,
    /// The shapes of a known base.
    Shapes,
    /// A card with the metadata that the hub reads.
    ModelCard,
    /// A tokenizer that loads.
    Tokenizer,
    /// A chat template that renders.
    ChatTemplate,
    /// Answers that end.
    EndOfText,
    /// A vocabulary that can be converted to GGUF.
    Gguf,
}

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CheckOutcome"))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is.
    Passed,
    /// It is, but somebody should know something.
    Warned,
    /// It is not.
    Failed,
}

impl HostReport {
    /// How many requirements have an outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.outcome == outcome).count()
    }
}

impl HostCheck {
    pub(super) fn passed(requirement: Requirement, reason: impl Into<String>) -> Self {
        Self {
            requirement,
            outcome: Outcome::Passed,
            reason: reason.into(),
            hint: None,
        }
    }

    pub(super) fn warned(
        requirement: Requirement,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            outcome: Outcome::Warned,
            hint: Some(hint.into()),
            ..Self::passed(requirement, reason)
        }
    }

    pub(super) fn failed(
        requirement: Requirement,
        reason: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            outcome: Outcome::Failed,
            ..Self::warned(requirement, reason, hint)
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Safetensors => "safetensors",
            Self::WeightsType => "weights type",
            Self::Shapes => "shapes",
            Self::ModelCard => "model card",
            Self::Tokenizer => "tokenizer",
            Self::ChatTemplate => "chat template",
            Self::EndOfText => "end of text",
            Self::Gguf => "GGUF",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
        })
    }
}
