//! What the user wrote: recipes in mergekit's YAML, parsed and checked, with a place for every message.
//!
//! [`parse`] reads all documents of a file and reports all problems at once. What it returns is typed and
//! complete as far as the text alone goes: whether a merge method exists, takes these parameters and this many
//! models, or whether a model has these layers, is for later stages to say.

mod dtype;
mod model;
mod parameter;
mod pasted;
mod read;
mod structure;
mod suggest;
#[cfg(test)]
mod tests;
mod tokenizer;
mod yaml;

pub use model::{InvalidModelReference, ModelPath, ModelReference};
pub use parameter::{
    Alternative, ParameterValue, Parameters, Scalar, Setting, UnsuitableParameter,
};
pub use read::{Parsed, parse};
pub use structure::{Body, Module, ModuleBody, Recipe, Slice, Source};
pub use suggest::closest;
pub use tokenizer::{EmbeddingSource, TokenChoice, TokenEmbedding, Tokenizer, TokenizerSource};
pub use yaml::MAX_RECIPE_BYTES;
