//! Whether requests and answers are as the OpenAPI document says.

use axum::http::StatusCode;
use serde_json::{Map, Value};
use weightsmith_server::PagesDocument;

/// Where the document has its schemas.
const COMPONENTS: &str = "#/components/schemas/";

/// An operation of the document.
pub(crate) struct Operation<'a> {
    document: &'a PagesDocument,
    name: String,
    described: &'a Value,
}

impl<'a> Operation<'a> {
    /// The one that takes requests to a path; none where there is nothing at the path.
    pub(crate) fn at(document: &'a PagesDocument, method: &str, path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        let is_it = |template: &&String| {
            let template: Vec<&str> = template.split('/').collect();
            let mut pairs = template.iter().zip(&parts);
            template.len() == parts.len()
                && pairs.all(|(name, part)| name.starts_with('{') || name == part)
        };
        let template = document.paths.keys().find(is_it)?;
        let described = document.paths[template].get(method.to_lowercase())?;
        Some(Self {
            document,
            name: format!("{method} {path}"),
            described,
        })
    }

    /// Checks an answer, and the request that it succeeded with.
    pub(crate) fn check(&self, request: &Value, status: StatusCode, answer: &Value) {
        let responses = &self.described["responses"];
        let response = match responses.get(status.as_str()) {
            Some(response) => response,
            None => &responses["default"],
        };
        let is_expected = status.is_client_error()
            || status.is_server_error()
            || responses.get(status.as_str()).is_some();
        assert!(
            is_expected,
            "{}: {status} is not in the document",
            self.name
        );
        let pictures = response["content"].get("image/*").is_some();
        if pictures {
            return;
        }
        let schema = &response["content"]["application/json"]["schema"];
        self.assert_fits(schema, answer, "answer", Fields::Closed);
        if status.is_success() {
            let body = &self.described["requestBody"]["content"]["application/json"]["schema"];
            self.assert_fits(body, request, "request", Fields::Open);
        }
    }

    fn assert_fits(&self, schema: &Value, value: &Value, what: &str, fields: Fields) {
        if schema.is_null() {
            assert!(value.is_null(), "{}: {what}: {value}", self.name);
            return;
        }
        let schemas = &self.document.schemas;
        if let Err(problem) = fits(schemas, schema, value, fields) {
            panic!("{}: {what}: {problem}\n{value:#}", self.name);
        }
    }
}

/// Whether an object may have fields that the schema does not name.
#[derive(Clone, Copy, PartialEq)]
enum Fields {
    Open,
    Closed,
}

type Fits = Result<(), String>;

fn fits(schemas: &Map<String, Value>, schema: &Value, value: &Value, fields: Fields) -> Fits {
    let Value::Object(keywords) = schema else {
        return Ok(());
    };
    for (keyword, wanted) in keywords {
        let holds = match keyword.as_str() {
            "$ref" => {
                let Some(target) = component(schemas, wanted) else {
                    return server_error(value);
                };
                let siblings = keywords.contains_key("properties");
                let fields = if siblings { Fields::Open } else { fields };
                fits(schemas, target, value, fields)?;
                true
            }
            "type" => is_of(wanted, value),
            "const" => value == wanted,
            "enum" => wanted.as_array().is_some_and(|all| all.contains(value)),
            "anyOf" | "oneOf" => {
                let variants = wanted.as_array().into_iter().flatten();
                let tried: Vec<Fits> = variants
                    .map(|variant| fits(schemas, variant, value, fields))
                    .collect();
                let fitting = tried.iter().filter(|one| one.is_ok()).count();
                if fitting == 0 {
                    let problems: Vec<String> = tried.into_iter().filter_map(Fits::err).collect();
                    return Err(problems.join("; or "));
                }
                keyword == "anyOf" || fitting == 1
            }
            "required" => {
                let names = wanted.as_array().into_iter().flatten();
                let mut names = names.filter_map(Value::as_str);
                names.all(|name| value.as_object().is_none_or(|one| one.contains_key(name)))
            }
            "properties" => {
                for (name, schema) in wanted.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(name) {
                        let found = fits(schemas, schema, value, fields);
                        found.map_err(|problem| format!("{name}: {problem}"))?;
                    }
                }
                true
            }
            "items" => {
                let all = value.as_array().into_iter().flatten();
                for (index, value) in all.enumerate() {
                    let found = fits(schemas, wanted, value, fields);
                    found.map_err(|problem| format!("{index}: {problem}"))?;
                }
                true
            }
            "prefixItems" => {
                let all = value.as_array().into_iter().flatten();
                for (value, schema) in all.zip(wanted.as_array().into_iter().flatten()) {
                    fits(schemas, schema, value, fields)?;
                }
                true
            }
            "minimum" => value.as_f64() >= wanted.as_f64() || !value.is_number(),
            "maximum" => value.as_f64() <= wanted.as_f64() || !value.is_number(),
            "minItems" | "minLength" => {
                length(value).is_none_or(|one| Some(one) >= wanted.as_u64())
            }
            "maxItems" | "maxLength" => {
                length(value).is_none_or(|one| Some(one) <= wanted.as_u64())
            }
            "default" | "description" | "format" | "pattern" | "title" => true,
            other => panic!("`{other}` in {schema}"),
        };
        if !holds {
            return Err(format!("{value} is not of `{keyword}`: {wanted}"));
        }
    }
    if fields == Fields::Closed && keywords.contains_key("properties") {
        let mut names = Vec::new();
        add_names(schemas, schema, &mut names);
        let found = value.as_object().into_iter().flatten();
        for (name, _) in found {
            if !names.contains(&name.as_str()) {
                return Err(format!("`{name}` is not in the schema"));
            }
        }
    }
    Ok(())
}

