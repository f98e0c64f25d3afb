//! The tensors of the result, layer by layer: their names, and what they are called in each input.

use std::collections::BTreeMap;

use indexmap::{IndexMap, IndexSet};
use weightsmith_tensors::DType;

use super::models::Model;
use super::parameters::Resolver;
use super::slices::{PlannedSlice, SliceSource};
use super::{DropReason, PlannedLayer, PlannedTensor};
use crate::Diagnostic;
use crate::architecture::{LayerPlace, MOST_LAYERS};
use crate::methods::MethodSpec;

/// Layers of a model made of several slices at most, and those of its models that they are made of.
const MOST_STACKED: u64 = 4096;
const MOST_READ: u64 = 8192;

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
    /// Layers of each model's main stack.
    layers: Vec<BTreeMap<u64, LayerNames>>,
}

/// The tensors of a layer: for each name within the layer the full one, in the checkpoint's order.
type LayerNames = IndexMap<String, String>;

/// What comes of it.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) tensors: Vec<PlannedTensor>,
    pub(super) layers: Vec<PlannedLayer>,
    /// The output head, where the inputs have one.
    pub(super) head: Option<Head>,
    /// Tensors of inputs, by input and name, that the method has no use for because others lack them, with the reason.
    pub(super) left_out: BTreeMap<(usize, String), DropReason>,
}

/// Where the result's output head is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// It is the embedding.
    Tied,
    /// It is a tensor of its own.
    Own,
}

