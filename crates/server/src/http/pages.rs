//! Pages and their interface, which another crate brings.

use axum::Router;
use serde_json::{Map, Value};

/// Pages that are served beside the protocol, behind the same guard.
#[derive(Debug, Clone)]
pub struct Pages {
    /// What answers paths that the protocol does not have.
    pub router: Router,
    /// Whether a path shows nothing of models or runs and so needs no key: pages, scripts and styles.
    pub is_open: fn(&str) -> bool,
    /// What the OpenAPI document says of them.
    pub document: PagesDocument,
}

/// What the OpenAPI document says of pages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PagesDocument {
    /// Their paths.
    pub paths: Map<String, Value>,
    /// The schemas that those paths refer to, by their names among the document's components.
    pub schemas: Map<String, Value>,
}
