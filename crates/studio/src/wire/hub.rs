//! Models of the hub.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) struct HubSearch {
    /// Parts of a model's name.
    #[serde(default)]
    pub(crate) q: String,
}

/// Models of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HubModels {
    /// Those that have the name's parts.
    #[schemars(length(max = 30))]
    pub(crate) models: Vec<HubModel>,
}

/// A model of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HubModel {
    /// Its name, `organisation/name`.
    pub(crate) name: String,
    /// Downloads in the last 30 days.
    pub(crate) downloads: u64,
    /// How many like it.
    pub(crate) likes: u64,
    /// When it was changed last.
    pub(crate) updated: Option<i64>,
    /// What it is for, such as `text-generation`.
    pub(crate) task: Option<String>,
    /// The identifier of its licence.
    pub(crate) license: Option<String>,
    /// Whether its licence must be accepted first.
    pub(crate) gated: bool,
}
