//! The models of the table.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use weightsmith::output::Lock;

/// All models.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ModelList {
    /// Models from the command line, previews, merges, folders and cache, in this order.
    pub(crate) models: Vec<Model>,
    /// The configured folders.
    pub(crate) folders: Vec<Folder>,
}

/// A folder that is looked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Folder {
    /// Its path.
    pub(crate) path: String,
    /// Why it cannot be read.
    pub(crate) error: Option<String>,
}

/// Where a model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// Merged here.
    Made,
    /// In a configured folder.
    Folder,
    /// In the Hugging Face cache.
    Cache,
    /// Named on the command line.
    Given,
    /// A merge that was not written.
    Preview,
}

/// A model of the table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "`model_type` is the name that configurations give it"
)]
pub(crate) struct Model {
    /// Its name, in URLs, requests and recipes.
    pub(crate) name: String,
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Its folder; none if it is not on disk.
    pub(crate) path: Option<String>,
    /// `text-generation` for models that generate text.
    pub(crate) task: Option<String>,
    /// The class that its configuration names.
    pub(crate) architecture: Option<String>,
    /// `model_type` of its configuration.
    pub(crate) model_type: Option<String>,
    /// Elements of all tensors.
    pub(crate) parameters: Option<u64>,
    /// The rounded number of parameters, such as `0.5B`.
    pub(crate) size: Option<String>,
    /// Bytes of its weights.
    pub(crate) bytes: Option<u64>,
    /// The main type of the weights.
    pub(crate) weights_type: Option<String>,
    /// The model's trained context.
    pub(crate) context_trained: Option<u64>,
    /// Maximum tokens of prompt and answer together.
    pub(crate) context_served: Option<u64>,
    /// Its concurrency units.
    pub(crate) concurrency_units: Option<u32>,
    /// Its license.
    pub(crate) license: Option<String>,
    /// When it was made.
    pub(crate) created: Option<u64>,
    /// When it was last published from here.
    pub(crate) published: Option<f64>,
    /// The method that it was merged by.
    pub(crate) method: Option<String>,
    /// The merged models.
    pub(crate) parents: Vec<Parent>,
    /// Tags of its card.
    pub(crate) tags: Vec<String>,
    /// Whether it is in memory.
    #[serde(flatten)]
    pub(crate) status: ModelStatus,
}

/// A model that another was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Parent {
    /// Its name in the list, or else its label.
    pub(crate) name: String,
    /// Its name in the recipe or card.
    pub(crate) label: String,
    /// Whether it is in the list.
    pub(crate) known: bool,
}

/// Whether a model is in memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ModelStatus {
    /// Its state.
    pub(crate) state: ModelState,
    /// The loaded fraction, while loading.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) progress: Option<f64>,
    /// Why it cannot generate text.
    pub(crate) error: Option<String>,
}

/// The state of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct StateAnswer {
    /// Its state.
    pub(crate) state: ModelState,
}

/// The state of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModelState {
    /// On the disk alone.
    #[default]
    Cold,
    /// Being loaded.
    Loading,
    /// In memory.
    Warm,
    /// It cannot be loaded or cannot generate text.
    Failed,
    /// Its folder cannot be read.
    Broken,
}

/// A model with everything about it but its card, files and tensors.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ModelDetails {
    /// What the list shows.
    #[serde(flatten)]
    pub(crate) model: Model,
    /// The recipe of the merge.
    pub(crate) recipe: Option<String>,
    /// Inputs and hashes.
    pub(crate) lock: Option<Lock>,
    /// Whether it has a card.
    pub(crate) has_card: bool,
    /// Whether it has a chat template.
    pub(crate) chat_template: bool,
    /// The size of its vocabulary.
    pub(crate) vocabulary: Option<u64>,
    /// Its layers.
    pub(crate) layers: Option<u64>,
    /// A position between two layers.
    pub(crate) hidden_size: Option<u64>,
    /// Attention heads.
    pub(crate) attention_heads: Option<u64>,
    /// KV heads.
    pub(crate) key_value_heads: Option<u64>,
    /// Whether the embedding is the output matrix too.
    pub(crate) tied_embeddings: Option<bool>,
    /// Its default sampling settings.
    pub(crate) generation: Option<Generation>,
    /// How to use it elsewhere.
    pub(crate) usage: Vec<Usage>,
}

/// A model's default sampling settings, from `generation_config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Generation {
    /// `temperature`.
    pub(crate) temperature: Option<Number>,
    /// `top_p`.
    pub(crate) top_p: Option<Number>,
    /// `top_k`.
    pub(crate) top_k: Option<Number>,
    /// `repetition_penalty`.
    pub(crate) repetition_penalty: Option<Number>,
}

/// A way to use a model elsewhere: commands or code to be copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Usage {
    /// What it is for.
    pub(crate) title: String,
    /// The language that it is in, such as `sh`.
    pub(crate) language: String,
    /// The text.
    pub(crate) code: String,
}
