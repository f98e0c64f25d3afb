//! What headers cannot tell about a model family.

use super::family_table::{FAMILIES, TIED_BY_DEFAULT};

/// Facts about a model family. Every list may be empty: inference does the rest.
#[derive(Debug, PartialEq, Eq)]
pub struct Facts {
    /// The values of `model_type` in `config.json`.
    pub model_types: &'static [&'static str],
    /// Keys of the layer count in `config.json` where there is one stack.
    pub layer_count_keys: &'static [&'static str],
    /// The stacks of an encoder-decoder; the last one is the one that slices apply to.
    pub stacks: &'static [StackFacts],
    /// Names of the input embedding, without the model's prefix.
    pub embedding: &'static [&'static str],
    /// The name of the output head's weight.
    pub head: &'static str,
    /// What the names of the model without its head begin with where the head is there.
    pub base_prefix: &'static str,
    /// Ends of the names of tensors that a checkpoint may lack: buffers that are computed on loading.
    pub optional: &'static [&'static str],
    /// Ends of names that stand for the same tensor.
    pub aliases: &'static [(&'static str, &'static str)],
}

/// One stack of an encoder-decoder.
#[derive(Debug, PartialEq, Eq)]
pub struct StackFacts {
    /// What the stack's prefix ends with, such as `encoder.block.`.
    pub prefix_end: &'static str,
    /// Keys of its layer count in `config.json`; those that are there are equal.
    pub layer_count_keys: &'static [&'static str],
}

impl Facts {
    /// The facts of a `model_type`.
    pub fn of(model_type: &str) -> Option<&'static Self> {
        FAMILIES
            .iter()
            .find(|facts| facts.model_types.contains(&model_type))
    }
}

/// What `tie_word_embeddings` means where `config.json` does not have it; `None` for a family that is not known.
pub(super) fn ties_by_default(model_type: &str) -> Option<bool> {
    if TIED_BY_DEFAULT.binary_search(&model_type).is_ok() {
        return Some(true);
    }
    Facts::of(model_type).map(|_| false)
}
