//! `/v1/models`: what is served, and in which state.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::admission::App;
use super::failure::ApiError;
use super::local_paths::without_folders;
use crate::{ModelState, ServedModel};

/// All models.
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Value> {
    let models = app.registry.models();
    let models: Vec<Value> = models.iter().map(|model| entry(&app, model)).collect();
    Json(json!({"object": "list", "data": models}))
}

/// One model.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let models = app.registry.models();
    let model = models.iter().find(|model| model.name == name);
    let model = model.ok_or_else(|| app.no_model(&name))?;
    Ok(Json(entry(&app, model)))
}

fn entry(app: &App, model: &ServedModel) -> Value {
    let facts = &model.facts;
    let context = served_context(app, facts.context_trained);
    let (state, progress, error) = match app.registry.state(&model.name) {
        Some(ModelState::Cold) | None => ("cold", None, None),
        Some(ModelState::Loading(share)) => ("loading", Some(share), None),
        Some(ModelState::Warm) => ("warm", None, None),
        Some(ModelState::Failed(problem)) => ("failed", None, Some(without_folders(&problem))),
    };
    json!({
        "id": model.name,
        "object": "model",
        "created": facts.created,
        "owned_by": "weightsmith",
        "state": state,
        "progress": progress,
        "error": error,
        "is_merge": facts.is_merge,
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "size_bytes": facts.bytes,
        "weights_type": facts.weights_type,
        "context_trained": facts.context_trained,
        "context_served": context,
        "max_model_len": context,
        "concurrency_units": facts.concurrency_units,
    })
}

/// Positions that are served of a model that was made for some.
fn served_context(app: &App, trained: usize) -> usize {
    app.settings
        .context
        .map_or(trained, |context| context.min(trained))
}
