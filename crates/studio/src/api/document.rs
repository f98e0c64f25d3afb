//! What the OpenAPI document says of a route.

use serde_json::{Map, Value, json};

/// What a route does and takes.
#[derive(Debug)]
pub(super) struct Operation {
    summary: &'static str,
    /// Fields that must be in the body; none for a route without one.
    takes: Option<&'static [&'static str]>,
    /// Names behind the `?`.
    asks: &'static [&'static str],
    status: u16,
    kind: &'static str,
}

impl Operation {
    pub(super) fn new(summary: &'static str) -> Self {
        Self {
            summary,
            takes: None,
            asks: &[],
            status: 200,
            kind: "application/json",
        }
    }

    /// It takes a JSON object with these fields at least.
    pub(super) fn takes(mut self, fields: &'static [&'static str]) -> Self {
        self.takes = Some(fields);
        self
    }

    /// Names that may stand behind the `?`.
    pub(super) fn asks(mut self, names: &'static [&'static str]) -> Self {
        self.asks = names;
        self
    }

    /// The status of success.
    pub(super) fn gives(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// It answers with server-sent events.
    pub(super) fn streams(mut self) -> Self {
        self.kind = "text/event-stream";
        self
    }

    /// It answers with a picture.
    pub(super) fn shows(mut self) -> Self {
        self.kind = "image/*";
        self
    }

    /// The document's words for it.
    pub(super) fn described(&self, path: &str) -> Value {
        let named = path.split('/').filter_map(|part| {
            let name = part.strip_prefix('{')?.strip_suffix('}')?;
            Some(parameter(name, "path", true))
        });
        let asked = self.asks.iter().map(|name| parameter(name, "query", false));
        let parameters: Vec<Value> = named.chain(asked).collect();
        let mut success = json!({"description": "The answer"});
        if self.status != 204 {
            let schema = match self.kind {
                "application/json" => json!({"type": "object"}),
                _ => json!({"type": "string"}),
            };
            success["content"][self.kind] = json!({"schema": schema});
        }
        let mut responses = Map::new();
        responses.insert(self.status.to_string(), success);
        responses.insert("default".to_owned(), failure());
        let mut described = json!({"summary": self.summary, "tags": ["studio"]});
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if let Some(fields) = self.takes {
            described["requestBody"] = body(fields);
        }
        described["responses"] = responses.into();
        described
    }
}

fn parameter(name: &str, place: &str, required: bool) -> Value {
    json!({"name": name, "in": place, "required": required, "schema": {"type": "string"}})
}

fn body(fields: &[&str]) -> Value {
    let mut properties = Map::new();
    for field in fields {
        properties.insert((*field).to_owned(), json!({"type": "string"}));
    }
    let schema = json!({"type": "object", "required": fields, "properties": properties});
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

fn failure() -> Value {
    let text = json!({"type": "string"});
    let error = json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": text, "message": text, "hints": {"type": "array", "items": text},
        },
    });
    let schema = json!({"type": "object", "required": ["error"], "properties": {"error": error}});
    json!({
        "description": "The error, with hints",
        "content": {"application/json": {"schema": schema}},
    })
}
