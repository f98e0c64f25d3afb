//! A model's card, files and tensors.

use schemars::JsonSchema;
use serde::Serialize;
use weightsmith_report::inspect::{ConfigFacts, FileRow, Stack, Template, TypeRow, Vocabulary};

/// A model's card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Card {
    /// Sanitised HTML.
    pub(crate) html: String,
    /// What it was made from.
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
    /// Its hash by the lock, which lists a file of that size.
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
    /// What the model was merged from, and its hashes.
    Lock,
    /// The recipe that it was merged by.
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
    /// How many numbers are in it.
    pub(crate) elements: u64,
    /// Its size.
    pub(crate) bytes: u64,
    /// The file that it is in.
    pub(crate) file: String,
}

/// What is in a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Inspection {
    /// What to call the model.
    pub(crate) label: String,
    /// Its commit, where it comes from the hub.
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
    /// The types of tensors, the one with most bytes first.
    pub(crate) types: Vec<TypeRow>,
    /// The weight files.
    pub(crate) files: Vec<FileRow>,
    /// Tensors that the index does not name.
    pub(crate) unindexed: Vec<String>,
    /// Prefixes that were taken off all names.
    pub(crate) wrappers: Vec<String>,
    /// Whether the embedding is the output matrix too; none without an embedding.
    pub(crate) tied_embeddings: Option<bool>,
    /// The vocabulary's size.
    pub(crate) vocabulary: Vocabulary,
    /// What `config.json` says.
    pub(crate) config: ConfigFacts,
    /// Where the chat template comes from.
    pub(crate) chat_template: Option<String>,
    /// Tensors that differ in the number of their layer alone.
    pub(crate) templates: Vec<Template>,
}
