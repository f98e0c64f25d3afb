//! What a studio is made from.

use std::path::PathBuf;

use weightsmith::model::LocateOptions;
use weightsmith_hub::HubSettings;
use weightsmith_infer::DecoderOptions;

/// Where a studio finds things and how much it may use.
#[derive(Debug, Clone)]
pub struct StudioSettings {
    /// The folder of the history, and of the models that are made here (`models` in it).
    pub data: PathBuf,
    /// Folders whose models are shown: models themselves, or folders of models.
    pub folders: Vec<PathBuf>,
    /// Where recipes' models are looked for; names the Hugging Face cache.
    pub locate: LocateOptions,
    /// The hub for searches, downloads and publishing.
    pub hub: HubSettings,
    /// Threads of merges and of each model.
    pub threads: usize,
    /// Private memory of a merge, in bytes.
    pub max_memory: u64,
    /// How models compute.
    pub options: DecoderOptions,
    /// Positions that are served; `None`: as many as a model has.
    pub context: Option<usize>,
    /// Whether requests need a key.
    pub needs_key: bool,
}

impl StudioSettings {
    /// The folder in which models are made.
    pub fn made(&self) -> PathBuf {
        self.data.join("models")
    }

    /// The file of the sessions that were ended, for the server.
    pub fn ended_sessions(&self) -> PathBuf {
        self.data.join("ended-sessions")
    }
}
