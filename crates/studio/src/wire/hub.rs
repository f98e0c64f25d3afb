//! Models of the hub.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) struct HubSearch {
    /// Parts of the model's name.
    #[serde(default)]
    pub(crate) q: String,
}

/// Models on the Hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HubModels {
    /// Models whose names match.
    #[schemars(length(max = 30))]
    pub(crate) models: Vec<HubModel>,
}

/// A model of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HubModel {
    /// Its name, `organization/name`.
    pub(crate) name: String,
    /// Downloads in the last 30 days.
    pub(crate) downloads: u64,
    /// Its likes.
    pub(crate) likes: u64,
    /// When it was last changed.
    pub(crate) updated: Option<i64>,
    /// What it is for, such as `text-generation`.
    pub(crate) task: Option<String>,
    /// The license identifier.
    pub(crate) license: Option<String>,
    /// Whether the model is gated.
    pub(crate) gated: bool,
}
