//! JSON schemas of what `/api` takes and tells.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// Where the generator has its definitions.
const DEFINITIONS: &str = "#/$defs/";

/// The schemas of types and all types they contain.
#[derive(Debug)]
pub(crate) struct Schemas(SchemaGenerator);

impl Default for Schemas {
    fn default() -> Self {
        // as they are written: what may be missing is what is left out
        let settings = SchemaSettings::draft2020_12().for_serialize();
        Self(settings.into_generator())
    }
}

impl Schemas {
    /// A type; what it is goes to the definitions.
    pub(crate) fn of<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().to_value()
    }

    /// All definitions, by name.
    pub(crate) fn definitions(mut self) -> Map<String, Value> {
        let mut definitions = self.0.take_definitions(true);
        definitions.values_mut().for_each(without_defaults);
        definitions.sort_keys();
        definitions
    }
}

/// The schema of what stands behind a `?`.
pub(crate) fn query<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}

/// Removes the defaults of required fields.
fn without_defaults(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for name in required.iter().filter_map(Value::as_str) {
        if let Some(Value::Object(field)) = schema.pointer_mut(&format!("/properties/{name}")) {
            field.remove("default");
        }
    }
}

/// The same schema where definitions have other names and another place.
pub(crate) fn moved(schema: &Value, place: &str) -> Value {
    match schema {
        Value::Object(fields) => {
            let moved = fields.iter().map(|(name, value)| {
                let value = match (name.as_str(), referred(value)) {
                    ("$ref", Some(target)) => Value::from(format!("{place}{target}")),
                    _ => moved(value, place),
                };
                (name.clone(), value)
            });
            Value::Object(moved.collect())
        }
        Value::Array(values) => values.iter().map(|value| moved(value, place)).collect(),
        other => other.clone(),
    }
}

/// The definition that a reference means.
pub(crate) fn referred(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix(DEFINITIONS)
}
