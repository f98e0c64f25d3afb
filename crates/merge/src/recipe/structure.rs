//! The parts of a recipe.

use std::sync::Arc;

use weightsmith_tensors::DType;

use super::{ModelReference, Parameters, Tokenizer, TokenizerSource};
use crate::{Span, Spanned};

/// One merge: one document of a recipe file.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The method's name as written; whether it exists is not checked here.
    pub merge_method: Spanned<String>,
    /// The model that task vectors are taken against, or the first end of an interpolation.
    pub base_model: Option<Spanned<ModelReference>>,
    /// The inputs.
    pub body: Body,
    /// Type of the result, unless `out_dtype` says otherwise: F16, BF16, F32 or F64.
    pub dtype: Option<Spanned<DType>>,
    /// Type of the result: F16, BF16, F32 or F64.
    pub out_dtype: Option<Spanned<DType>>,
    /// Parameters that hold where no module, slice or source sets them.
    pub parameters: Parameters,
    /// How the output's tokenizer and embeddings are made.
    pub tokenizer: Option<Tokenizer>,
    /// The older, shorter form of `tokenizer`; never given together with it.
    pub tokenizer_source: Option<Spanned<TokenizerSource>>,
    /// `auto`, the name of a template, or a Jinja text.
    pub chat_template: Option<Spanned<String>>,
    /// The name under which other documents of the file refer to this merge's result.
    pub name: Option<Spanned<String>>,
    /// The whole document.
    pub span: Span,
    /// The text that it was read from.
    pub text: Arc<str>,
}

impl Recipe {
    /// All models that the recipe names, in the order of the text's parts; the same model may come several times.
    pub fn references(&self) -> Vec<&Spanned<ModelReference>> {
        let mut references: Vec<_> = self.base_model.iter().collect();
        match &self.body {
            Body::Models(sources) => references.extend(models(sources)),
            Body::Slices(slices) => references.extend(slices.iter().flat_map(Slice::references)),
            Body::Modules(modules) => {
                for module in modules {
                    match &module.body {
                        ModuleBody::Models(sources) => references.extend(models(sources)),
                        ModuleBody::Slices(slices) => {
                            references.extend(slices.iter().flat_map(Slice::references));
                        }
                    }
                }
            }
        }
        references
    }
}

fn models(sources: &[Source]) -> impl Iterator<Item = &Spanned<ModelReference>> {
    sources.iter().map(|source| &source.model)
}

/// The inputs of a merge, in one of the three forms.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Whole models. Never empty.
    Models(Vec<Source>),
    /// Ranges of layers, stacked in this order. Never empty.
    Slices(Vec<Slice>),
    /// The parts of a model that has several, such as a text and a vision tower. Never empty.
    Modules(Vec<Module>),
}

/// One input model, or a range of its layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Which model.
    pub model: Spanned<ModelReference>,
    /// Its layers `[start, end)`, `start < end`. Always given in slices, never given under `models:`.
    pub layer_range: Option<Spanned<(u64, u64)>>,
    /// Parameters of this input alone.
    pub parameters: Parameters,
    /// The whole entry.
    pub span: Span,
}

/// A run of output layers, made of equally long ranges of layers of the sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The inputs. Never empty; all ranges have the same length.
    pub sources: Vec<Source>,
    /// Overrides the recipe's base model for these layers.
    pub base_model: Option<Spanned<ModelReference>>,
    /// Accepted as mergekit accepts it; it has no effect there or here.
    pub residual_weight: Option<Spanned<f64>>,
    /// Parameters of these layers.
    pub parameters: Parameters,
    /// The whole entry.
    pub span: Span,
}

impl Slice {
    fn references(&self) -> impl Iterator<Item = &Spanned<ModelReference>> {
        self.base_model.iter().chain(models(&self.sources))
    }

    /// The number of output layers: the length of the sources' ranges.
    pub fn layer_count(&self) -> Option<u64> {
        self.sources
            .iter()
            .find_map(|source| source.layer_range.as_ref())
            .map(|range| range.value.1 - range.value.0)
    }
}

/// One part of a model that has several.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// Its name, such as `text_decoder`.
    pub name: Spanned<String>,
    /// Its inputs.
    pub body: ModuleBody,
    /// Parameters of this module.
    pub parameters: Parameters,
    /// The whole entry.
    pub span: Span,
}

/// The inputs of a module, in one of the two forms.
#[derive(Debug, Clone, PartialEq)]
pub enum ModuleBody {
    /// Whole models. Never empty.
    Models(Vec<Source>),
    /// Ranges of layers, stacked in this order. Never empty.
    Slices(Vec<Slice>),
}
