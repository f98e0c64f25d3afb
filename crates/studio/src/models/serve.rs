//! Models that a server's registry can have.

use std::sync::Arc;

use weightsmith_server::{CountedSource, LoadProgress, ModelFacts, ServedModel};
use weightsmith_session::{Session, TextModels, TextOptions, UnloadedModel};

use super::Entry;
use crate::app::App;

/// A model for a server's registry, loaded when it is first asked for.
pub fn served_model(
    name: &str,
    facts: ModelFacts,
    models: TextModels,
    found: UnloadedModel,
) -> ServedModel {
    let folder = found.planned().is_none().then(|| found.folder.clone());
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

/// The studio's models, which share its threads.
pub(crate) fn text_models(app: &App, session: Session) -> TextModels {
    let options = TextOptions {
        decoder: app.settings.options,
        ..TextOptions::default()
    };
    TextModels::new(session, options, Arc::clone(&app.pool))
}

/// What a server shows of a model: kept as the studio's models are.
pub(crate) fn kept(app: &App, facts: ModelFacts) -> ModelFacts {
    if app.settings.options.quantize_q8_0 {
        facts.in_q8_0()
    } else {
        facts
    }
}

/// The model for a server's registry; nothing for one that generates no text.
pub(super) fn served(app: &App, entry: &Entry) -> Option<ServedModel> {
    let folder = entry.folder.clone()?;
    let facts = entry.facts.served.clone()?;
    if entry.facts.broken.is_some() || entry.facts.silent.is_some() {
        return None;
    }
    let found = UnloadedModel::in_folder(&entry.name, folder);
    let models = text_models(app, app.session.clone());
    Some(served_model(&entry.name, kept(app, facts), models, found))
}
