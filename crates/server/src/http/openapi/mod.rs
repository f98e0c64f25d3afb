//! `/openapi.json`: the protocol, described as exactly as its form allows. Names of models, sizes of vocabularies and contexts
//! are those of the server.

mod answers;
mod requests;

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::admission::App;
use super::pages::PagesDocument;

/// What the document depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Served {
    names: Vec<String>,
    /// The largest token that every model has.
    last_token: usize,
    /// The largest context of all.
    context: usize,
    has_key: bool,
}

/// The document as it was written last: it is large, and the same until models come or go.
#[derive(Debug, Default)]
pub(super) struct Written(Mutex<Option<(Served, Bytes)>>);

/// The document.
pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let models = app.registry.models();
    let vocabularies = models.iter().map(|model| model.facts.vocabulary);
    let contexts = models.iter().map(|model| model.facts.context_trained);
    let context = contexts.max().unwrap_or(0);
    let served = Served {
        names: models.iter().map(|model| model.name.clone()).collect(),
        last_token: vocabularies.min().unwrap_or(0).saturating_sub(1),
        context: app.settings.context.map_or(context, |one| one.min(context)),
        has_key: app.key.is_some(),
    };
    let text = app.document.of(served, app.pages.as_ref());
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

impl Written {
    /// The document for what is served, and pages beside the protocol.
    fn of(&self, served: Served, pages: Option<&PagesDocument>) -> Bytes {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, text)) = &*written
            && *before == served
        {
            return text.clone();
        }
        let text = Bytes::from(document(&served, pages).to_string());
        *written = Some((served, text.clone()));
        text
    }
}

fn document(served: &Served, pages: Option<&PagesDocument>) -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Weightsmith",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "OpenAI-compatible API for models on disk and unmerged recipes.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths(served, pages),
        "components": {"schemas": schemas(served, pages)},
    });
    if served.has_key {
        document["components"]["securitySchemes"] =
            json!({"key": {"type": "http", "scheme": "bearer"}});
        document["security"] = json!([{"key": []}]);
    }
    document
}

fn paths(served: &Served, pages: Option<&PagesDocument>) -> Value {
    let model = json!({
        "name": "model", "in": "path", "required": true,
        "schema": {"type": "string", "enum": served.names},
    });
    let chosen = json!({
        "name": "model", "in": "query", "required": false,
        "schema": {"type": "string", "enum": served.names},
    });
    let mut health = get("Health check", "Health", &[]);
    // others than those who may ask for texts may ask this
    health["get"]["security"] = json!([]);
    let mut metrics = get("Prometheus metrics", "Health", &[403]);
    metrics["get"]["responses"]["200"]["content"] =
        json!({"text/plain": {"schema": {"type": "string"}}});
    let mut one = get("A model and its state", "Model", &[403, 404]);
    one["parameters"] = json!([model]);
    let mut info = get(
        "Contents of tokenizer_config.json",
        "TokenizerInfo",
        GENERAL,
    );
    info["parameters"] = json!([chosen]);
    let mut all = json!({
        "/health": health,
        "/metrics": metrics,
        "/v1/models": get("The models and their states", "Models", &[403]),
        "/v1/models/{model}": one,
        "/v1/completions": post("Continues texts", "CompletionRequest", "Completion", true),
        "/v1/chat/completions": post("Chat completion", "ChatRequest", "Chat", true),
        "/tokenize": post("Tokens of a text or conversation", "TokenizeRequest", "Tokens", false),
        "/detokenize": post("Text of tokens", "DetokenizeRequest", "Text", false),
        "/tokenizer_info": info,
    });
    if let Some(pages) = pages {
        all["/api/login"] = login();
        all["/api/logout"] = logout();
        for (path, operations) in &pages.paths {
            all[path] = operations.clone();
        }
    }
    if served.has_key {
        add_unauthorized(&mut all);
    }
    all
}

