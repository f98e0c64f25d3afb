//! What the OpenAPI document says of a route.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::wire::{ErrorAnswer, Schemas, moved, query};

/// The components of the document that are ours: others have names too.
const PREFIX: &str = "Studio";

/// What a route does, takes and gives.
#[derive(Debug)]
pub(super) struct Operation {
    summary: &'static str,
    /// The schema of its body; none for a route without one.
    takes: Option<fn(&mut Schemas) -> Value>,
    /// The schema of what stands behind the `?`.
    asks: Option<fn() -> schemars::Schema>,
    status: u16,
    gives: Gives,
}

/// What comes with success.
#[derive(Debug)]
enum Gives {
    Nothing,
    Json(fn(&mut Schemas) -> Value),
    Events(fn(&mut Schemas) -> Value),
    Picture,
}

impl Operation {
    pub(super) fn new(summary: &'static str) -> Self {
        Self {
            summary,
            takes: None,
            asks: None,
            status: 204,
            gives: Gives::Nothing,
        }
    }

    /// It takes a JSON object.
    pub(super) fn takes<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Schemas::of::<T>);
        self
    }

    /// These may stand behind the `?`.
    pub(super) fn asks<T: JsonSchema>(mut self) -> Self {
        self.asks = Some(query::<T>);
        self
    }

    /// It answers with a JSON object.
    pub(super) fn gives<T: JsonSchema>(mut self, status: u16) -> Self {
        self.status = status;
        self.gives = Gives::Json(Schemas::of::<T>);
        self
    }

    /// It answers with server-sent events.
    pub(super) fn streams<T: JsonSchema>(mut self) -> Self {
        self.status = 200;
        self.gives = Gives::Events(Schemas::of::<T>);
        self
    }

    /// It answers with a picture.
    pub(super) fn shows(mut self) -> Self {
        self.status = 200;
        self.gives = Gives::Picture;
        self
    }

    /// The document's words for it.
    pub(super) fn described(&self, path: &str, schemas: &mut Schemas) -> Value {
        let mut described = json!({"summary": self.summary, "tags": ["studio"]});
        let parameters: Vec<Value> = in_path(path).chain(self.in_query()).collect();
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if let Some(takes) = self.takes {
            let content = json!({"application/json": {"schema": component(&takes(schemas))}});
            described["requestBody"] = json!({"required": true, "content": content});
        }
        let mut success = json!({"description": "The answer"});
        if let Some((kind, schema)) = self.content(schemas) {
            success["content"][kind] = json!({"schema": schema});
        }
        let mut responses = Map::new();
        responses.insert(self.status.to_string(), success);
        responses.insert("default".to_owned(), failure(schemas));
        described["responses"] = responses.into();
        described
    }

    fn content(&self, schemas: &mut Schemas) -> Option<(&'static str, Value)> {
        match self.gives {
            Gives::Nothing => None,
            Gives::Json(schema) => Some(("application/json", component(&schema(schemas)))),
            Gives::Events(schema) => Some(("text/event-stream", component(&schema(schemas)))),
            Gives::Picture => Some(("image/*", json!({"type": "string", "format": "binary"}))),
        }
    }

    fn in_query(&self) -> Vec<Value> {
        let Some(schema) = self.asks.map(|asks| asks().to_value()) else {
            return Vec::new();
        };
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().into_iter().flatten();
        let parameters = properties.map(|(name, schema)| {
            let is_required = required.iter().any(|one| one == name);
            parameter(name, "query", is_required, not_null(schema))
        });
        parameters.collect()
    }
}

/// All components of the document that are ours.
pub(super) fn components(definitions: &Map<String, Value>) -> Map<String, Value> {
    let components = definitions.iter();
    components
        .map(|(name, schema)| (format!("{PREFIX}{name}"), component(schema)))
        .collect()
}

/// A schema, with references to components of the document.
fn component(schema: &Value) -> Value {
    moved(schema, &format!("#/components/schemas/{PREFIX}"))
}

fn in_path(path: &str) -> impl Iterator<Item = Value> {
    path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let schema = match name {
            "id" => json!({"type": "integer", "format": "int64", "minimum": 1}),
            _ => json!({"type": "string"}),
        };
        Some(parameter(name, "path", true, schema))
    })
}

fn parameter(name: &str, place: &str, required: bool, mut schema: Value) -> Value {
    let mut parameter = json!({"name": name, "in": place, "required": required});
    if let Value::Object(fields) = &mut schema
        && let Some(description) = fields.remove("description")
    {
        parameter["description"] = description;
    }
    parameter["schema"] = schema;
    parameter
}

/// What is behind a `?` is a text or not there.
fn not_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Value::Object(fields) = &mut schema else {
        return schema;
    };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            fields.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(variants)) = fields.get_mut("anyOf") {
        variants.retain(|one| one["type"] != "null");
        if let [Value::Object(one)] = &variants[..] {
            let one = one.clone();
            fields.remove("anyOf");
            for (name, value) in one {
                fields.entry(name).or_insert(value);
            }
        }
    }
    schema
}

fn failure(schemas: &mut Schemas) -> Value {
    let ours = component(&schemas.of::<ErrorAnswer>());
    // the guard before all routes speaks as the server does
    let guards = json!({"$ref": "#/components/schemas/Error"});
    json!({
        "description": "The error, with hints",
        "content": {"application/json": {"schema": {"anyOf": [ours, guards]}}},
    })
}
