//! The result of a comparison, as data.

use serde::{Deserialize, Serialize};
use weightsmith_tensors::TensorInfo;

/// How two checkpoints, A and B, differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// All tensors together.
    pub summary: Summary,
    /// The tensors of each layer of the main stack, first layer first, then those outside the layers.
    pub layers: Vec<Group>,
    /// The tensors of each kind, such as all `mlp.up_proj.weight`, in A's order.
    pub kinds: Vec<Group>,
    /// Every tensor of either, in A's order, then those that only B has.
    pub tensors: Vec<TensorDifference>,
}

/// All tensors together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DifferenceSummary"))]
pub struct Summary {
    /// True when both have the same tensors with the same bytes.
    pub same: bool,
    /// Tensors with the same bytes.
    pub tensors_same: usize,
    /// Tensors of one type and shape whose bytes differ.
    pub tensors_different: usize,
    /// Tensors of one shape and two types.
    pub tensors_of_two_types: usize,
    /// Tensors of two shapes.
    pub tensors_of_two_shapes: usize,
    /// Tensors that B lacks.
    pub tensors_only_in_a: usize,
    /// Tensors that A lacks.
    pub tensors_only_in_b: usize,
    /// What was measured over all tensors whose values could be compared.
    pub measures: Measures,
    /// Whether A and B look like trainings of one model; `None` without a matrix that both have.
    pub kinship: Option<Kinship>,
}

/// Whether two models look like trainings of one model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Kinship {
    /// Cosine over all matrices that both have. Vectors are left out: norms and biases of strangers resemble each other.
    pub cosine: f64,
    /// False when the cosine is so near to 0 that merging would average unrelated numbers.
    pub siblings: bool,
}

/// Several tensors together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// `layer 3`, `outside the layers`, or the kind's name.
    pub name: String,
    /// Number of tensors.
    pub tensors: usize,
    /// How many of them have the same bytes in both.
    pub same: usize,
    /// What was measured over those whose values could be compared.
    pub measures: Measures,
}

/// A tensor of A, of B or of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorDifference {
    /// Its name.
    pub name: String,
    /// Its layer in the main stack.
    pub layer: Option<u64>,
    /// Its name within the layer, or its whole name outside the layers.
    pub kind: String,
    /// Type and shape in A.
    pub a: Option<TensorInfo>,
    /// Type and shape in B.
    pub b: Option<TensorInfo>,
    /// The outcome.
    pub state: State,
    /// What was measured, where both have the tensor with one shape. Types without arithmetic are compared by their bytes alone.
    pub measures: Option<Measures>,
}

/// The outcome for one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// B lacks it.
    OnlyInA,
    /// A lacks it.
    OnlyInB,
    /// Both have it with two shapes.
    ShapeDiffers,
    /// Both have it with one shape and two types; values are compared where both types are floats.
    TypeDiffers,
    /// Both have it with one type and shape, and bytes differ.
    Different,
    /// The same bytes.
    Same,
}

/// Numbers about the values of A and B.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "DifferenceMeasures"))]
pub struct Measures {
    /// Elements that were compared.
    pub elements: u64,
    /// Elements whose bytes differ; for two types, whose values differ.
    pub changed: u64,
    /// `changed / elements`.
    pub changed_share: f64,
    /// NaN or infinite in A, B or the base; they count in none of the following numbers.
    pub non_finite: u64,
    /// Largest |A − B|; `None` for types without arithmetic.
    pub max_difference: Option<f64>,
    /// ‖A − B‖ / ‖A‖, 0 where both are zero; `None` where A alone is zero.
    pub relative_difference: Option<f64>,
    /// Cosine between A and B; `None` where one of them is zero.
    pub cosine: Option<f64>,
    /// What A and B have learnt since the base, where a base was given and has the tensor in that shape.
    pub task: Option<TaskMeasures>,
}

/// Numbers about the task vectors A − base and B − base.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskMeasures {
    /// Elements that the base has as well.
    pub elements: u64,
    /// ‖A − base‖ / ‖base‖; `None` where the base is zero.
    pub relative_length_a: Option<f64>,
    /// ‖B − base‖ / ‖base‖; `None` where the base is zero.
    pub relative_length_b: Option<f64>,
    /// Cosine between the task vectors; `None` where one of them is zero.
    pub cosine: Option<f64>,
    /// Elements where both moved away from the base, in opposite directions.
    pub sign_conflicts: u64,
    /// `sign_conflicts / elements`.
    pub sign_conflict_share: f64,
}
