//! Difference between two models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weightsmith_report::diff::Summary;

/// Difference between two models: a map of layers and kinds of tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Difference {
    /// The other model.
    pub(crate) against: String,
    /// When it was computed.
    pub(crate) computed: u64,
    /// All tensors together.
    pub(crate) summary: Summary,
    /// The numbers of the layers, in their order.
    pub(crate) layers: Vec<String>,
    /// The names that tensors have within a layer.
    pub(crate) kinds: Vec<String>,
    /// For each layer, a cell for each kind.
    pub(crate) cells: Vec<Vec<Cell>>,
    /// Tensors outside the layers.
    pub(crate) outside: Vec<OutsideTensor>,
}

/// A tensor of the map; none where one of the models lacks it.
pub(crate) type Cell = Option<Distance>;

/// A tensor's distance from the other model's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Distance {
    /// The cosine of the two; none if one is zero.
    pub(crate) cosine: Option<f64>,
    /// The norm of the difference, relative to the other tensor.
    pub(crate) relative: Option<f64>,
    /// The share of elements that differ.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) changed: Option<f64>,
}

/// A tensor outside the layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct OutsideTensor {
    /// Its distance from the other model's tensor.
    #[serde(flatten)]
    pub(crate) distance: Distance,
    /// Its name.
    pub(crate) name: String,
}
