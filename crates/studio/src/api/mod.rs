//! The interface: paths under `/api/`, and the page for all others.

mod extract;
mod hub;
mod models;

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, middleware};

use crate::app::App;
use crate::assets;
use crate::error::Refusal;

/// What answers.
pub(crate) fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .merge(models::routes())
        .merge(hub::routes())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::map_response(fresh))
        .with_state(app);
    Router::new().nest("/api", api).fallback(get(assets::show))
}

async fn nowhere(uri: axum::http::Uri) -> Refusal {
    let message = format!("there is nothing at `/api{}`", uri.path());
    Refusal::not_found("unknown_url", message)
}

async fn wrong_method(method: axum::http::Method, uri: axum::http::Uri) -> Refusal {
    let message = format!("`/api{}` does not take {method}", uri.path());
    Refusal::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
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
