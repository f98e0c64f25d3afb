//! Answers that are no success.

use schemars::JsonSchema;
use serde::Serialize;
use weightsmith::Diagnostic;

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ErrorAnswer {
    /// The error message.
    pub(crate) error: ErrorBody,
    /// The problems of the recipe, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) diagnostics: Option<Vec<Diagnostic>>,
}

/// The error, with hints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ErrorBody {
    /// A word that stays the same from version to version, such as `name_taken`.
    pub(crate) code: String,
    /// The error message.
    pub(crate) message: String,
    /// A hint.
    pub(crate) hints: Vec<String>,
}
