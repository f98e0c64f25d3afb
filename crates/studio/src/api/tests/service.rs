//! A server with a studio, and what is asked of it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;
use weightsmith_server::{PagesDocument, Settings, router_with};

use crate::testing::{Opened, Operation, World};

/// Names of the fixtures in a recipe.
pub(super) const SLERP: &str = "models:\n  - model: base\n  - model: instruct\nmerge_method: slerp\nbase_model: instruct\nparameters:\n  t: [0, 0.5, 0]\n";

/// A server and its studio.
pub(super) struct Service {
    pub(super) opened: Opened,
    router: Router,
    document: PagesDocument,
}

/// A world with the fixtures `base`, `instruct` and `math`.
pub(super) fn world() -> World {
    let world = World::new();
    for name in ["base", "instruct", "math"] {
        world.copy(name, name);
    }
    world
}

impl Service {
    pub(super) fn open(world: &mut World) -> Self {
        Self::with(world, Settings::default())
    }

    pub(super) fn with(world: &mut World, settings: Settings) -> Self {
        let opened = world.open();
        let registry = Arc::clone(&opened.app().registry);
        let pages = opened.studio().pages();
        Self {
            document: pages.document.clone(),
            router: router_with(settings, registry, pages),
            opened,
        }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 26).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The answer itself, of which more may come.
    pub(super) async fn begin(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let (status, answer) = self.send(request(method, path, body)).await;
        if let Some(operation) = Operation::at(&self.document, method, path) {
            operation.check(body, status, &answer);
        }
        (status, answer)
    }

    /// A successful answer.
    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.ask("POST", path, body).await
    }

    /// Starts a run; gives its number.
    pub(super) async fn start(&self, request: &Value) -> i64 {
        let (status, run) = self.post("/api/runs", request).await;
        assert_eq!(status, StatusCode::CREATED, "{run}");
        run["id"].as_i64().unwrap()
    }

    pub(super) async fn run(&self, id: i64) -> Value {
        self.get(&format!("/api/runs/{id}")).await
    }

    /// Waits for a run to be as somebody wants it.
    pub(super) async fn until(&self, id: i64, is_so: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let run = self.run(id).await;
            if is_so(&run) {
                return run;
            }
            assert!(begin.elapsed() < Duration::from_mins(1), "{run}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for a run's end in a state.
    pub(super) async fn ended(&self, id: i64, state: &str) -> Value {
        let is_over = |run: &Value| run["state"] != "queued" && run["state"] != "running";
        let run = self.until(id, is_over).await;
        assert_eq!(run["state"], state, "{run}");
        run
    }
}

pub(super) fn request(method: &str, path: &str, body: &Value) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8080");
    if body.is_null() {
        return request.body(Body::empty()).unwrap();
    }
    let request = request.header("content-type", "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

pub(super) fn merge(recipe: &str, name: &str) -> Value {
    json!({"kind": "merge", "recipe": recipe, "name": name})
}
