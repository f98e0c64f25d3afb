//! Where a tensor stands relative to the layers.

/// Before, in or after the layers.
///
/// Tensors before the layers take the parameters and sources of a recipe's first slice, those after them the last slice's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LayerPlace {
    /// Embeddings, and whatever else the first layer's input is made by.
    Before,
    /// In a layer.
    Layer {
        /// Index of the stack in [`Architecture::stacks`](super::Architecture::stacks); slices apply to the main one only.
        stack: usize,
        /// The layer's number.
        index: u64,
    },
    /// Final norm, head, pooler, classifier.
    After,
}

/// Parts of names of what stands before the layers.
const BEFORE: [&str; 13] = [
    "embed",
    "wte",
    "wpe",
    "shared",
    "patch",
    "tok_",
    "conv1",
    "conv2",
    "projector",
    "merger",
    "position",
    "emb.",
    "project_in",
];

/// Parts of names of other encoders, whose output enters the layers of a language model.
const OTHER_ENCODERS: [&str; 7] = [
    "vision",
    "visual",
    "image",
    "audio",
    "speech",
    "multi_modal",
    "mm_",
];

/// Parts of the paths of heads that predict further tokens: they come after everything else.
const FURTHER_HEADS: [&str; 3] = ["mtp", "mtp_block", "nextn"];

/// Whether a name is that of something in a head that predicts further tokens.
pub(super) fn is_further_head(name: &str) -> bool {
    name.split('.').any(|part| FURTHER_HEADS.contains(&part))
}

/// Whether a name outside the layers looks like that of something before them.
pub(super) fn looks_before(name: &str) -> bool {
    !name.contains("unembed") && BEFORE.iter().any(|part| name.contains(part))
        || is_other_encoder(name)
}

/// Whether a name looks like that of a vision or audio encoder, or of the bridge from one.
pub(super) fn is_other_encoder(name: &str) -> bool {
    OTHER_ENCODERS.iter().any(|part| name.contains(part))
}
