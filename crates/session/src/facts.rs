//! What headers and `config.json` tell of a model.

use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::Value;
use weightsmith_infer::{DecoderConfig, ModelFacts};
use weightsmith_report::host::concurrency_units;
use weightsmith_tensors::{TensorInfo, json, main_dtype};

use crate::{SessionError, UnloadedModel};

impl UnloadedModel {
    /// What its headers and its configuration tell.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn facts(&self) -> Result<ModelFacts, SessionError> {
        let source = self.source()?;
        let text = source.file("config.json")?.unwrap_or_default();
        let config = json::read(&text).unwrap_or(Value::Null);
        let tensors = source.tensors().iter().map(|one| &one.info);
        Ok(ModelFacts {
            is_merge: self.planned().is_some(),
            created: modified(&source.path_of("config.json")).unwrap_or_default(),
            ..model_facts(tensors, &config)
        })
    }
}

/// What tensors and a configuration tell. What is wrong with the configuration is told when the model is loaded.
pub fn model_facts<'t>(
    tensors: impl IntoIterator<Item = &'t TensorInfo>,
    config: &Value,
) -> ModelFacts {
    let parsed = DecoderConfig::from_json(config).ok();
    let tensors: Vec<&TensorInfo> = tensors.into_iter().collect();
    let parameters = tensors.iter().map(|info| info.elements()).sum();
    let bytes = tensors.iter().map(|info| info.bytes()).sum();
    ModelFacts {
        is_merge: false,
        parameters,
        bytes,
        weights_type: main_dtype(tensors).map_or_else(String::new, |dtype| dtype.to_string()),
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

/// When a file was changed, in seconds since 1970.
pub fn modified(path: &Path) -> Option<u64> {
    let time = fs_err::metadata(path).ok()?.modified().ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
