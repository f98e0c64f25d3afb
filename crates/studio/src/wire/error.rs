//! Answers that are no success.

use schemars::JsonSchema;
use serde::Serialize;
use weightsmith::Diagnostic;

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ErrorAnswer {
    /// What is wrong.
    pub(crate) error: ErrorBody,
    /// What is wrong with the recipe, where that is it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) diagnostics: Option<Vec<Diagnostic>>,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ErrorBody {
    /// A word that stays the same from version to version, such as `name_taken`.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hints: Vec<String>,
}
