//! The models of the table.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use weightsmith::output::Lock;

/// All models.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ModelList {
    /// Those that were given first, then previews, those made here, those of folders and of the cache.
    pub(crate) models: Vec<Model>,
    /// The folders that are looked into.
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

/// How a model came to be in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// Merged here.
    Made,
    /// In a folder that was given.
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
    /// Its name: in addresses, in requests for texts, in recipes.
    pub(crate) name: String,
    /// How it came to be in the table.
    pub(crate) origin: Origin,
    /// Its folder; none for what was not written.
    pub(crate) path: Option<String>,
    /// `text-generation` for a model that speaks.
    pub(crate) task: Option<String>,
    /// The class that its configuration names.
    pub(crate) architecture: Option<String>,
    /// `model_type` of its configuration.
    pub(crate) model_type: Option<String>,
    /// Elements of all tensors.
    pub(crate) parameters: Option<u64>,
    /// The number of parameters in short, such as `0.5B`.
    pub(crate) size: Option<String>,
    /// Bytes of its weights.
    pub(crate) bytes: Option<u64>,
    /// The type that most weights have.
    pub(crate) weights_type: Option<String>,
    /// Positions that it was made for.
    pub(crate) context_trained: Option<u64>,
    /// Tokens of a prompt and its answer together.
    pub(crate) context_served: Option<u64>,
    /// What it takes of a host's units.
    pub(crate) concurrency_units: Option<u32>,
    /// Its licence.
    pub(crate) license: Option<String>,
    /// When it was made.
    pub(crate) created: Option<u64>,
    /// When it was published from here last.
    pub(crate) published: Option<f64>,
    /// The method that it was merged by.
    pub(crate) method: Option<String>,
    /// The models that it was made from.
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
    /// Its name in the table; where it is not there, its label.
    pub(crate) name: String,
    /// What the recipe or the card calls it.
    pub(crate) label: String,
    /// Whether it is in the table.
    pub(crate) known: bool,
}

/// Whether a model is in memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ModelStatus {
    /// Where it stands.
    pub(crate) state: ModelState,
    /// The share of it that is loaded, while it is being loaded.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) progress: Option<f64>,
    /// Why it does not speak.
    pub(crate) error: Option<String>,
}

/// Where a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct StateAnswer {
    /// Where it stands.
    pub(crate) state: ModelState,
}

/// Where a model stands.
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
    /// It cannot be loaded, or cannot speak.
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
    /// The recipe that it was made by.
    pub(crate) recipe: Option<String>,
    /// What it was merged from, and its hashes.
    pub(crate) lock: Option<Lock>,
    /// Whether it has a card.
    pub(crate) has_card: bool,
    /// Whether it has a chat template.
    pub(crate) chat_template: bool,
    /// The size of its vocabulary.
    pub(crate) vocabulary: Option<u64>,
    /// Its layers.
    pub(crate) layers: Option<u64>,
    /// Numbers of a position between two layers.
    pub(crate) hidden_size: Option<u64>,
    /// Heads of attention.
    pub(crate) attention_heads: Option<u64>,
    /// Heads of keys and values.
    pub(crate) key_value_heads: Option<u64>,
    /// Whether the embedding is the output matrix too.
    pub(crate) tied_embeddings: Option<bool>,
    /// How its makers sample it.
    pub(crate) generation: Option<Generation>,
    /// How it is used elsewhere.
    pub(crate) usage: Vec<Usage>,
}

/// How its makers sample a model: what `generation_config.json` says.
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
