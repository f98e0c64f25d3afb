//! What is known of a model before it is loaded.

use std::fmt;
use std::path::PathBuf;

use weightsmith_infer::Model;

use super::LoadProgress;

/// Loads a model, telling how far it is; or says why that is not possible.
type Load = dyn Fn(&LoadProgress) -> Result<Model, String> + Send + Sync;

/// A model that requests may name.
pub struct ServedModel {
    /// Its name in requests.
    pub name: String,
    /// What headers tell.
    pub facts: ModelFacts,
    /// The folder of its files, where it has one.
    pub folder: Option<PathBuf>,
    load: Box<Load>,
}

impl ServedModel {
    /// A model and the function that loads it.
    pub fn new(
        name: impl Into<String>,
        facts: ModelFacts,
        load: impl Fn(&LoadProgress) -> Result<Model, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            facts,
            folder: None,
            load: Box::new(load),
        }
    }

    /// The same model, whose files are in a folder.
    #[must_use]
    pub fn in_folder(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Loads it, apart from what a registry holds of it.
    ///
    /// # Errors
    /// Why that is not possible, in words.
    pub fn load(&self, progress: &LoadProgress) -> Result<Model, String> {
        (self.load)(progress)
    }
}

impl fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModel")
            .field("name", &self.name)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// What headers and `config.json` tell of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelFacts {
    /// Whether it is merged when it is loaded.
    pub is_merge: bool,
    /// Number of parameters.
    pub parameters: u64,
    /// Memory of the weights when it is loaded, by estimate.
    pub bytes: u64,
    /// Type of its weights, such as `BF16`.
    pub weights_type: String,
    /// Its architecture, such as `Qwen2ForCausalLM`.
    pub architecture: String,
    /// The model's trained context.
    pub context_trained: usize,
    /// Tokens of its vocabulary.
    pub vocabulary: usize,
    /// What a hosted model of its size costs of a plan's concurrency.
    pub concurrency_units: u32,
    /// When its files were last changed, in seconds since 1970.
    pub created: u64,
}
