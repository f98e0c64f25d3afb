//! Whether a folder has the weights that it promises.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{LocateError, Located, LocatedKind};

/// The index of a checkpoint that is split into several files.
const INDEX: &str = "model.safetensors.index.json";

/// Weights that exist in formats that are not read here.
const OTHER_FORMATS: [&str; 9] = [
    "bin", "pt", "pth", "ckpt", "gguf", "h5", "msgpack", "onnx", "nemo",
];

impl Located {
    /// Checks that the weights are there: every file of the index, or any `.safetensors` file.
    ///
    /// Only names are looked at; the headers are checked by whoever reads them.
    ///
    /// # Errors
    /// [`LocateError::NoWeights`], [`LocateError::MissingShards`], [`LocateError::InvalidIndex`] or an I/O error.
    pub fn require_weights(&self) -> Result<(), LocateError> {
        weightsmith_tensors::refuse_unfinished(&self.folder)?;
        if self.file.is_some() {
            return Ok(());
        }
        let index = self.folder.join(INDEX);
        if index.is_file() {
            return self.require_shards(&index);
        }
        let mut other_weights = Vec::new();
        for entry in fs_err::read_dir(&self.folder)? {
            let path = entry?.path();
            match extension(&path).as_deref() {
                // a link to a blob that is gone is no weight
                Some("safetensors") if path.is_file() => return Ok(()),
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
        Err(LocateError::NoWeights {
            label: self.label.clone(),
            folder: self.folder.clone(),
            other_weights,
            revision: self.hub_revision(),
        })
    }

    fn require_shards(&self, index: &Path) -> Result<(), LocateError> {
        let files = indexed_files(index)?;
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
            revision: self.hub_revision(),
        })
    }

    fn hub_revision(&self) -> Option<String> {
        match &self.kind {
            LocatedKind::Local | LocatedKind::Store { .. } => None,
            LocatedKind::HubCache { revision, .. } => Some(revision.clone()),
        }
    }
}

fn indexed_files(index: &Path) -> Result<BTreeSet<String>, LocateError> {
    let invalid = |problem: String| LocateError::InvalidIndex {
        path: PathBuf::from(index),
        problem,
    };
    let text = fs_err::read_to_string(index)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let map = value
        .get("weight_map")
        .and_then(Value::as_object)
        .ok_or_else(|| invalid("no `weight_map`".to_owned()))?;
    map.iter()
        .map(|(tensor, file)| match file.as_str() {
            Some(file) => Ok(file.to_owned()),
            None => Err(invalid(format!("the file of `{tensor}` is not a text"))),
        })
        .collect()
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}
