//! The recipe's body as slices, whatever form it was written in.

use crate::model::LocateOptions;
use crate::recipe::{Body, ModelReference, ModuleBody, Parameters, Recipe, Slice, Source};
use crate::{Diagnostic, Span, Spanned};

use super::models::Models;

/// Some layers of the result, and what they are made of.
#[derive(Debug)]
pub(super) struct PlannedSlice<'a> {
    /// The inputs, by position.
    pub(super) sources: Vec<SliceSource<'a>>,
    /// Position of the base.
    pub(super) base: Option<usize>,
    /// Number of layers; `None` for all that the models have.
    pub(super) length: Option<u64>,
    /// Parameters of the slice and of the levels above it, innermost first.
    pub(super) levels: Vec<&'a Parameters>,
    /// Where it stands.
    pub(super) span: Span,
}

/// An input of a slice.
#[derive(Debug)]
pub(super) struct SliceSource<'a> {
    /// Index of the model.
    pub(super) model: usize,
    /// Its first layer.
    pub(super) start: u64,
    /// Where its range of layers stands, for a source of `slices:`.
    pub(super) range: Option<Span>,
    /// How many layers it names there.
    pub(super) length: Option<u64>,
    /// Its own parameters; none for a base that the slice does not list.
    pub(super) parameters: Option<&'a Parameters>,
    /// Where it stands.
    pub(super) span: Span,
}

/// The body of a recipe, its models opened.
#[derive(Debug)]
pub(super) struct Arranged<'a> {
    /// The slices, in the order of the result. Never empty.
    pub(super) slices: Vec<PlannedSlice<'a>>,
    /// Index of the model that the recipe's own `base_model` names, also where no slice has it among its sources.
    pub(super) base: Option<usize>,
}

impl Arranged<'_> {
    /// Index of the model whose config and tokenizer come along.
    pub(super) fn donor(&self) -> usize {
        donor(&self.slices, self.base)
    }
}

/// The base, else the first model.
pub(super) fn donor(slices: &[PlannedSlice<'_>], base: Option<usize>) -> usize {
    let first = slices.first().and_then(|slice| slice.sources.first());
    base.or(first.map(|source| source.model)).unwrap_or(0)
}

/// Opens the models of a recipe and arranges them by slices.
///
/// Returns nothing when a model could not be opened; the diagnostics say why.
pub(super) fn arrange<'a>(
    recipe: &'a Recipe,
    models: &mut Models,
    options: &LocateOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Arranged<'a>> {
    let mut opener = Opener {
        models,
        options,
        diagnostics,
        refused: Vec::new(),
    };
    // in the order in which the recipe names them, so that all problems are found and the order of inputs is the reader's
    let slices = match inputs(recipe) {
        Some((Inputs::Models(sources), levels)) => opener
            .whole_models(recipe, sources, levels)
            .map(|slice| vec![slice]),
        Some((Inputs::Slices(slices), levels)) => {
            let slices: Vec<_> = slices
                .iter()
                .map(|slice| opener.slice(recipe, slice, &levels))
                .collect();
            slices.into_iter().collect()
        }
        None => {
            opener.diagnostics.push(
                Diagnostic::error(
                    "recipes with several `modules:` are not supported yet",
                    recipe.span,
                )
                .hint("`models:` merges all parts of models that have several"),
            );
            None
        }
    };
    let base = match recipe.base_model.as_ref() {
        Some(reference) => Some(opener.open(reference)?),
        None => None,
    };
    Some(Arranged {
        slices: slices?,
        base,
    })
}

