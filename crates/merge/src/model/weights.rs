//! Whether a folder has the weights that it promises.

use std::path::Path;

use serde_json::Value;
use weightsmith_tensors::{indexed_files, json, read_regular};

use super::cache::CachedRepo;
use super::{Elsewhere, LocateError, Located, LocatedKind};

/// The index of a checkpoint that is split into several files.
const INDEX: &str = "model.safetensors.index.json";

/// Weights that exist in formats that are not read here.
const OTHER_FORMATS: [&str; 9] = [
    "bin", "pt", "pth", "ckpt", "gguf", "h5", "msgpack", "onnx", "nemo",
];

/// What PEFT writes beside the weights of an adapter.
const ADAPTER_CONFIG: &str = "adapter_config.json";

/// Bytes of it that are read.
const LARGEST_ADAPTER_CONFIG: u64 = 1 << 20;

impl Located {
    /// Checks that the weights are there: every file of the index, or any `.safetensors` file.
    ///
    /// Only names are looked at; the headers are checked by whoever reads them.
    ///
    /// # Errors
    /// [`LocateError::NoWeights`], [`LocateError::MissingShards`], [`LocateError::InvalidIndex`] or an I/O error.
    pub fn require_weights(&self) -> Result<(), LocateError> {
        self.look_for_weights().map_err(|mut error| {
            if let Some(elsewhere) = error.elsewhere_mut() {
                elsewhere.complete = self.complete_commits();
            }
            error
        })
    }

    /// Other commits in the cache whose weights are there.
    fn complete_commits(&self) -> Vec<String> {
        let (LocatedKind::HubCache { repo, .. }, Some(snapshots)) =
            (&self.kind, self.folder.parent())
        else {
            return Vec::new();
        };
        let Some(cached) = snapshots.parent().map(CachedRepo::at) else {
            return Vec::new();
        };
        let is_complete = |commit: &String| {
            let other = Self {
                label: repo.clone(),
                folder: snapshots.join(commit),
                file: None,
                kind: self.kind.clone(),
            };
            other.folder != self.folder && other.look_for_weights().is_ok()
        };
        let commits = cached.commits().unwrap_or_default();
        commits.into_iter().filter(is_complete).collect()
    }

    fn look_for_weights(&self) -> Result<(), LocateError> {
        weightsmith_tensors::refuse_unfinished(&self.folder)
            .map_err(|unfinished| LocateError::Unfinished(Box::new(unfinished)))?;
        if self.file.is_some() {
            return Ok(());
        }
        self.refuse_adapter()?;
        let index = self.folder.join(INDEX);
        if index.is_file() {
            return self.require_shards(&index);
        }
        let (mut other_weights, mut broken_links) = (Vec::new(), Vec::new());
        for entry in fs_err::read_dir(&self.folder)? {
            let path = entry?.path();
            match extension(&path).as_deref() {
                Some("safetensors") if path.is_file() => return Ok(()),
                // to a blob that was deleted to make room, or to another machine's
                Some("safetensors") if path.is_symlink() => broken_links.extend(
                    path.file_name()
                        .map(|name| name.to_string_lossy().into_owned()),
                ),
                Some(other) if OTHER_FORMATS.contains(&other) => {
                    other_weights.extend(
                        path.file_name()
                            .map(|name| name.to_string_lossy().into_owned()),
                    );
                }
                _ => {}
            }
        }
        other_weights.sort();
        broken_links.sort();
        Err(LocateError::NoWeights {
            label: self.label.clone(),
            folder: self.folder.clone(),
            other_weights: other_weights.into(),
            broken_links: broken_links.into(),
            elsewhere: Box::new(self.elsewhere()),
        })
    }

    /// An adapter's folder has `adapter_config.json` and no model beside it.
    fn refuse_adapter(&self) -> Result<(), LocateError> {
        let config = self.folder.join(ADAPTER_CONFIG);
        if !config.is_file() || self.folder.join("config.json").is_file() {
            return Ok(());
        }
        let text = read_regular(&config, LARGEST_ADAPTER_CONFIG).unwrap_or_default();
        let value: Value = json::read(&text).unwrap_or_default();
        let base = value["base_model_name_or_path"].as_str();
        Err(LocateError::Adapter {
            label: self.label.clone(),
            base: base.filter(|base| !base.is_empty()).map(str::to_owned),
        })
    }

    fn require_shards(&self, index: &Path) -> Result<(), LocateError> {
        let files = indexed_files(index).map_err(|error| match error {
            weightsmith_tensors::Error::Io(error) => LocateError::from(error),
            problem => LocateError::InvalidIndex(Box::new(problem)),
        })?;
        let missing: Vec<String> = files
            .iter()
            .filter(|file| !self.folder.join(file).is_file())
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(LocateError::MissingShards {
            label: self.label.clone(),
            folder: self.folder.clone(),
            missing,
            total: files.len(),
            elsewhere: Box::new(self.elsewhere()),
        })
    }

    fn elsewhere(&self) -> Elsewhere {
        let revision = match &self.kind {
            LocatedKind::Local | LocatedKind::Given | LocatedKind::Store { .. } => None,
            LocatedKind::HubCache { revision, .. } => Some(revision.clone()),
        };
        Elsewhere {
            revision,
            ..Elsewhere::default()
        }
    }
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}
