//! What `config.json` says of a model, as a typed description of its decoder.

mod family;
mod fields;
mod rope;

pub use family::{DecoderFamily, SUPPORTED};
pub use rope::{RopeKind, RopeSettings};

use std::path::Path;

use serde_json::Value;
use weightsmith_tensors::{ModelFiles, ModelFolder, json};

use crate::{ConfigError, Error};

/// A decoder, described: everything that the graph depends on.
#[allow(
    clippy::struct_excessive_bools,
    reason = "families differ in many independent ways"
)]
#[derive(Debug, Clone, PartialEq)]
pub struct DecoderConfig {
    /// The family it belongs to.
    pub architecture: DecoderFamily,
    /// Length of a token's vector.
    pub hidden: usize,
    /// Length of the vector within the feed-forward block.
    pub intermediate: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; query heads share them evenly.
    pub kv_heads: usize,
    /// Length of a head's vectors.
    pub head_dim: usize,
    /// Rows of the embedding and of the head.
    pub vocabulary: usize,
    /// Positions that the model may be given.
    pub positions: usize,
    /// The layers, in order.
    pub layers: Vec<LayerConfig>,
    /// Rotary embeddings that the layers choose from.
    pub ropes: Vec<RopeSettings>,
    /// Added to the mean square in every norm.
    pub norm_epsilon: f32,
    /// Norms multiply by one plus their weight (Gemma).
    pub norm_plus_one: bool,
    /// Norms after attention and after the feed-forward block too (Gemma).
    pub post_norms: bool,
    /// Queries and keys are normed, head by head (Qwen3, Gemma 3).
    pub head_norms: bool,
    /// Biases of the query, key and value projections.
    pub qkv_bias: bool,
    /// Bias of the attention's output projection.
    pub output_bias: bool,
    /// Biases in the feed-forward block.
    pub mlp_bias: bool,
    /// Query, key and value projections are one tensor, gate and up projections another (Phi-3).
    pub fused: bool,
    /// What the gate goes through.
    pub activation: Activation,
    /// Embeddings are multiplied by this.
    pub embedding_scale: f32,
    /// Products of queries and keys are multiplied by this.
    pub attention_scale: f32,
    /// Attention scores are squeezed into ± this.
    pub attention_cap: Option<f32>,
    /// Logits are squeezed into ± this.
    pub logit_cap: Option<f32>,
    /// The head is the embedding.
    pub tied: bool,
}

/// What differs from layer to layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerConfig {
    /// A position sees itself and those before it, this many in all; `None`: all of them.
    pub window: Option<usize>,
    /// Index in [`DecoderConfig::ropes`].
    pub rope: usize,
}

/// The nonlinear function of the feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x · σ(x).
    Silu,
    /// GELU with the error function.
    Gelu,
    /// GELU by its approximation with tanh.
    GeluTanh,
}

impl DecoderConfig {
    /// Reads the `config.json` of a model.
    ///
    /// # Errors
    /// When it is missing, or as [`Self::parse`]; with its path.
    pub fn of(files: &(impl ModelFiles + ?Sized)) -> Result<Self, Error> {
        const NAME: &str = "config.json";
        let bytes = files.file(NAME)?.ok_or_else(|| Error::MissingFile {
            path: files.path_of(NAME),
            needed_for: "it describes the model's architecture",
        })?;
        let config = json::read(&bytes).map_err(ConfigError::Json);
        let config = config.and_then(|value: Value| Self::from_json(&value));
        config.map_err(|problem| Error::Config {
            path: files.path_of(NAME),
            problem,
        })
    }

    /// As [`Self::of`], for a model's folder.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Self::of(&ModelFolder::new(folder))
    }

    /// Reads the text of a `config.json`.
    ///
    /// # Errors
    /// When it is not JSON, names an architecture that is not supported, or lacks or contradicts what that one needs.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let value: Value = json::read(text.as_bytes())?;
        Self::from_json(&value)
    }

    /// Reads a parsed `config.json`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_json(config: &Value) -> Result<Self, ConfigError> {
        family::read(config)
    }

    /// Query heads for each key and value head.
    pub fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Length of all keys (or values) of a position.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Length of all queries of a position.
    pub fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }
}
