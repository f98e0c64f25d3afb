//! Which path leads where.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};

use super::admission::App;
use super::failure::ApiError;
use super::{chat, completions, guard, metrics, models, openapi, tokens};
use crate::{ModelRegistry, Settings};

/// The service: everything but listening.
pub fn router(settings: Settings, registry: Arc<ModelRegistry>) -> Router {
    let app = Arc::new(App::new(settings, registry));
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics::show))
        .route("/openapi.json", get(openapi::show))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*model}", get(models::one))
        .route("/v1/completions", post(completions::handle))
        .route("/v1/chat/completions", post(chat::handle))
        .route("/tokenize", post(tokens::tokenize))
        .route("/detokenize", post(tokens::detokenize))
        .route("/tokenizer_info", get(tokens::info))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            guard::guard,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            metrics::count,
        ))
        .with_state(app)
}

/// That the server answers, and how many of its models are warm.
async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    let models = app.registry.models().len();
    let warm = (0..models)
        .filter(|&index| app.registry.state(index) == crate::ModelState::Warm)
        .count();
    Json(json!({"status": "ok", "models": models, "warm": warm}))
}

async fn nowhere(uri: Uri) -> ApiError {
    ApiError::of(
        StatusCode::NOT_FOUND,
        "invalid_request_error",
        "unknown_url",
        format!("there is nothing at `{}`", uri.path()),
    )
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::of(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request_error",
        "method_not_allowed",
        format!("`{}` does not take {method}", uri.path()),
    )
}
