//! The types of the page, made from the schemas.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::schemas::referred;

/// Where they are.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web/src/api/types.ts");

const HEAD: &str = "\
// Made from the types in crates/studio/src/wire by `UPDATE_TYPES=1 cargo test -p weightsmith-studio --lib`.
// Times are seconds since 1970, sizes are bytes.
";

/// The contents of a schema; bounds are checked by validators.
const KNOWN: &[&str] = &[
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "prefixItems",
    "properties",
    "required",
    "title",
    "type",
];

/// All definitions as a module.
fn module(definitions: &Map<String, Value>) -> String {
    let mut text = HEAD.to_owned();
    for (name, schema) in definitions {
        text.push('\n');
        comment(&mut text, schema, "");
        // writing to a string cannot fail
        let _ = writeln!(text, "export type {name} = {};", shown(schema, ""));
    }
    text
}

fn comment(text: &mut String, schema: &Value, indent: &str) {
    let Some(description) = schema["description"].as_str() else {
        return;
    };
    let lines: Vec<&str> = description.lines().map(str::trim_end).collect();
    if let [line] = lines[..] {
        let _ = writeln!(text, "{indent}/** {line} */");
        return;
    }
    let _ = writeln!(text, "{indent}/**");
    for line in lines {
        let _ = writeln!(text, "{}", format!("{indent} * {line}").trim_end());
    }
    let _ = writeln!(text, "{indent} */");
}

/// A schema as a type.
fn shown(schema: &Value, indent: &str) -> String {
    let Value::Object(fields) = schema else {
        assert_eq!(
            *schema,
            Value::Bool(true),
            "a schema is an object or `true`"
        );
        return "unknown".to_owned();
    };
    for name in fields.keys() {
        assert!(KNOWN.contains(&name.as_str()), "`{name}` in {schema}");
    }
    if let Some(reference) = fields.get("$ref") {
        let name = referred(reference).expect("a definition").to_owned();
        return match fields.get("properties") {
            None => name,
            Some(_) => format!("{} & {name}", object(fields, indent)),
        };
    }
    if let Some(value) = fields.get("const") {
        return value.to_string();
    }
    if let Some(Value::Array(values)) = fields.get("enum") {
        return union(values.iter().map(Value::to_string));
    }
    for name in ["oneOf", "anyOf"] {
        if let Some(Value::Array(variants)) = fields.get(name) {
            return union(variants.iter().map(|variant| shown(variant, indent)));
        }
    }
    match fields.get("type") {
        Some(Value::Array(types)) => {
            let types = types.iter().map(|one| {
                let one = one.as_str().expect("the name of a type");
                typed(one, fields, indent)
            });
            union(types)
        }
        Some(Value::String(one)) => typed(one, fields, indent),
        _ => panic!("a type: {schema}"),
    }
}

fn typed(one: &str, fields: &Map<String, Value>, indent: &str) -> String {
    match one {
        "null" | "boolean" | "string" => one.to_owned(),
        "integer" | "number" => "number".to_owned(),
        "array" => array(fields, indent),
        "object" => object(fields, indent),
        other => panic!("`{other}` is no type"),
    }
}

fn array(fields: &Map<String, Value>, indent: &str) -> String {
    if let Some(Value::Array(items)) = fields.get("prefixItems") {
        let items: Vec<String> = items.iter().map(|item| shown(item, indent)).collect();
        return format!("[{}]", items.join(", "));
    }
    let item = shown(&fields["items"], indent);
    if item.contains([' ', '\n']) && !item.starts_with('{') {
        return format!("({item})[]");
    }
    format!("{item}[]")
}

fn object(fields: &Map<String, Value>, indent: &str) -> String {
    let Some(Value::Object(properties)) = fields.get("properties") else {
        return match fields.get("additionalProperties") {
            Some(values) => format!("{{ [name: string]: {} }}", shown(values, indent)),
            None => "Record<string, never>".to_owned(),
        };
    };
    let required: Vec<&str> = match fields.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let inner = format!("{indent}  ");
    let mut text = "{\n".to_owned();
    for (name, schema) in properties {
        comment(&mut text, schema, &inner);
        let mark = if required.contains(&name.as_str()) {
            ""
        } else {
            "?"
        };
        let _ = writeln!(text, "{inner}{name}{mark}: {};", shown(schema, &inner));
    }
    text + indent + "}"
}

/// Some types, each once.
fn union(types: impl Iterator<Item = String>) -> String {
    let mut known = BTreeSet::new();
    let types: Vec<String> = types.filter(|one| known.insert(one.clone())).collect();
    types.join(" | ")
}

#[test]
fn the_types_of_the_page_are_those_of_the_interface() {
    let expected = module(&crate::api::definitions());
    if std::env::var_os("UPDATE_TYPES").is_some() {
        fs_err::write(FILE, &expected).unwrap();
    }
    let found = fs_err::read_to_string(FILE).unwrap_or_default();
    assert!(
        found == expected,
        "web/src/api/types.ts is stale: run `UPDATE_TYPES=1 cargo test -p weightsmith-studio --lib`"
    );
}

#[test]
fn schemas_are_types() {
    use serde_json::json;

    for (schema, expected) in [
        (json!(true), "unknown"),
        (json!({"type": ["string", "null"]}), "string | null"),
        (json!({"$ref": "#/$defs/Run"}), "Run"),
        (
            json!({"anyOf": [{"$ref": "#/$defs/Run"}, {"type": "null"}]}),
            "Run | null",
        ),
        (
            json!({"type": "array", "items": {"type": ["integer", "null"]}}),
            "(number | null)[]",
        ),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]}),
            "[string, number]",
        ),
        (
            json!({"oneOf": [{"const": "a", "type": "string"}, {"const": "b", "type": "string"}]}),
            "\"a\" | \"b\"",
        ),
        (json!({"type": "object"}), "Record<string, never>"),
        (
            json!({"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "boolean"}}, "required": ["a"]}),
            "{\n  a: number;\n  b?: boolean;\n}",
        ),
        (
            json!({"type": "object", "properties": {"kind": {"const": "x"}}, "required": ["kind"], "$ref": "#/$defs/Y"}),
            "{\n  kind: \"x\";\n} & Y",
        ),
    ] {
        assert_eq!(shown(&schema, ""), expected, "{schema}");
    }
}
