//! What a recipe will do.

use schemars::JsonSchema;
use serde::Serialize;

/// The plan of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Plan {
    /// The method's name in recipes.
    pub(crate) method: String,
    /// The method's title.
    pub(crate) title: String,
    /// The input models.
    pub(crate) inputs: Vec<PlanInput>,
    /// Tensors of the result.
    pub(crate) tensors: usize,
    /// Elements of the result.
    pub(crate) parameters: u64,
    /// Layers of the result.
    pub(crate) layers: usize,
    /// The main type of the weights.
    pub(crate) weights_type: String,
    /// The weight files.
    pub(crate) files: Vec<PlanFile>,
    /// Dropped input tensors.
    pub(crate) dropped: Vec<PlanDropped>,
    /// Bytes to read.
    pub(crate) bytes_read: u64,
    /// Bytes to write.
    pub(crate) bytes_written: u64,
    /// Maximum private memory of the merge.
    pub(crate) memory: u64,
    /// The estimated time, from earlier merges.
    pub(crate) seconds_expected: f64,
    /// Models that are not on this machine.
    pub(crate) needs_download: Vec<MissingModel>,
}

/// A model that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct PlanInput {
    /// The model's name in the list.
    pub(crate) name: String,
    /// Its name in the recipe.
    pub(crate) label: String,
    /// Whether it is in the list.
    pub(crate) known: bool,
    /// Its tensors.
    pub(crate) tensors: u64,
    /// Elements of all tensors.
    pub(crate) parameters: u64,
    /// Its layers.
    pub(crate) layers: u64,
    /// Whether it is the base model.
    pub(crate) base: bool,
    /// Whether it provides the configuration and tokenizer.
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
    /// Its name on the Hub.
    pub(crate) model: String,
    /// Bytes of its weights.
    pub(crate) bytes: u64,
}
