//! The result of an inspection, as data.

use serde::Serialize;
use weightsmith_tensors::DType;

/// What is in a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// `org/name`, or the name of the folder or file.
    pub label: String,
    /// The commit, for a model from the hub's cache.
    pub revision: Option<String>,
    /// A line about the architecture, such as `qwen2, 24 layers, 12 tensors per layer, 2 loose`.
    pub description: String,
    /// `model_type` of `config.json`.
    pub model_type: Option<String>,
    /// Number of elements of all tensors.
    pub parameters: u64,
    /// Number of tensors.
    pub tensor_count: usize,
    /// Bytes of all tensors, headers not counted.
    pub bytes: u64,
    /// Number of layers of the main stack.
    pub layers: u64,
    /// Every layer stack.
    pub stacks: Vec<Stack>,
    /// A row for each type, the one with most bytes first.
    pub types: Vec<TypeRow>,
    /// The weight files.
    pub files: Vec<FileRow>,
    /// Tensors that lie in the files and are not listed by the index, which makes them no part of the model.
    pub unindexed: Vec<String>,
    /// What a wrapper of the model put into the names of tensors in the files, such as `_orig_mod`; they are listed without it.
    pub wrappers: Vec<&'static str>,
    /// Whether the output head is the input embedding; `None` without an embedding.
    pub tied_embeddings: Option<bool>,
    /// The vocabulary's size.
    pub vocabulary: Vocabulary,
    /// What `config.json` says besides.
    pub config: ConfigFacts,
    /// The file with the chat template.
    pub chat_template: Option<String>,
    /// The tensors, those of all layers folded into one row where type and shape are the same.
    pub templates: Vec<Template>,
    /// Every tensor, in the order of the files.
    pub tensors: Vec<TensorRow>,
}

/// A run of equally named layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "LayerStack"))]
pub struct Stack {
    /// What stands before the layer's number in names.
    pub prefix: String,
    /// Whether slices of a recipe apply to it.
    pub main: bool,
    /// Number of layers.
    pub layers: u64,
    /// Number of different tensors of its layers.
    pub kinds: usize,
    /// Elements of all layers together.
    pub parameters: u64,
}

/// The tensors of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TypeRow {
    /// The type.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub dtype: DType,
    /// Number of tensors.
    pub tensors: usize,
    /// Number of elements.
    pub elements: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A weight file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileRow {
    /// Its name within the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Number of tensors in it.
    pub tensors: usize,
}

/// The vocabulary's size, by two witnesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Vocabulary {
    /// Rows of the input embedding.
    pub rows: Option<u64>,
    /// `vocab_size` of `config.json`.
    pub config: Option<u64>,
}

/// What `config.json` says, where it says it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfigFacts {
    /// `architectures`.
    pub architectures: Vec<String>,
    /// The longest text in tokens.
    pub context_length: Option<u64>,
    /// Width of the residual stream.
    pub hidden_size: Option<u64>,
    /// Attention heads.
    pub attention_heads: Option<u64>,
    /// Heads of keys and values.
    pub key_value_heads: Option<u64>,
    /// `dtype` or `torch_dtype`.
    pub dtype: Option<String>,
    /// `quantization_config.quant_method`, when the weights are quantised.
    pub quantization: Option<String>,
}

/// Tensors of one name but for the layer's number, of one type and shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "TensorTemplate"))]
pub struct Template {
    /// The name, with the layers in braces: `model.layers.{0..23}.mlp.up_proj.weight`.
    pub name: String,
    /// Number of tensors.
    pub tensors: usize,
    /// Type of each.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub dtype: DType,
    /// Shape of each.
    pub shape: Vec<u64>,
    /// Elements of all of them.
    pub elements: u64,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TensorRow {
    /// Its name.
    pub name: String,
    /// Its type.
    pub dtype: DType,
    /// Its shape.
    pub shape: Vec<u64>,
    /// The file that it lies in.
    pub file: String,
}
