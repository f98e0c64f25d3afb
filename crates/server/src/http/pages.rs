//! Pages and their interface, which another crate brings.

use axum::Router;
use serde_json::Value;

/// Pages that are served beside the protocol, behind the same guard.
#[derive(Debug, Clone)]
pub struct Pages {
    /// What answers paths that the protocol does not have.
    pub router: Router,
    /// Whether a path shows nothing of models or runs and so needs no key: pages, scripts and styles.
    pub is_open: fn(&str) -> bool,
    /// What the OpenAPI document says of them: an object with their paths, or nothing.
    pub paths: Value,
}
