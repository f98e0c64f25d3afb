//! How a model differs from another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weightsmith_report::diff::Summary;

/// How a model differs from another: a map of layers and kinds of tensors.
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
    /// Tensors outside of the layers.
    pub(crate) outside: Vec<OutsideTensor>,
}

/// A tensor of the map; none where one of the models lacks it.
pub(crate) type Cell = Option<Distance>;

/// How far a tensor is from that of the other model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Distance {
    /// The cosine between the two; none where one of them is zero.
    pub(crate) cosine: Option<f64>,
    /// The norm of the difference, as a multiple of the other tensor's.
    pub(crate) relative: Option<f64>,
    /// The share of elements that differ.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) changed: Option<f64>,
}

/// A tensor outside of the layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct OutsideTensor {
    /// How far it is from that of the other model.
    #[serde(flatten)]
    pub(crate) distance: Distance,
    /// Its name.
    pub(crate) name: String,
}
