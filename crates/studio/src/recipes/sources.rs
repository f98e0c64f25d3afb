//! A model's tensors, whether it was written or not.

use std::sync::Arc;

use weightsmith::run::MergedSource;
use weightsmith_tensors::{Checkpoint, TensorSource};

use super::planning::Planner;
use super::stored::planned;
use crate::models::Entry;

/// Why a model's tensors cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoSource(pub(crate) String);

/// The tensors of a model; those of a preview are computed when they are read.
pub(crate) fn source(planner: &Planner, entry: &Entry) -> Result<Arc<dyn TensorSource>, NoSource> {
    if let Some(folder) = &entry.folder {
        let checkpoint = Checkpoint::open(folder).map_err(|error| NoSource(error.to_string()))?;
        return Ok(Arc::new(checkpoint));
    }
    let Some(recipe) = &entry.recipe else {
        let name = &entry.name;
        return Err(NoSource(format!(
            "`{name}` has no folder, so its tensors cannot be shown"
        )));
    };
    let planned = planned(planner, recipe).map_err(|refusal| NoSource(refusal.message))?;
    let merged = MergedSource::new(&planned.plan, &planned.models.sources());
    Ok(Arc::new(
        merged.map_err(|error| NoSource(error.to_string()))?,
    ))
}

/// The same for two models as long as both are what they were.
pub(crate) fn fingerprint(a: &Entry, b: &Entry) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(a.fingerprint.as_bytes());
    hasher.update(b.fingerprint.as_bytes());
    hasher.finalize().to_hex().to_string()
}
