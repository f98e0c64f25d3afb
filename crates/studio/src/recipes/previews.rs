//! Merges that are heard before they are written.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use weightsmith::plan::Planned;
use weightsmith_server::{ModelFacts, ServedModel};
use weightsmith_session::{Access, TextModels, UnloadedModel};

use super::answer::refusal;
use super::planning::Planner;
use crate::clock::now;
use crate::error::Refusal;
use crate::models::{Catalogue, Entry, Preview, parents_of, served_model};
use crate::wire::{Origin, PreviewAnswer};

/// Previews at a time; older ones go.
const MOST: usize = 4;

/// Makes merges that were not written models that speak.
#[derive(Debug)]
pub(crate) struct Previews {
    planner: Arc<Planner>,
    catalogue: Arc<Catalogue>,
    /// How they compute.
    models: TextModels,
    is_quantized: bool,
    /// One at a time is made, so that there are never too many.
    alone: Mutex<()>,
}

impl Previews {
    /// None is made yet.
    pub(crate) fn new(
        planner: Arc<Planner>,
        catalogue: Arc<Catalogue>,
        models: TextModels,
        is_quantized: bool,
    ) -> Self {
        Self {
            planner,
            catalogue,
            models,
            is_quantized,
            alone: Mutex::default(),
        }
    }

    /// Makes a merge that was not written a model that speaks. The same recipe for the same models is the same preview.
    pub(crate) fn make(&self, text: &str) -> Result<PreviewAnswer, Refusal> {
        let mut outcome = self.planner.plan(text, Access::Headers)?;
        let Some(planned) = outcome.planned.take() else {
            return Err(refusal(&outcome));
        };
        if let Some(missing) = outcome.missing.first() {
            let model = &missing.name;
            let message = format!("`{model}` is not on this machine; previews need all weights");
            let refusal = Refusal::new(StatusCode::CONFLICT, "needs_download", message);
            return Err(refusal.hint("pull it first"));
        }
        let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name(text, &planned)?;
        if let Some(entry) = self.catalogue.find(&name) {
            return Ok(self.shown(&entry));
        }
        self.remove_oldest();
        let (method, parents) = parents_of(text).unwrap_or_default();
        let preview = Preview {
            recipe: text.to_owned(),
            method,
            parents,
            served: served(&name, planned, &self.models, self.is_quantized)?,
        };
        match self.catalogue.add_preview(preview) {
            Some(entry) => Ok(self.shown(&entry)),
            None => Err(Refusal::internal(format!("`{name}` could not be added"))),
        }
    }

    fn shown(&self, entry: &Entry) -> PreviewAnswer {
        PreviewAnswer {
            name: entry.name.clone(),
            model: self.catalogue.describe(entry),
        }
    }

    /// Makes room for one more.
    fn remove_oldest(&self) {
        let entries = self.catalogue.list();
        let is_preview = |entry: &&Arc<Entry>| entry.origin == Origin::Preview;
        let names: Vec<&str> = entries
            .iter()
            .filter(is_preview)
            .map(|entry| entry.name.as_str())
            .collect();
        let surplus = (names.len() + 1).saturating_sub(MOST);
        for name in &names[..surplus] {
            self.catalogue.remove_preview(name);
        }
    }
}

/// The same for the same recipe and unchanged models.
fn name(text: &str, planned: &Planned) -> Result<String, Refusal> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    serde_json::to_writer(&mut hasher, &planned.plan).map_err(std::io::Error::from)?;
    Ok(format!("preview-{}", &hasher.finalize().to_hex()[..7]))
}

fn served(
    name: &str,
    planned: Planned,
    models: &TextModels,
    is_quantized: bool,
) -> Result<ServedModel, Refusal> {
    let found = UnloadedModel::merge(name, planned);
    let facts = ModelFacts {
        created: now() as u64,
        ..found.facts()?
    };
    let facts = if is_quantized { facts.in_q8_0() } else { facts };
    Ok(served_model(name, facts, models.clone(), found))
}
