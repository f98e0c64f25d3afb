//! A model's card, files and tensors.

use schemars::JsonSchema;
use serde::Serialize;
use weightsmith_report::inspect::{ConfigFacts, FileRow, Stack, Template, TypeRow, Vocabulary};

/// A model's card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Card {
    /// Sanitized HTML.
    pub(crate) html: String,
    /// Its Markdown source.
    pub(crate) markdown: String,
}

/// The files of a model's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct FileList {
    /// By name.
    pub(crate) files: Vec<ModelFile>,
}

/// A file of a model's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ModelFile {
    /// Its path in the folder.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// When it was changed.
    pub(crate) modified: Option<u64>,
    /// Its hash from the lock, if the size matches.
    pub(crate) blake3: Option<String>,
    /// What it is for.
    pub(crate) kind: FileKind,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FileKind {
    /// The model card.
    Card,
    /// The model's inputs and hashes.
    Lock,
    /// The recipe of the merge.
    Recipe,
    /// The tokenizer, or the chat template.
    Tokenizer,
    /// Tensors, or their index.
    Weights,
    /// A picture.
    Picture,
    /// The configuration, or another JSON file.
    Config,
    /// Something else.
    Other,
}

/// The tensors of a model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct TensorList {
    /// All of them together.
    pub(crate) inspection: Inspection,
    /// Each, in the order of the files.
    pub(crate) tensors: Vec<Tensor>,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Tensor {
    /// Its name.
    pub(crate) name: String,
    /// Its type, such as `BF16`.
    pub(crate) dtype: String,
    /// Its shape.
    pub(crate) shape: Vec<u64>,
    /// The number of elements.
    pub(crate) elements: u64,
    /// Its size.
    pub(crate) bytes: u64,
    /// The file that it is in.
    pub(crate) file: String,
}

/// What is in a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Inspection {
    /// The name of the model.
    pub(crate) label: String,
    /// Its commit, if it comes from the Hub.
    pub(crate) revision: Option<String>,
    /// Its architecture in words.
    pub(crate) description: String,
    /// `model_type` of its configuration.
    pub(crate) model_type: Option<String>,
    /// Elements of all tensors.
    pub(crate) parameters: u64,
    /// Number of tensors.
    pub(crate) tensor_count: usize,
    /// Bytes of all tensors.
    pub(crate) bytes: u64,
    /// Layers of the main stack.
    pub(crate) layers: u64,
    /// Runs of equally named layers.
    pub(crate) stacks: Vec<Stack>,
    /// Tensor types, by bytes in descending order.
    pub(crate) types: Vec<TypeRow>,
    /// The weight files.
    pub(crate) files: Vec<FileRow>,
    /// Tensors that are not in the index.
    pub(crate) unindexed: Vec<String>,
    /// Prefixes removed from all names.
    pub(crate) wrappers: Vec<String>,
    /// Whether the embedding is the output matrix too; none without an embedding.
    pub(crate) tied_embeddings: Option<bool>,
    /// The vocabulary's size.
    pub(crate) vocabulary: Vocabulary,
    /// Values from `config.json`.
    pub(crate) config: ConfigFacts,
    /// Where the chat template comes from.
    pub(crate) chat_template: Option<String>,
    /// Tensors that differ only in their layer number.
    pub(crate) templates: Vec<Template>,
}