fn login() -> Value {
    let body = object(json!({"key": {"type": "string"}}));
    let mut login = json!({"post": {
        "summary": "Start a browser session",
        "requestBody": {"required": true, "content": {"application/json": {"schema": body}}},
        "responses": {"204": {"description": "The session is in a cookie"}},
    }});
    for status in [401, 408, 413, 415, 429, 503] {
        login["post"]["responses"][status.to_string()] = failure(status);
    }
    login["post"]["security"] = json!([]);
    login
}

fn logout() -> Value {
    json!({"post": {
        "summary": "End a browser session",
        "responses": {"204": {"description": "The session has ended and the cookie is gone"}},
    }})
}

/// Statuses of anything that needs a model.
const GENERAL: &[u16] = &[400, 403, 404, 429, 500, 503, 504];

/// Statuses of a request with a body, beside those.
const WITH_BODY: &[u16] = &[408, 413, 415];

fn get(summary: &str, answer: &str, statuses: &[u16]) -> Value {
    json!({"get": {"summary": summary, "responses": responses(&content(answer, false), statuses.iter().copied())}})
}

fn post(summary: &str, request: &str, answer: &str, streams: bool) -> Value {
    let statuses = GENERAL.iter().chain(WITH_BODY).copied();
    json!({"post": {
        "summary": summary,
        "requestBody": {"required": true, "content": content(request, false)},
        "responses": responses(&content(answer, streams), statuses),
    }})
}

fn content(schema: &str, streams: bool) -> Value {
    let mut content = json!({"application/json": {"schema": reference(schema)}});
    if streams {
        // each event: a part of the answer as JSON, in the end `[DONE]`
        content["text/event-stream"] =
            json!({"schema": object(json!({"data": {"type": "string"}}))});
    }
    content
}

fn responses(content: &Value, statuses: impl Iterator<Item = u16>) -> Value {
    let mut responses = Map::new();
    let answer = json!({"description": "The answer", "content": content});
    responses.insert("200".to_owned(), answer);
    for status in statuses {
        responses.insert(status.to_string(), failure(status));
    }
    Value::Object(responses)
}

fn failure(status: u16) -> Value {
    let mut failure = json!({
        "description": meaning(status),
        "content": {"application/json": {"schema": reference("Error")}},
    });
    if status == 429 {
        failure["headers"] =
            json!({"Retry-After": {"required": true, "schema": {"type": "integer"}}});
    }
    failure
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "Invalid request, or too long for the model's context",
        401 => "Missing or wrong key",
        403 => "Host or origin not allowed",
        404 => "Unknown model",
        408 => "The request arrived too slowly",
        413 => "The request is too large",
        415 => "The request is not JSON",
        429 => "The queue is full, or too many wrong keys from this address",
        503 => {
            "The model could not be loaded, the server is receiving too much, or it is shutting down"
        }
        504 => "The request took too long",
        _ => "Internal error",
    }
}

fn add_unauthorized(paths: &mut Value) {
    let Value::Object(paths) = paths else {
        return;
    };
    for (path, operations) in paths.iter_mut() {
        for method in ["get", "post", "delete"] {
            if path != "/health" && operations.get(method).is_some() {
                operations[method]["responses"]["401"] = failure(401);
                if operations[method]["responses"].get("429").is_none() {
                    operations[method]["responses"]["429"] = failure(429);
                }
            }
        }
    }
}

fn schemas(served: &Served, pages: Option<&PagesDocument>) -> Value {
    let mut all = Map::new();
    for (name, schema) in requests::schemas(served)
        .into_iter()
        .chain(answers::schemas())
    {
        all.insert(name.to_owned(), schema);
    }
    if let Some(pages) = pages {
        all.extend(pages.schemas.clone());
    }
    Value::Object(all)
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// An object with these fields, all of which are there.
fn object(fields: Value) -> Value {
    let names: Vec<String> = fields
        .as_object()
        .map(|fields| fields.keys().cloned().collect())
        .unwrap_or_default();
    let mut schema = json!({"type": "object", "required": names});
    schema["properties"] = fields;
    schema
}