/// The names of an object's fields.
fn add_names<'a>(schemas: &'a Map<String, Value>, schema: &'a Value, names: &mut Vec<&'a str>) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    names.extend(properties.map(|(name, _)| name.as_str()));
    if let Some(target) = component(schemas, &schema["$ref"]) {
        add_names(schemas, target, names);
    }
}

fn component<'a>(schemas: &'a Map<String, Value>, reference: &Value) -> Option<&'a Value> {
    schemas.get(reference.as_str()?.strip_prefix(COMPONENTS)?)
}

/// An error as the server tells it: the guard before all routes does.
fn server_error(value: &Value) -> Fits {
    let error = &value["error"];
    if error["message"].is_string() && error["type"].is_string() {
        return Ok(());
    }
    Err("it is no error of the server".to_owned())
}

fn is_of(wanted: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    match wanted {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}

fn length(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => Some(text.chars().count() as u64),
        Value::Array(values) => Some(values.len() as u64),
        _ => None,
    }
}

#[test]
fn what_the_document_does_not_say_is_noticed() {
    use serde_json::json;

    let schemas = json!({
        "Named": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        "Kind": {"oneOf": [{"const": "a", "type": "string"}, {"const": "b", "type": "string"}]},
        "Tagged": {
            "type": "object", "properties": {"kind": {"$ref": "#/components/schemas/Kind"}},
            "required": ["kind"], "$ref": "#/components/schemas/Named",
        },
        "Many": {
            "type": "array", "maxItems": 2,
            "items": {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 0, "maximum": 9}]},
        },
    });
    let schemas = schemas.as_object().unwrap();
    let found = |name: &str, value: Value, fields| {
        let schema = json!({"$ref": format!("{COMPONENTS}{name}")});
        fits(schemas, &schema, &value, fields).is_ok()
    };
    let closed = |name, value| found(name, value, Fields::Closed);
    assert!(closed("Named", json!({"name": "x"})));
    assert!(!closed("Named", json!({"name": 3})));
    assert!(!closed("Named", json!({})));
    assert!(!closed("Named", json!({"name": "x", "more": 1})));
    assert!(found(
        "Named",
        json!({"name": "x", "more": 1}),
        Fields::Open
    ));
    assert!(closed("Tagged", json!({"kind": "a", "name": "x"})));
    assert!(!closed("Tagged", json!({"kind": "c", "name": "x"})));
    assert!(!closed(
        "Tagged",
        json!({"kind": "a", "name": "x", "more": 1})
    ));
    assert!(closed("Many", json!([null, 9])));
    for wrong in [json!([10]), json!([0.5]), json!([1, 2, 3]), json!("x")] {
        assert!(!closed("Many", wrong));
    }
}