/// A tensor outside of the main stack's layers.
#[derive(Debug)]
struct Loose {
    place: LayerPlace,
    /// Where gradients are evaluated.
    position: f64,
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
            && self.few_enough(&lengths)
            && let ([first, ..], [.., last]) = (self.slices, self.slices)
        {
            self.loose(first, |place| place != LayerPlace::After);
            for (index, (slice, length)) in self.slices.iter().zip(lengths).enumerate() {
                self.slice(index, slice, length);
            }
            self.loose(last, |place| place == LayerPlace::After);
            self.head_of_tied_end(first, last);
            if self.ends().all(|model| model.architecture.is_tied()) {
                self.result.head.get_or_insert(Head::Tied);
            }
        }
        (self.result, self.resolver.into_diagnostics())
    }

    /// Refuses a result with more layers, or layers of more models, than anybody stacks. A few bytes of a recipe ask for a layer,
    /// whose plan takes kilobytes for each of its models.
    fn few_enough(&mut self, lengths: &[u64]) -> bool {
        if lengths.len() < 2 {
            return true;
        }
        let (mut stacked, mut read) = (0_u64, 0_u64);
        for (slice, length) in self.slices.iter().zip(lengths) {
            stacked = stacked.saturating_add(*length);
            read = read.saturating_add(length.saturating_mul(slice.sources.len() as u64));
        }
        let message = if stacked > MOST_STACKED {
            format!("the slices stack {stacked} layers, expected at most {MOST_STACKED}")
        } else if read > MOST_READ {
            format!("the slices merge {read} layers of their models, expected at most {MOST_READ}")
        } else {
            return true;
        };
        let place = self.slices.first().map(|slice| slice.span);
        self.resolver.complain(Diagnostic::error(message, place));
        false
    }

    /// Number of layers of a slice, if all its sources have them.
    fn length(&mut self, slice: &PlannedSlice<'_>) -> Option<u64> {
        let lead = &self.models[slice.sources[slice.base.unwrap_or(0)].model];
        let length = slice.length.unwrap_or_else(|| lead.architecture.layers());
        let mut fits = true;
        for source in &slice.sources {
            let model = &self.models[source.model];
            let problem = too_many_layers(model)
                .or_else(|| other_layers(lead, model))
                .map(|problem| (problem, source.span))
                .or_else(|| {
                    let length = source.length.unwrap_or(length);
                    let problem = wrong_length(lead, model, slice.length, source.start, length)?;
                    Some((problem, source.range.unwrap_or(source.span)))
                });
            if let Some(((message, hint), place)) = problem {
                fits = false;
                let diagnostic = Diagnostic::error(message, place);
                self.resolver.complain(match hint {
                    Some(hint) => diagnostic.hint(hint),
                    None => diagnostic,
                });
            }
        }
        fits.then_some(length)
    }

    /// The tensors outside of the main stack's layers that stand at certain places.
    fn loose(&mut self, slice: &PlannedSlice<'_>, wanted: impl Fn(LayerPlace) -> bool) {
        for (name, loose) in self.loose_names(slice) {
            if wanted(loose.place)
                && let Some(inputs) = self.tied_or_own(slice, &name)
            {
                self.loose_tensor(slice, name, loose.position, &inputs);
            }
        }
    }

    fn loose_tensor(
        &mut self,
        slice: &PlannedSlice<'_>,
        name: String,
        position: f64,
        inputs: &[Option<String>],
    ) {
        self.tensor(
            slice,
            &Wanted {
                kind: name.clone(),
                name,
                layer: None,
                position,
                inputs,
            },
        );
    }

    /// The head of a stack that ends with a tied model and begins with an untied one: the last model's embedding, since
    /// the result has another one.
    fn head_of_tied_end(&mut self, first: &PlannedSlice<'_>, last: &PlannedSlice<'_>) {
        for (name, loose) in self.loose_names(first) {
            let is_planned = |tensor: &PlannedTensor| tensor.name == name;
            let is_tied = |model: &Model| model.architecture.tied_source(&name).is_some();
            if loose.place == LayerPlace::After
                && self.is_head(first, &name)
                && !self.result.tensors.iter().any(is_planned)
                && self.models_of(last).any(is_tied)
                && let Some(inputs) = self.tied_or_own(last, &name)
            {
                self.loose_tensor(last, name, loose.position, &inputs);
            }
        }
    }

    /// Names outside of the main stack, the lead model's first.
    fn loose_names(&self, slice: &PlannedSlice<'_>) -> IndexMap<String, Loose> {
        let mut names = IndexMap::new();
        for position in lead_first(slice) {
            let architecture = &self.models[slice.sources[position].model].architecture;
            let checkpoint = &self.models[slice.sources[position].model].source;
            for tensor in checkpoint.tensors() {
                let place = architecture.place(&tensor.name);
                let position = match place {
                    LayerPlace::Layer { stack, .. } if Some(stack) == architecture.main_stack() => {
                        continue;
                    }
                    LayerPlace::Layer { stack, index } => {
                        fraction(index, architecture.stacks()[stack].count)
                    }
                    LayerPlace::Before | LayerPlace::After => 0.0,
                };
                if !names.contains_key(&tensor.name) {
                    names.insert(tensor.name.clone(), Loose { place, position });
                }
            }
        }
        names
    }

    fn models_of<'s>(
        &self,
        slice: &'s PlannedSlice<'_>,
    ) -> impl Iterator<Item = &'a Model> + use<'s, 'a> {
        let models = self.models;
        slice.sources.iter().map(|source| &models[source.model])
    }

    /// Whether a name is an output head's in any source of a slice.
    pub(super) fn is_head(&self, slice: &PlannedSlice<'_>, name: &str) -> bool {
        self.models_of(slice)
            .any(|model| model.architecture.is_head(name))
    }

    /// The models that give the embedding and the head.
    fn ends(&self) -> impl Iterator<Item = &'a Model> + use<'_, 'a> {
        let ends = [self.slices.first(), self.slices.last()];
        ends.into_iter()
            .flatten()
            .flat_map(|slice| self.models_of(slice))
    }

    /// Whether the result's head is its embedding: where it is so in every model that gives one of the two.
    fn is_tied(&self, name: &str) -> bool {
        self.ends()
            .all(|model| model.architecture.tied_source(name).is_some())
    }

    /// The name of a loose tensor in each source: its own, or the embedding's for a head that is tied to it.
    /// `None` for a head that is tied in the result.
    fn tied_or_own(&mut self, slice: &PlannedSlice<'_>, name: &str) -> Option<Vec<Option<String>>> {
        let own = |model: &Model| model.source.find(name).map(|_| name.to_owned());
        if !self.is_head(slice, name) {
            return Some(self.models_of(slice).map(own).collect());
        }
        if self.is_tied(name) {
            self.result.head.get_or_insert(Head::Tied);
            return None;
        }
        self.result.head = Some(Head::Own);
        let tied = |model: &Model| model.architecture.tied_source(name).map(str::to_owned);
        Some(
            self.models_of(slice)
                .map(|model| tied(model).or_else(|| own(model)))
                .collect(),
        )
    }

    fn slice(&mut self, index: usize, slice: &PlannedSlice<'_>, length: u64) {
        let depth = self.depth(slice, length);
        for offset in 0..length {
            let position = fraction(offset.min(depth.saturating_sub(1)), depth);
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
                self.layer_tensor(slice, (offset, layer), kind, position);
            }
        }
    }

    /// Plans a tensor of layer `offset` of a slice, which is layer `layer` of the result.
    fn layer_tensor(
        &mut self,
        slice: &PlannedSlice<'_>,
        (offset, layer): (u64, u64),
        kind: String,
        position: f64,
    ) {
        let name_in = |source: &SliceSource<'_>| {
            let names = self.layers[source.model].get(&(source.start + offset))?;
            names.get(&kind).cloned()
        };
        let inputs: Vec<Option<String>> = slice.sources.iter().map(name_in).collect();
        let Some(name) = lead_first(slice).find_map(|position| {
            let architecture = &self.models[slice.sources[position].model].architecture;
            Some(architecture.rename_layer(inputs[position].as_ref()?, layer))
        }) else {
            return;
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

    /// The number of layers that gradients stretch over: without those behind the end that predict further tokens,
    /// where whole models are merged.
    fn depth(&self, slice: &PlannedSlice<'_>, length: u64) -> u64 {
        let lead = &self.models[slice.sources[slice.base.unwrap_or(0)].model];
        match slice.length {
            Some(_) => length,
            None => lead.architecture.counted_layers(),
        }
    }

    /// The names within a layer, the lead model's first.
    fn kinds(&self, slice: &PlannedSlice<'_>, offset: u64) -> IndexSet<String> {
        lead_first(slice)
            .filter_map(|position| {
                let source = &slice.sources[position];
                self.layers[source.model].get(&(source.start + offset))
            })
            .flat_map(|names| names.keys().cloned())
            .collect()
    }
}

