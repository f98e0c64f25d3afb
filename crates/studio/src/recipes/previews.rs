//! Merges that are heard before they are written.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use serde_json::{Value, json};
use weightsmith::plan::Planned;
use weightsmith_server::{ModelFacts, ServedModel};
use weightsmith_session::{Access, UnloadedModel};

use super::answer::refusal;
use super::plan::plan;
use crate::app::App;
use crate::error::Refusal;
use crate::models::{
    Entry, Origin, Preview, describe, kept, parents_of, served_model, text_models,
};
use crate::runs::now;

/// Previews at a time; older ones go.
const MOST: usize = 4;

/// One at a time is made, so that there are never too many.
#[derive(Debug, Default)]
pub(crate) struct Previews(Mutex<()>);

/// Makes a merge that was not written a model that speaks. The same recipe for the same models is the same preview.
pub(crate) fn make(app: &Arc<App>, text: &str) -> Result<Value, Refusal> {
    let mut outcome = plan(app, text, Access::Headers)?;
    let Some(planned) = outcome.planned.take() else {
        return Err(refusal(&outcome));
    };
    if let Some(missing) = outcome.missing.first() {
        let model = &missing.name;
        let message = format!("`{model}` is not on this machine, and a preview reads all weights");
        let refusal = Refusal::new(StatusCode::CONFLICT, "needs_download", message);
        return Err(refusal.hint("pull it first"));
    }
    let _alone = app
        .previews
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let name = name(text, &planned)?;
    if let Some(entry) = app.catalogue.find(&name) {
        return Ok(shown(app, &entry));
    }
    remove_oldest(app);
    let (method, parents) = parents_of(text).unwrap_or_default();
    let preview = Preview {
        recipe: text.to_owned(),
        method,
        parents,
        served: served(app, &name, planned)?,
    };
    match app.catalogue.add_preview(app, preview) {
        Some(entry) => Ok(shown(app, &entry)),
        None => Err(Refusal::internal(format!("`{name}` could not be added"))),
    }
}

fn shown(app: &App, entry: &Entry) -> Value {
    json!({"name": entry.name, "model": describe(app, entry)})
}

/// Makes room for one more.
fn remove_oldest(app: &App) {
    let entries = app.catalogue.list();
    let is_preview = |entry: &&Arc<Entry>| entry.origin == Origin::Preview;
    let names: Vec<&str> = entries
        .iter()
        .filter(is_preview)
        .map(|entry| entry.name.as_str())
        .collect();
    let surplus = (names.len() + 1).saturating_sub(MOST);
    for name in &names[..surplus] {
        app.catalogue.remove_preview(app, name);
    }
}

/// The same for the same recipe and unchanged models.
fn name(text: &str, planned: &Planned) -> Result<String, Refusal> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    serde_json::to_writer(&mut hasher, &planned.plan).map_err(std::io::Error::from)?;
    Ok(format!("preview-{}", &hasher.finalize().to_hex()[..7]))
}

fn served(app: &App, name: &str, planned: Planned) -> Result<ServedModel, Refusal> {
    let found = UnloadedModel::merge(name, planned);
    let facts = ModelFacts {
        created: now() as u64,
        ..kept(app, found.facts()?)
    };
    let models = text_models(app, app.session.clone());
    Ok(served_model(name, facts, models, found))
}
