//! The tensors of the result, layer by layer: their names, and what they are called in each input.

use std::collections::BTreeMap;

use weightsmith_tensors::{DType, TensorSource};

use super::models::Model;
use super::parameters::Resolver;
use super::slices::PlannedSlice;
use super::{PlannedLayer, PlannedTensor};
use crate::Diagnostic;
use crate::architecture::Place;
use crate::methods::MethodSpec;

/// What all tensors have in common.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) method: &'static MethodSpec,
    pub(super) models: &'a [Model],
    pub(super) slices: &'a [PlannedSlice<'a>],
    /// Type of the result, where the recipe sets one.
    pub(super) dtype: Option<DType>,
    /// Cut vocabularies of different lengths to the shortest instead of failing.
    pub(super) truncate_vocabulary: bool,
    pub(super) resolver: Resolver,
    pub(super) result: Assembled,
    /// Layers of each model's main stack: the names within the layer, and in full.
    layers: Vec<BTreeMap<u64, Vec<LayerTensor>>>,
}

/// What comes of it.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) tensors: Vec<PlannedTensor>,
    pub(super) layers: Vec<PlannedLayer>,
    /// True when some inputs tie their head to the embedding and others do not: the result does not.
    pub(super) unties: bool,
    /// Rows of the vocabulary that were kept, where it was cut.
    pub(super) vocabulary: Option<u64>,
}

#[derive(Debug, Clone)]
struct LayerTensor {
    kind: String,
    name: String,
}

/// An output tensor that is to be made.
#[derive(Debug)]
pub(super) struct Wanted<'n> {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) layer: Option<u64>,
    /// Where gradients are evaluated.
    pub(super) position: f64,
    /// The name in each source of the slice, where it has it.
    pub(super) inputs: &'n [Option<String>],
}

