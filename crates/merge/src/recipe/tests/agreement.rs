//! What PyYAML and mergekit make of the same texts; the golden files say with which versions.

use serde_json::Value;

use super::super::parameter::{Scalar, Setting};
use super::super::yaml::{Content, Node, Resolved, documents};
use super::recipe;
use crate::Problems;

const SCALARS: &str = include_str!("../../../tests/golden/yaml_scalars.json");
const GRADIENTS: &str = include_str!("../../../tests/golden/gradients.json");

fn golden(text: &str) -> Value {
    serde_json::from_str(text).expect("golden files are JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn number(value: &Value) -> f64 {
    text(value).parse().expect("a number")
}

/// The only item of a list that is the only document.
fn item(yaml: &str) -> Node {
    let mut problems = Problems::default();
    let documents = documents(yaml, &mut problems);
    assert!(problems.is_empty(), "{yaml}: {problems:?}");
    match &documents.roots[0].content {
        Content::Sequence(items) => items[0].clone(),
        other => panic!("{yaml}: {other:?}"),
    }
}

#[test]
fn plain_scalars_are_typed_as_by_pyyaml() {
    let golden = golden(SCALARS);
    let cases = list(&golden["cases"]);
    assert!(cases.len() > 200);
    for case in cases {
        let found = match item(&format!("- {}\n", text(&case[0]))).content {
            Content::Scalar(scalar) => scalar.value,
            other => panic!("{case}: {other:?}"),
        };
        let agrees = match (text(&case[1]), found) {
            ("null", Resolved::Null) | ("text" | "refused", Resolved::Text) => true,
            ("bool", Resolved::Bool(found)) => case[2] == found,
            ("int", Resolved::Integer(found)) => found == number(&case[2]),
            ("float", Resolved::Float(found)) => {
                let expected = number(&case[2]);
                found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan())
            }
            _ => false,
        };
        assert!(agrees, "{case}: found {found:?}");
    }
}

fn setting(yaml: &str) -> Setting {
    let text = format!("merge_method: m\nmodels: [{{model: a}}]\nparameters: {{p: {yaml}}}\n");
    // Entries that are never used are warned about; here they are wanted.
    let mut parsed = super::parse(&text, &|_| false);
    let recipe = parsed.recipes.pop().expect("a readable recipe");
    recipe.parameters.get("p").expect("is set").clone()
}

#[test]
fn settings_evaluate_as_in_mergekit() {
    let golden = golden(GRADIENTS);
    for case in list(&golden["settings"]) {
        let setting = setting(text(&case[0]));
        for result in list(&case[2]) {
            let (name, u, expected) = (text(&result[0]), number(&result[1]), &result[2]);
            let found = match text(&case[1]) {
                "number" => setting.number(name, u).map(|v| v.map(Scalar::Number)),
                "integer" => setting
                    .integer(name, u)
                    .map(|v| v.map(|v| Scalar::Number(v as f64))),
                "flag" => setting.flag(name, u).map(|v| v.map(Scalar::Bool)),
                _ => setting.text(name, u).map(|v| v.map(Scalar::Text)),
            };
            let agrees = match found {
                Err(_) => expected == "refused",
                Ok(None) => expected.is_null(),
                Ok(Some(Scalar::Number(found))) => {
                    let expected = number(expected);
                    (found - expected).abs() <= 1e-15 * expected.abs()
                }
                Ok(Some(Scalar::Bool(ref found))) => expected == found,
                Ok(Some(Scalar::Text(ref found))) => expected == found,
            };
            assert!(agrees, "{} {result}: found {found:?}", case[0]);
        }
    }
}

#[test]
fn texts_convert_as_in_mergekit() {
    let golden = golden(GRADIENTS);
    for case in list(&golden["texts"]) {
        let scalar = Scalar::Text(text(&case[0]).to_owned());
        let expected = |at: usize| Some(&case[at]).filter(|value| *value != "refused");
        // Only finite numbers are parameters here.
        let as_float = expected(1).map(number).filter(|value| value.is_finite());
        assert_eq!(scalar.as_number(), as_float, "{case}");
        let as_integer = expected(2).map(|value| number(value) as i64);
        assert_eq!(scalar.as_integer(), as_integer, "{case}");
        assert_eq!(
            scalar.as_bool(),
            expected(3).and_then(Value::as_bool),
            "{case}"
        );
    }
}

#[test]
fn small_numbers_without_a_dot_are_numbers_to_a_method() {
    let recipe = recipe("merge_method: m\nmodels: [{model: a}]\nparameters: {eps: 1e-5}\n");
    let setting = recipe.parameters.get("eps").expect("is set");
    assert_eq!(setting.number("x", 0.0), Ok(Some(1e-5)));
    assert_eq!(setting.evaluate("x", 0.0), Some(Scalar::Number(1e-5)));
}
