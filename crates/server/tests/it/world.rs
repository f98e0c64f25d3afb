//! A server on the fixtures, asked in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;
use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_server::{ModelFacts, ModelRegistry, ServedModel, Settings, router};

/// A server.
pub(crate) struct World {
    router: Router,
    pub(crate) registry: Arc<ModelRegistry>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

/// The folder of a trained fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/tiny-qwen2")
        .join(name)
}

/// Facts of the fixtures.
pub(crate) fn facts() -> ModelFacts {
    ModelFacts {
        parameters: 2_567_040,
        bytes: 5_134_080,
        weights_type: "BF16".to_owned(),
        concurrency_units: 1,
        architecture: "Qwen2ForCausalLM".to_owned(),
        context_trained: 131_072,
        vocabulary: 1059,
        ..ModelFacts::default()
    }
}

/// A fixture as a model that is served.
pub(crate) fn served(name: &str) -> ServedModel {
    let folder = fixture(name);
    let pool = Arc::new(Pool::new(2));
    ServedModel::new(name, facts(), move |_| {
        Model::open(&folder, Arc::clone(&pool), DecoderOptions::default())
            .map_err(|error| error.to_string())
    })
}

impl World {
    /// The instruct model under the usual settings.
    pub(crate) fn new() -> Self {
        Self::with(vec![served("instruct")], Settings::default())
    }

    /// Models and settings.
    pub(crate) fn with(models: Vec<ServedModel>, settings: Settings) -> Self {
        let registry = ModelRegistry::new(models, settings.engine, settings.memory_budget);
        Self::of(router(settings, Arc::clone(&registry)), registry)
    }

    /// A service and its models.
    pub(crate) fn of(router: Router, registry: Arc<ModelRegistry>) -> Self {
        Self { router, registry }
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        }
    }

    /// Sends a request and waits for no more than the head of the answer: what runs goes on until this is dropped.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        assert_eq!(response.status(), StatusCode::OK);
        response
    }

    /// Waits until so many sequences of the instruct model run, and no more.
    pub(crate) async fn until_running(&self, count: usize) {
        let wanted = format!("weightsmith_running_sequences{{model=\"instruct\"}} {count}\n");
        let there = async {
            while !self.get("/metrics").await.text.contains(&wanted) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = timeout(Duration::from_secs(30), there).await;
        waited.expect("the number is reached");
    }

    /// Asks a path.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "localhost:8080");
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    /// Sends JSON to a path.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body)).await
    }

    /// Sends JSON to a path and expects an answer.
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }
}

/// A request with JSON.
pub(crate) fn post(path: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header(header::HOST, "localhost:8080")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .expect("a request")
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The message of an error of a status.
    pub(crate) fn refusal(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let body = self.json();
        let error = &body["error"];
        assert!(error["type"].is_string(), "{body}");
        assert!(
            error.get("param").is_some() && error.get("code").is_some(),
            "{body}"
        );
        error["message"].as_str().expect("a message").to_owned()
    }

    /// The events of a stream, the last of which says that it is done.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert_eq!(self.headers[header::CONTENT_TYPE], "text/event-stream");
        let mut lines: Vec<&str> = self
            .text
            .split("\n\n")
            .filter(|event| !event.is_empty())
            .map(|event| event.strip_prefix("data: ").expect("data"))
            .collect();
        assert_eq!(lines.pop(), Some("[DONE]"), "{}", self.text);
        let parsed = lines.iter().map(|line| serde_json::from_str(line));
        parsed.map(|event| event.expect("JSON")).collect()
    }
}
