//! The plan: everything a merge reads, computes and writes, byte for byte, before any tensor data is read.
//!
//! A plan is a value: it can be printed, serialised and compared. It is made from a recipe and the headers of the
//! checkpoints ([`build`]), and run by [`crate::run`], which never sees the recipe again.

mod build;
mod config;
mod drop_reason;
mod files;
mod labels;
mod models;
mod parameter_names;
mod parameters;
mod refusal;
mod slices;
mod tensor;
mod tensors;
mod tokenizer_settings;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weightsmith_tensors::{FormatName, ModelIdentity, ShardLayout, TensorEntry, TensorInfo};

use crate::output::RECIPE_FILE;

pub use build::{PlanOptions, Planned, build};
pub use drop_reason::DropReason;
pub use files::{FileSource, FinishedFiles, MadeFile, MadeText, PlannedFile, RunFacts};
pub use models::{Model, Models};
pub use weightsmith_methods::{Operation, SourceTensor, Value};

/// A planned merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the merge method.
    pub method: String,
    /// The distinct models that are read, in the order in which the recipe names them.
    pub inputs: Vec<PlannedInput>,
    /// Index in [`Plan::inputs`] of the recipe's `base_model`.
    pub base: Option<usize>,
    /// Index in [`Plan::inputs`] of the model whose config, tokenizer and other files come along.
    pub donor: usize,
    /// Every tensor of the result, in the order of the architecture: before the layers, the layers, after them.
    pub tensors: Vec<PlannedTensor>,
    /// Every input tensor that does not reach the result, with the reason.
    pub dropped: Vec<Dropped>,
    /// For every layer of the result's main stack: where it comes from.
    pub layers: Vec<PlannedLayer>,
    /// The format in which the result is written.
    pub format: FormatName,
    /// Its weight files, with the offset of every tensor.
    pub layout: ShardLayout,
    /// The result's `config.json`, when the donor has one.
    pub config: Option<String>,
    /// Key of all randomness.
    pub seed: u64,
    /// Bytes of tensor data that the result is made from, each counted once however often it is read.
    pub bytes_read: u64,
    /// Bytes of shard files that are written.
    pub bytes_written: u64,
    /// Every file of the result, weights first, the lock last.
    pub files: Vec<PlannedFile>,
}

impl Plan {
    /// A file of the result by its name.
    pub fn file(&self, name: &str) -> Option<&PlannedFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The tensors of the result as a checkpoint lists them.
    pub fn entries(&self) -> Vec<TensorEntry> {
        let entry = |tensor: &PlannedTensor| TensorEntry {
            name: tensor.name.clone(),
            info: tensor.info.clone(),
        };
        self.tensors.iter().map(entry).collect()
    }

    /// The text of the recipe, as it is stored beside the result.
    pub fn recipe(&self) -> &str {
        match self.file(RECIPE_FILE).map(|file| &file.source) {
            Some(FileSource::Made(made)) => &made.text,
            _ => "",
        }
    }
}

/// A model that is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedInput {
    /// The recipe's words for it.
    pub reference: String,
    /// Its name in cards and locks: `org/name`, or the folder's name for a local one.
    pub label: String,
    /// The commit of a model of the hub; a hash of the objects' tags of one in a store.
    pub revision: Option<String>,
    /// What tells it from any other model, on any machine.
    pub identity: ModelIdentity,
    /// The folder, or the single file. Never written to anything that is published.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// Its weight files.
    pub files: Vec<InputFile>,
    /// Number of tensors.
    pub tensors: usize,
    /// Number of elements of all tensors.
    pub parameters: u64,
    /// Number of layers of its main stack.
    pub layers: u64,
}

/// A path for readers, also where it is not UTF-8.
fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// A weight file of an input; what a journal must find unchanged to be trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputFile {
    /// Name inside the model's folder.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Time of the last change, in nanoseconds since 1970.
    pub modified: u64,
    /// BLAKE3 of the header, in hex.
    pub header_hash: String,
}

/// A tensor of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTensor {
    /// Its name.
    pub name: String,
    /// Its type and shape.
    pub info: TensorInfo,
    /// Index of its layer in the main stack, for a tensor of a layer.
    pub layer: Option<u64>,
    /// Its name within the layer (`mlp.up_proj.weight`), or its whole name outside the layers.
    pub kind: String,
    /// What makes it.
    pub action: Action,
}

/// What makes a tensor of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The tensor of one input, byte for byte; rounded once where the result has another type.
    Copy {
        /// The tensor.
        source: SourceTensor,
        /// Inputs whose tensor must hold the same bytes (buffers that no arithmetic is done on).
        equal: Vec<SourceTensor>,
        /// What made the planner copy: the operation whose coefficients leave one input alone, for explanations.
        operation: Option<Operation>,
    },
    /// Arithmetic on several inputs.
    Merge(Operation),
}

impl Action {
    /// The operation that the recipe asks for, also where it comes down to a copy.
    pub fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Copy { operation, .. } => operation.as_ref(),
            Self::Merge(operation) => Some(operation),
        }
    }
}

/// An input tensor that does not reach the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    /// Index in [`Plan::inputs`].
    pub input: usize,
    /// The tensor.
    pub tensor: String,
    /// Why.
    #[serde(serialize_with = "drop_reason::with_words")]
    pub reason: DropReason,
}

/// A layer of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedLayer {
    /// Index of the slice that it belongs to.
    pub slice: usize,
    /// Its position within the slice, 0 for the first layer and 1 for the last: where gradients are evaluated.
    pub position: f64,
    /// Index in [`Plan::inputs`] and layer number of each source.
    pub sources: Vec<(usize, u64)>,
}