/// The inputs of a recipe, or of its only module.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inputs<'a> {
    /// Whole models.
    Models(&'a [Source]),
    /// Ranges of layers.
    Slices(&'a [Slice]),
}

/// The inputs and the parameters above them, innermost first; nothing for a recipe with several modules.
pub(super) fn inputs(recipe: &Recipe) -> Option<(Inputs<'_>, Vec<&Parameters>)> {
    let top = &recipe.parameters;
    match &recipe.body {
        Body::Models(sources) => Some((Inputs::Models(sources), vec![top])),
        Body::Slices(slices) => Some((Inputs::Slices(slices), vec![top])),
        Body::Modules(modules) => {
            let [only] = modules.as_slice() else {
                return None;
            };
            let inputs = match &only.body {
                ModuleBody::Models(sources) => Inputs::Models(sources),
                ModuleBody::Slices(slices) => Inputs::Slices(slices),
            };
            Some((inputs, vec![&only.parameters, top]))
        }
    }
}

struct Opener<'m> {
    models: &'m mut Models,
    options: &'m LocateOptions,
    diagnostics: &'m mut Vec<Diagnostic>,
    /// Adapters that were refused. A recipe names few different models.
    refused: Vec<ModelReference>,
}

impl Opener<'_> {
    fn open(&mut self, reference: &Spanned<ModelReference>) -> Option<usize> {
        let index = self.models.index(reference, self.options, self.diagnostics);
        let Some(lora) = &reference.value.lora else {
            return index;
        };
        // a base model is opened for every slice
        if self.refused.contains(&reference.value) {
            return None;
        }
        self.refused.push(reference.value.clone());
        let refusal = Diagnostic::error(
            format!(
                "LoRA adapters are not supported yet: `{}` on `{}`",
                lora.path, reference.value.path
            ),
            reference.span,
        )
        .hint("merge the adapter into its model first, for example with PEFT's `merge_and_unload`");
        self.diagnostics.push(refusal);
        None
    }

    fn sources<'a>(&mut self, sources: &'a [Source]) -> Option<Vec<SliceSource<'a>>> {
        let opened: Vec<_> = sources
            .iter()
            .map(|source| {
                Some(SliceSource {
                    model: self.open(&source.model)?,
                    start: source.layer_range.as_ref().map_or(0, |range| range.value.0),
                    range: source.layer_range.as_ref().map(|range| range.span),
                    length: source
                        .layer_range
                        .as_ref()
                        .map(|range| range.value.1 - range.value.0),
                    parameters: Some(&source.parameters),
                    span: source.span,
                })
            })
            .collect();
        opened.into_iter().collect()
    }

    fn whole_models<'a>(
        &mut self,
        recipe: &'a Recipe,
        sources: &'a [Source],
        levels: Vec<&'a Parameters>,
    ) -> Option<PlannedSlice<'a>> {
        let sources = self.sources(sources);
        let base = recipe
            .base_model
            .as_ref()
            .map(|base| (self.open(base), base.span));
        let mut sources = sources?;
        let base = match base {
            None => None,
            Some((model, span)) => {
                let model = model?;
                let listed = sources.iter().position(|source| source.model == model);
                Some(listed.unwrap_or_else(|| {
                    sources.push(SliceSource {
                        model,
                        start: 0,
                        range: None,
                        length: None,
                        parameters: None,
                        span,
                    });
                    sources.len() - 1
                }))
            }
        };
        Some(PlannedSlice {
            sources,
            base,
            length: None,
            levels,
            // where to look for what all models have in common
            span: recipe.merge_method.span,
        })
    }

    fn slice<'a>(
        &mut self,
        recipe: &'a Recipe,
        slice: &'a Slice,
        outer: &[&'a Parameters],
    ) -> Option<PlannedSlice<'a>> {
        let sources = self.sources(&slice.sources);
        let base = match slice.base_model.as_ref().or(recipe.base_model.as_ref()) {
            None => None,
            Some(reference) => Some(self.open(reference)?),
        };
        let sources = sources?;
        Some(PlannedSlice {
            base: base.and_then(|base| sources.iter().position(|source| source.model == base)),
            length: slice.layer_count(),
            levels: std::iter::once(&slice.parameters)
                .chain(outer.iter().copied())
                .collect(),
            span: slice.span,
            sources,
        })
    }
}
