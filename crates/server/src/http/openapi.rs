//! `/openapi.json`: the protocol, described.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::admission::App;

/// The document.
pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Value> {
    let _ = app;
    Json(
        json!({"openapi": "3.1.0", "info": {"title": "Weightsmith", "version": env!("CARGO_PKG_VERSION")}, "paths": {}}),
    )
}
