//! The explanation of a plan, as data.

use serde::Serialize;

use super::layer_origins::in_place;
use weightsmith::plan::Value;

/// What a plan does, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// Name of the method in recipes.
    pub method: String,
    /// Name of the method in prose.
    pub title: String,
    /// One sentence on what the method does.
    pub summary: String,
    /// The models, in the plan's order; everything else here refers to them by their index.
    pub models: Vec<ExplainedModel>,
    /// Number of layers of the result.
    pub layers: usize,
    /// Where the result's layers come from: runs of layers that go on in step with their sources.
    pub origins: Vec<LayerOrigin>,
    /// Every parameter, those of a model once for each model.
    pub parameters: Vec<ParameterCurves>,
    /// How much of each model is in the result; `None` where that depends on the tensors and not on coefficients.
    pub shares: Option<Shares>,
    /// The same in sentences.
    pub words: Vec<String>,
}

/// A model that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplainedModel {
    /// `org/name`, or the folder's name.
    pub label: String,
    /// The shortest name that tells it apart from the others: the label without `org/` where that is enough.
    pub name: String,
    /// True for the recipe's base model.
    pub base: bool,
    /// The commit, for a model from the hub.
    pub revision: Option<String>,
    /// Number of layers of its main stack.
    pub layers: u64,
    /// Number of elements of all its tensors.
    pub parameters: u64,
}

/// A run of the result's layers that goes on in step with its sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LayerOrigin {
    /// First layer of the result.
    pub first: usize,
    /// Last layer of the result.
    pub last: usize,
    /// The layers that these are made of.
    pub sources: Vec<OriginSource>,
}

/// The layers of one source of a [`LayerOrigin`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OriginSource {
    /// The model.
    pub model: usize,
    /// Its first layer.
    pub first: u64,
    /// Its last layer.
    pub last: u64,
}

/// One parameter over the layers and outside of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ParameterCurves {
    /// Its name in recipes.
    pub name: String,
    /// Whose it is, for a parameter that every model has its own of.
    pub source: Option<ParameterSource>,
    /// One sentence on what it does.
    pub summary: String,
    /// The range in which its values usually lie.
    pub usual: Option<(f64, f64)>,
    /// Its values over the layers; tensors with the same values are one group.
    pub groups: Vec<CurveGroup>,
    /// Its values for tensors outside the layers.
    pub outside: Vec<OutsideValue>,
}

/// The owner of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ParameterSource {
    /// The model.
    pub model: usize,
    /// 0 for the first mention of that model, 1 for the second and so on: a recipe may name a model twice.
    pub mention: usize,
}

/// Tensors of the layers for which a parameter has the same values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CurveGroup {
    /// What to call them: `all tensors`, `self_attn.*`, `the rest`.
    pub name: String,
    /// Their names within a layer.
    pub kinds: Vec<String>,
    /// The value in each layer; `None` where it is not set or there is no such tensor.
    pub values: Vec<Option<Value>>,
}

/// The value of a parameter for tensors outside the layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutsideValue {
    /// What they are: `embeddings`, `final norm`, `output head`, or tensor names.
    pub parts: Vec<String>,
    /// Their names.
    pub tensors: Vec<String>,
    /// The value.
    pub value: Value,
}

/// How much of each model is in the result: the coefficients of its tensors.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shares {
    /// True when the coefficients of every tensor are fractions that sum to 1.
    pub fractions: bool,
    /// For every layer the share of each model, averaged over the layer's tensors by their size.
    /// `None` for a layer without tensors that count.
    pub layers: Vec<Option<Vec<f64>>>,
    /// The same for tensors with the same shares. A single group when all tensors of a layer agree.
    pub groups: Vec<ShareGroup>,
    /// The shares outside the layers.
    pub outside: Vec<OutsideShare>,
}

/// Tensors of the layers with the same shares.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShareGroup {
    /// What to call them: `all tensors`, `self_attn.*`, `the rest`.
    pub name: String,
    /// Their names within a layer.
    pub kinds: Vec<String>,
    /// For every layer the share of each model; `None` where there is no such tensor.
    pub layers: Vec<Option<Vec<f64>>>,
}

/// The shares of tensors outside the layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutsideShare {
    /// What they are: `embeddings`, `final norm`, `output head`, or tensor names.
    pub parts: Vec<String>,
    /// Their names.
    pub tensors: Vec<String>,
    /// The share of each model.
    pub shares: Vec<f64>,
}

impl Explanation {
    /// The models in the order in which they are drawn: the base first, at the bottom.
    pub fn drawing_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.models.len()).collect();
        order.sort_by_key(|&model| !self.models[model].base);
        order
    }

    /// True when layers are moved and each comes from a single model: then [`Explanation::origins`] says it all.
    pub fn is_stack(&self) -> bool {
        !in_place(&self.origins) && self.origins.iter().all(|origin| origin.sources.len() == 1)
    }
}

impl ParameterCurves {
    /// The value that the parameter has in every tensor that has it, if there is only one.
    pub fn constant(&self) -> Option<&Value> {
        let layers = self
            .groups
            .iter()
            .flat_map(|group| group.values.iter().flatten());
        let mut values = layers.chain(self.outside.iter().map(|outside| &outside.value));
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }

    /// True when the values change from layer to layer in some group: the recipe gives a gradient.
    pub fn varies_over_layers(&self) -> bool {
        self.groups.iter().any(|group| group.constant().is_none())
    }
}

impl CurveGroup {
    /// The value in all layers, if there is only one.
    pub fn constant(&self) -> Option<&Value> {
        let mut values = self.values.iter().flatten();
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }
}

impl Shares {
    /// What to show: the groups while they are few, else the average over all tensors under the name `average`.
    pub fn shown(&self) -> Vec<(&str, &[Option<Vec<f64>>])> {
        if (1..=MAX_SHOWN_GROUPS).contains(&self.groups.len()) {
            let groups = self.groups.iter();
            groups
                .map(|group| (group.name.as_str(), group.layers.as_slice()))
                .collect()
        } else {
            vec![(AVERAGE, self.layers.as_slice())]
        }
    }
}

/// What the average over all tensors of a layer is called.
pub(super) const AVERAGE: &str = "average over all tensors";

/// More groups than this are not told apart in pictures and words.
const MAX_SHOWN_GROUPS: usize = 4;
