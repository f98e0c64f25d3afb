//! Routes and their description, made together: what is not described cannot be asked for.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, delete, get, post};
use serde_json::{Map, Value};

use super::document::Operation;
use crate::app::App;
use crate::wire::Schemas;

/// Routes below `/api`, and what the OpenAPI document says of them.
#[derive(Debug, Default)]
pub(super) struct Routes {
    router: Router<Arc<App>>,
    paths: Map<String, Value>,
    schemas: Schemas,
}

/// What the OpenAPI document says of routes.
#[derive(Debug)]
pub(super) struct Described {
    /// Each path.
    pub(super) paths: Map<String, Value>,
    /// The types that paths name.
    pub(super) definitions: Map<String, Value>,
}

impl Routes {
    pub(super) fn get<H, T>(self, path: &str, handler: H, operation: &Operation) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add("get", path, get(handler), operation)
    }

    pub(super) fn post<H, T>(self, path: &str, handler: H, operation: &Operation) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add("post", path, post(handler), operation)
    }

    pub(super) fn delete<H, T>(self, path: &str, handler: H, operation: &Operation) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.add("delete", path, delete(handler), operation)
    }

    /// The router, and what the document says of it.
    pub(super) fn finish(self) -> (Router<Arc<App>>, Described) {
        let described = Described {
            paths: self.paths,
            definitions: self.schemas.definitions(),
        };
        (self.router, described)
    }

    fn add(
        mut self,
        method: &str,
        path: &str,
        handler: MethodRouter<Arc<App>>,
        operation: &Operation,
    ) -> Self {
        self.router = self.router.route(path, handler);
        let described = operation.described(path, &mut self.schemas);
        let paths = self.paths.entry(format!("/api{path}"));
        paths.or_insert_with(|| Value::Object(Map::new()))[method] = described;
        self
    }
}
