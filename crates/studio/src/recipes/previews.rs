//! Merges that are heard before they are written.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use serde_json::Value;
use weightsmith::plan::Planned;
use weightsmith::run::MergedModel;
use weightsmith_infer::{DecoderConfig, DecoderOptions, Model, Pool};
use weightsmith_report::host::concurrency_units;
use weightsmith_server::{CountedSource, LoadProgress, ModelFacts, ServedModel};

use super::answer::{main_type, refusal};
use super::planning::{Access, Planner};
use crate::clock::now;
use crate::error::Refusal;
use crate::models::{Catalogue, Entry, Preview, parents_of};
use crate::wire::{Origin, PreviewAnswer};

/// Previews at a time; older ones go.
const MOST: usize = 4;

/// Makes merges that were not written models that speak.
#[derive(Debug)]
pub(crate) struct Previews {
    planner: Arc<Planner>,
    catalogue: Arc<Catalogue>,
    /// What they compute on.
    pool: Arc<Pool>,
    options: DecoderOptions,
    /// One at a time is made, so that there are never too many.
    alone: Mutex<()>,
}

impl Previews {
    /// None is made yet.
    pub(crate) fn new(
        planner: Arc<Planner>,
        catalogue: Arc<Catalogue>,
        pool: Arc<Pool>,
        options: DecoderOptions,
    ) -> Self {
        Self {
            planner,
            catalogue,
            pool,
            options,
            alone: Mutex::default(),
        }
    }

    /// Makes a merge that was not written a model that speaks. The same recipe for the same models is the same preview.
    pub(crate) fn make(&self, text: &str) -> Result<PreviewAnswer, Refusal> {
        let outcome = self.planner.plan(text, &Access::Headers)?;
        let Some(planned) = outcome.planned else {
            return Err(refusal(&outcome.diagnostics));
        };
        if let Some((model, _)) = outcome.missing.first() {
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
            served: served(&name, planned, &self.pool, self.options),
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

fn served(name: &str, planned: Planned, pool: &Arc<Pool>, options: DecoderOptions) -> ServedModel {
    let facts = facts(&planned, options.quantize_q8_0);
    let pool = Arc::clone(pool);
    let origin = name.to_owned();
    ServedModel::new(name, facts, move |progress: &LoadProgress| {
        let merged = MergedModel::new(&planned, &origin).map_err(|error| error.to_string())?;
        let source = CountedSource::new(Arc::new(merged), progress.clone());
        Model::open_source(Arc::new(source), Arc::clone(&pool), options)
            .map_err(|error| error.to_string())
    })
}

/// What the plan tells of the model.
fn facts(planned: &Planned, quantized: bool) -> ModelFacts {
    let plan = &planned.plan;
    let parameters: u64 = plan.tensors.iter().map(|one| one.info.elements()).sum();
    let stored: u64 = plan.tensors.iter().map(|one| one.info.bytes()).sum();
    let config = plan.config.as_deref().unwrap_or_default();
    let config: Value = weightsmith_tensors::json::read(config.as_bytes()).unwrap_or_default();
    // what is wrong with it is told when the model is loaded
    let parsed = DecoderConfig::from_json(&config).ok();
    ModelFacts {
        is_merge: true,
        parameters,
        // eight bits for each weight, and sixteen for each 32
        bytes: if quantized {
            parameters / 32 * 34
        } else {
            stored
        },
        weights_type: if quantized {
            "Q8_0".to_owned()
        } else {
            main_type(plan)
        },
        architecture: config["architectures"][0]
            .as_str()
            .or(config["model_type"].as_str())
            .unwrap_or("unknown")
            .to_owned(),
        context_trained: parsed.as_ref().map_or(0, |config| config.positions),
        vocabulary: parsed.as_ref().map_or(0, |config| config.vocabulary),
        concurrency_units: concurrency_units(parameters),
        created: now() as u64,
    }
}
