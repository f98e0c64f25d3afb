//! Which path leads where.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};

use super::admission::App;
use super::elsewhere::{self, is_a_programs, wrong_method};
use super::failure::ApiError;
use super::pages::Pages;
use super::{chat, completions, guard, metrics, models, openapi, polish, session, tokens};
use crate::{ModelRegistry, Settings};

/// The service: everything but listening.
pub fn router(settings: Settings, registry: Arc<ModelRegistry>) -> Router {
    finished(protocol().fallback(nowhere), App::new(settings, registry))
}

/// The service with pages: what the protocol has no path for goes to them.
pub fn router_with(settings: Settings, registry: Arc<ModelRegistry>, pages: Pages) -> Router {
    let mut app = App::new(settings, registry);
    app.is_open = pages.is_open;
    app.pages = Some(pages.document);
    let routes = protocol()
        .route("/api/login", post(session::login))
        .route("/api/logout", post(session::logout))
        .fallback_service(pages.router.layer(middleware::from_fn(explain_paths)));
    finished(routes, app)
}

fn protocol() -> Router<Arc<App>> {
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
}

/// Puts the guard before all routes.
fn finished(routes: Router<Arc<App>>, app: App) -> Router {
    let app = Arc::new(app);
    routes
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            guard::guard,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            metrics::count,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            polish::polish,
        ))
        .with_state(app)
}

/// Health check, and how many of its models are warm.
async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    let models = app.registry.models();
    let is_warm = |name: &str| app.registry.state(name) == Some(crate::ModelState::Warm);
    let warm = models.iter().filter(|model| is_warm(&model.name)).count();
    Json(json!({"status": "ok", "models": models.len(), "warm": warm}))
}

async fn nowhere(uri: Uri) -> ApiError {
    elsewhere::nowhere(uri.path())
}

/// Answers programs that mistook a path, before they get a page.
async fn explain_paths(request: Request<Body>, next: Next) -> Response {
    let path = request.uri().path();
    if is_a_programs(request.method(), path, request.headers()) {
        return elsewhere::nowhere(path).into_response();
    }
    next.run(request).await
}