impl<'a> Assembly<'a> {
    pub(super) fn new(
        method: &'static MethodSpec,
        models: &'a [Model],
        slices: &'a [PlannedSlice<'a>],
        dtype: Option<DType>,
        truncate_vocabulary: bool,
    ) -> Self {
        Self {
            method,
            models,
            slices,
            dtype,
            truncate_vocabulary,
            resolver: Resolver::default(),
            result: Assembled::default(),
            layers: models.iter().map(layer_tensors).collect(),
        }
    }

    /// Plans every tensor of the result.
    pub(super) fn assemble(mut self) -> (Assembled, Vec<Diagnostic>) {
        let lengths: Vec<Option<u64>> =
            self.slices.iter().map(|slice| self.length(slice)).collect();
        if let Some(lengths) = lengths.into_iter().collect::<Option<Vec<u64>>>()
            && let ([first, ..], [.., last]) = (self.slices, self.slices)
        {
            self.loose(first, |place| place != Place::After);
            for (index, (slice, length)) in self.slices.iter().zip(lengths).enumerate() {
                self.slice(index, slice, length);
            }
            self.loose(last, |place| place == Place::After);
        }
        (self.result, self.resolver.into_diagnostics())
    }

    /// Number of layers of a slice, if all its sources have them.
    fn length(&mut self, slice: &PlannedSlice<'_>) -> Option<u64> {
        let lead = &slice.sources[slice.base.unwrap_or(0)];
        let length = slice
            .length
            .unwrap_or_else(|| self.models[lead.model].architecture.layers());
        let mut fits = true;
        for source in &slice.sources {
            let model = &self.models[source.model];
            let layers = model.architecture.layers();
            if slice.length.is_none() && layers != length {
                fits = false;
                self.resolver.complain(
                    Diagnostic::error(
                        format!(
                            "`{}` has {layers} layers, `{}` has {length}",
                            model.label(),
                            self.models[lead.model].label()
                        ),
                        source.span,
                    )
                    .hint("choose equally many layers of both with `slices:` and `layer_range`"),
                );
            } else if source.start + length > layers {
                fits = false;
                self.resolver.complain(Diagnostic::error(
                    format!(
                        "layers {} to {} are asked for, `{}` has {layers} (0 to {})",
                        source.start,
                        source.start + length - 1,
                        model.label(),
                        layers.saturating_sub(1)
                    ),
                    source.span,
                ));
            }
        }
        fits.then_some(length)
    }

    /// The tensors outside of the main stack's layers that stand at certain places.
    fn loose(&mut self, slice: &PlannedSlice<'_>, wanted: impl Fn(Place) -> bool) {
        for (name, place) in self.loose_names(slice) {
            if !wanted(place) {
                continue;
            }
            let position = match place {
                Place::Layer { stack, index } => {
                    let lead = &self.models[slice.sources[slice.base.unwrap_or(0)].model];
                    lead.architecture
                        .stacks()
                        .get(stack)
                        .map_or(0.0, |stack| fraction(index, stack.count))
                }
                Place::Before | Place::After => 0.0,
            };
            let Some(inputs) = self.tied_or_own(slice, &name) else {
                continue;
            };
            self.tensor(
                slice,
                &Wanted {
                    kind: name.clone(),
                    name,
                    layer: None,
                    position,
                    inputs: &inputs,
                },
            );
        }
    }

    /// Names outside of the main stack, the lead model's first, each with its place.
    fn loose_names(&self, slice: &PlannedSlice<'_>) -> Vec<(String, Place)> {
        let mut names: indexmap::IndexMap<String, Place> = indexmap::IndexMap::new();
        for position in lead_first(slice) {
            let model = &self.models[slice.sources[position].model];
            for tensor in model.checkpoint.tensors() {
                let place = model.architecture.place(&tensor.name);
                let is_main = matches!(place, Place::Layer { stack, .. } if Some(stack) == model.architecture.main_stack());
                if !is_main {
                    names.entry(tensor.name.clone()).or_insert(place);
                }
            }
        }
        names.into_iter().collect()
    }

    /// The name of a loose tensor in each source: its own, or the embedding's for a head that is tied to it.
    /// `None` for a head that every source ties.
    fn tied_or_own(&mut self, slice: &PlannedSlice<'_>, name: &str) -> Option<Vec<Option<String>>> {
        let models = || {
            slice
                .sources
                .iter()
                .map(|source| &self.models[source.model])
        };
        let own = |model: &Model| model.checkpoint.find(name).map(|_| name.to_owned());
        if !models().any(|model| model.architecture.is_head(name)) {
            return Some(models().map(own).collect());
        }
        let tied = models()
            .filter(|model| model.architecture.tied_source(name).is_some())
            .count();
        if tied == slice.sources.len() {
            return None;
        }
        let names = models()
            .map(|model| {
                model
                    .architecture
                    .tied_source(name)
                    .map(str::to_owned)
                    .or_else(|| own(model))
            })
            .collect();
        self.result.unties |= tied > 0;
        Some(names)
    }

    fn slice(&mut self, index: usize, slice: &PlannedSlice<'_>, length: u64) {
        for offset in 0..length {
            let position = fraction(offset, length);
            let layer = self.result.layers.len() as u64;
            self.result.layers.push(PlannedLayer {
                slice: index,
                position,
                sources: slice
                    .sources
                    .iter()
                    .map(|source| (source.model, source.start + offset))
                    .collect(),
            });
            for kind in self.kinds(slice, offset) {
                let inputs: Vec<Option<String>> = slice
                    .sources
                    .iter()
                    .map(|source| {
                        let tensors = self.layers[source.model].get(&(source.start + offset))?;
                        Some(
                            tensors
                                .iter()
                                .find(|tensor| tensor.kind == kind)?
                                .name
                                .clone(),
                        )
                    })
                    .collect();
                let Some(name) = lead_first(slice).find_map(|position| {
                    let architecture = &self.models[slice.sources[position].model].architecture;
                    Some(architecture.rename_layer(inputs[position].as_ref()?, layer))
                }) else {
                    continue;
                };
                self.tensor(
                    slice,
                    &Wanted {
                        name,
                        kind,
                        layer: Some(layer),
                        position,
                        inputs: &inputs,
                    },
                );
            }
        }
    }

    /// The names within a layer, the lead model's first.
    fn kinds(&self, slice: &PlannedSlice<'_>, offset: u64) -> Vec<String> {
        let mut kinds = indexmap::IndexSet::new();
        for position in lead_first(slice) {
            let source = &slice.sources[position];
            if let Some(tensors) = self.layers[source.model].get(&(source.start + offset)) {
                kinds.extend(tensors.iter().map(|tensor| tensor.kind.clone()));
            }
        }
        kinds.into_iter().collect()
    }
}

/// Positions of a slice's sources, the one that leads (the base, else the first) before the others.
pub(super) fn lead_first(slice: &PlannedSlice<'_>) -> impl Iterator<Item = usize> {
    let lead = slice.base.unwrap_or(0);
    std::iter::once(lead).chain((0..slice.sources.len()).filter(move |position| *position != lead))
}

/// Where layer `index` of `count` stands between 0 and 1; a single layer stands at 1.
fn fraction(index: u64, count: u64) -> f64 {
    if count <= 1 {
        1.0
    } else {
        index as f64 / (count - 1) as f64
    }
}

/// The tensors of each layer of a model's main stack.
fn layer_tensors(model: &Model) -> BTreeMap<u64, Vec<LayerTensor>> {
    let mut layers: BTreeMap<u64, Vec<LayerTensor>> = BTreeMap::new();
    for tensor in model.checkpoint.tensors() {
        if let Some(position) = model.architecture.layer_of(&tensor.name)
            && Some(position.stack) == model.architecture.main_stack()
        {
            let kind = position.rest.to_owned();
            layers.entry(position.index).or_default().push(LayerTensor {
                kind,
                name: tensor.name.clone(),
            });
        }
    }
    layers
}
