//! What a recipe will do.

use schemars::JsonSchema;
use serde::Serialize;

/// What a recipe will do.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Plan {
    /// The method's name in recipes.
    pub(crate) method: String,
    /// The method's name in prose.
    pub(crate) title: String,
    /// The models that are read.
    pub(crate) inputs: Vec<PlanInput>,
    /// Tensors of the result.
    pub(crate) tensors: usize,
    /// Elements of the result.
    pub(crate) parameters: u64,
    /// Layers of the result.
    pub(crate) layers: usize,
    /// The type that most weights will have.
    pub(crate) weights_type: String,
    /// The weight files.
    pub(crate) files: Vec<PlanFile>,
    /// Tensors of the inputs that do not reach the result.
    pub(crate) dropped: Vec<PlanDropped>,
    /// Bytes that are read.
    pub(crate) bytes_read: u64,
    /// Bytes that are written.
    pub(crate) bytes_written: u64,
    /// Private memory that the merge may use.
    pub(crate) memory: u64,
    /// How long it will take, by how fast earlier merges were.
    pub(crate) seconds_expected: f64,
    /// Models that are not on this machine.
    pub(crate) needs_download: Vec<MissingModel>,
}

/// A model that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PlanInput {
    /// Its name in the table.
    pub(crate) name: String,
    /// What the recipe calls it.
    pub(crate) label: String,
    /// Whether it is in the table.
    pub(crate) known: bool,
    /// Its tensors.
    pub(crate) tensors: u64,
    /// Elements of all tensors.
    pub(crate) parameters: u64,
    /// Its layers.
    pub(crate) layers: u64,
    /// Whether it is the base model.
    pub(crate) base: bool,
    /// Whether configuration and tokenizer are its.
    pub(crate) donor: bool,
}

/// A weight file of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PlanFile {
    /// Its name.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
}

/// A tensor that does not reach the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PlanDropped {
    /// Its name.
    pub(crate) tensor: String,
    /// The model that has it.
    pub(crate) model: String,
    /// Why.
    pub(crate) reason: String,
}

/// A model that is not on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct MissingModel {
    /// Its name on the hub.
    pub(crate) model: String,
    /// Bytes of its weights.
    pub(crate) bytes: u64,
}
