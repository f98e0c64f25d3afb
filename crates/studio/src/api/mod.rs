//! The interface: paths under `/api/`, and the page for all others.

mod body;
mod document;
mod events;
mod extract;
mod hub;
mod models;
mod recipes;
mod routes;
mod runs;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};
use serde_json::Value;

use crate::app::App;
use crate::assets;
use crate::error::Refusal;
use routes::Routes;

/// What answers, and the paths of the OpenAPI document.
pub(crate) fn router(app: Arc<App>) -> (Router, Value) {
    let mut routes = Routes::default();
    for add in [models::add, hub::add, runs::add, recipes::add, events::add] {
        routes = add(routes);
    }
    let (api, paths) = routes.finish();
    let api = api
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::map_response(fresh))
        .with_state(app);
    let router = Router::new().nest("/api", api).fallback(get(assets::show));
    (router, paths)
}

async fn nowhere(uri: Uri) -> Refusal {
    let message = format!("not found: `/api{}`", uri.path());
    Refusal::not_found("unknown_url", message)
}

async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    let message = format!("`/api{}` does not support {method}", uri.path());
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
}

/// What is true now may not be true in a moment; and what is JSON is nothing else.
async fn fresh(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
