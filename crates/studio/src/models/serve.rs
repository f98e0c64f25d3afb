//! Models that a server's registry can have.

use std::sync::Arc;

use weightsmith_server::{CountedSource, LoadProgress, ModelFacts, ServedModel};
use weightsmith_session::{TextModels, UnloadedModel};

use super::Entry;

/// A model for a server's registry, loaded when it is first asked for.
pub fn served_model(
    name: &str,
    facts: ModelFacts,
    models: TextModels,
    found: UnloadedModel,
) -> ServedModel {
    let folder = found.folder();
    let load = move |progress: &LoadProgress| {
        let watch = |source| Arc::new(CountedSource::new(source, progress.clone())) as Arc<_>;
        let loaded = models.load(&found, watch);
        loaded.map_err(|error| error.sentence())
    };
    let model = ServedModel::new(name, facts, load);
    match folder {
        Some(folder) => model.in_folder(folder),
        None => model,
    }
}

/// The model for a server's registry; nothing for one that generates no text.
pub(super) fn served(
    entry: &Entry,
    models: &TextModels,
    is_quantized: bool,
) -> Option<ServedModel> {
    let folder = entry.folder.clone()?;
    let facts = entry.facts.served.clone()?;
    if entry.facts.broken.is_some() || entry.facts.silent.is_some() {
        return None;
    }
    let facts = if is_quantized { facts.in_q8_0() } else { facts };
    let found = UnloadedModel::in_folder(&entry.name, folder);
    Some(served_model(&entry.name, facts, models.clone(), found))
}
