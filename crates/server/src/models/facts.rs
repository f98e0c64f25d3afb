//! What is known of a model before it is loaded.

use std::fmt;
use std::path::PathBuf;

use weightsmith_infer::{Model, ModelFacts};

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
