//! The interface: paths under `/api/`, and the page for all others.

mod hub;
mod models;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;
use crate::assets;
use crate::error::Refusal;

/// What answers.
pub(crate) fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .merge(models::routes())
        .merge(hub::routes())
        .fallback(nowhere)
        .with_state(app);
    Router::new().nest("/api", api).fallback(get(assets::show))
}

async fn nowhere(uri: axum::http::Uri) -> Refusal {
    let message = format!("there is nothing at `/api{}`", uri.path());
    Refusal::not_found("unknown_url", message)
}
