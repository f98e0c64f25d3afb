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
use weightsmith_server::{Pages, PagesDocument};

use crate::app::App;
use crate::assets;
use crate::error::Refusal;
use routes::Routes;

/// What answers, and what the OpenAPI document says of it.
pub(crate) fn pages(app: Arc<App>) -> Pages {
    let (api, described) = routes().finish();
    let api = api
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::map_response(fresh))
        .with_state(app);
    Pages {
        router: Router::new().nest("/api", api).fallback(get(assets::show)),
        is_open: assets::is_open,
        document: PagesDocument {
            paths: described.paths,
            schemas: document::components(&described.definitions),
        },
    }
}

fn routes() -> Routes {
    let all = [models::add, hub::add, runs::add, recipes::add, events::add];
    all.into_iter()
        .fold(Routes::default(), |routes, add| add(routes))
}

/// The schemas of everything that routes take and give, by name.
#[cfg(test)]
pub(crate) fn definitions() -> serde_json::Map<String, serde_json::Value> {
    routes().finish().1.definitions
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