/// What is wrong, and what can be done about it.
type Problem = (String, Option<String>);

fn too_many_layers(model: &Model) -> Option<Problem> {
    let layers = model.architecture.layers();
    (layers > MOST_LAYERS).then(|| {
        let message = format!(
            "the tensors of `{}` count {layers} layers, expected at most {MOST_LAYERS}",
            model.label()
        );
        (message, None)
    })
}

/// Where one model's layers are another part of the other, such as the encoder's of a model whose decoder counts.
fn other_layers(lead: &Model, model: &Model) -> Option<Problem> {
    let prefix = |model: &Model| {
        let stack = model.architecture.main_stack()?;
        Some(model.architecture.stacks()[stack].prefix.clone())
    };
    let has = |model: &Model, prefix: &str| {
        let stacks = model.architecture.stacks();
        stacks.iter().any(|stack| stack.prefix == prefix)
    };
    let (wanted, found) = (prefix(lead)?, prefix(model)?);
    let differ = wanted != found && (has(lead, &found) || has(model, &wanted));
    differ.then(|| {
        let message = format!(
            "the layers of `{}` are `{found}N`, those of `{}` are `{wanted}N`",
            model.label(),
            lead.label()
        );
        (
            message,
            Some("merge models of the same architecture, with their `config.json`".to_owned()),
        )
    })
}

fn wrong_length(
    lead: &Model,
    model: &Model,
    asked: Option<u64>,
    start: u64,
    length: u64,
) -> Option<Problem> {
    let (label, layers) = (model.label(), model.architecture.layers());
    if asked.is_none() {
        let message = format!(
            "`{label}` has {layers} layers, `{}` has {length}",
            lead.label()
        );
        let hint = "choose the same number of layers from both with `slices:` and `layer_range`";
        return (layers != length).then(|| (message, Some(hint.to_owned())));
    }
    let end = start.saturating_add(length);
    (end > layers).then(|| {
        let message = format!(
            "layers {start} to {} are requested, but `{label}` has {layers} (0 to {})",
            end - 1,
            layers.saturating_sub(1)
        );
        let hint =
            format!("the end of a `layer_range` is exclusive: `[0, {layers}]` is all of `{label}`");
        (message, (layers > 0).then_some(hint))
    })
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
fn layer_tensors(model: &Model) -> BTreeMap<u64, LayerNames> {
    let mut layers: BTreeMap<u64, LayerNames> = BTreeMap::new();
    for tensor in model.source.tensors() {
        if let Some(position) = model.architecture.layer_of(&tensor.name)
            && Some(position.stack) == model.architecture.main_stack()
        {
            layers
                .entry(position.index)
                .or_default()
                .insert(position.rest.to_owned(), tensor.name.clone());
        }
    }
    layers
}
