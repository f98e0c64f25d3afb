//! What headers and `config.json` tell of a model.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::Value;
use weightsmith_infer::{ModelConfig, ModelFacts};
use weightsmith_report::host::concurrency_units;
use weightsmith_tensors::{DType, TensorInfo, json, read_companion_text};

use crate::{SessionError, UnloadedModel};

impl UnloadedModel {
    /// What its headers and its configuration tell.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn facts(&self) -> Result<ModelFacts, SessionError> {
        let file = self.folder.join("config.json");
        let text = match self.config() {
            Some(text) => text.to_owned(),
            None => read_companion_text(&file)?,
        };
        let config: Value = json::read(text.as_bytes()).unwrap_or(Value::Null);
        let facts = match self.planned() {
            Some(planned) => {
                let tensors = planned.plan.tensors.iter().map(|one| &one.info);
                model_facts(tensors, &config)
            }
            None => {
                let source = self.source()?;
                model_facts(source.tensors().iter().map(|one| &one.info), &config)
            }
        };
        Ok(ModelFacts {
            is_merge: self.planned().is_some(),
            created: modified(&file).unwrap_or_default(),
            ..facts
        })
    }
}

/// What tensors and a configuration tell. What is wrong with the configuration is told when the model is loaded.
pub fn model_facts<'t>(
    tensors: impl IntoIterator<Item = &'t TensorInfo>,
    config: &Value,
) -> ModelFacts {
    let parsed = ModelConfig::from_json(config).ok();
    let tensors: Vec<&TensorInfo> = tensors.into_iter().collect();
    let parameters = tensors.iter().map(|info| info.elements()).sum();
    ModelFacts {
        is_merge: false,
        parameters,
        bytes: tensors.iter().map(|info| info.bytes()).sum(),
        weights_type: main_type(tensors).map_or_else(String::new, |dtype| dtype.to_string()),
        architecture: config["architectures"][0]
            .as_str()
            .or(config["model_type"].as_str())
            .unwrap_or("unknown")
            .to_owned(),
        context_trained: parsed.as_ref().map_or(0, |config| config.positions),
        vocabulary: parsed.as_ref().map_or(0, |config| config.vocabulary),
        concurrency_units: concurrency_units(parameters),
        created: 0,
    }
}

/// The type that most elements have; of several, the largest.
pub fn main_type<'t>(tensors: impl IntoIterator<Item = &'t TensorInfo>) -> Option<DType> {
    let mut by_type: BTreeMap<DType, u64> = BTreeMap::new();
    for info in tensors {
        *by_type.entry(info.dtype).or_default() += info.elements();
    }
    let most = by_type.into_iter().max_by_key(|(_, elements)| *elements);
    most.map(|(dtype, _)| dtype)
}

/// When a file was changed, in seconds since 1970.
pub fn modified(path: &Path) -> Option<u64> {
    let time = fs_err::metadata(path).ok()?.modified().ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
