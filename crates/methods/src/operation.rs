//! The arithmetic that makes one tensor: method, inputs and resolved parameters.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A merge method applied to the tensors of some inputs.
///
/// Inputs are identified by their position in [`Operation::sources`]: a model that a recipe names twice is two inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Name of the method.
    pub method: String,
    /// The inputs in the order of the recipe.
    pub sources: Vec<SourceTensor>,
    /// Position of the base in [`Operation::sources`].
    pub base: Option<usize>,
    /// Parameters that belong to the tensor, such as `t`.
    pub parameters: BTreeMap<String, Value>,
    /// Parameters that belong to each source, such as `weight`; as long as [`Operation::sources`].
    pub source_parameters: Vec<BTreeMap<String, Value>>,
}

/// A tensor of an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceTensor {
    /// Index of the model among those that are read.
    pub input: usize,
    /// Its name there.
    pub tensor: String,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ParameterValue"))]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Table(BTreeMap<String, Value>),
}

impl Value {
    /// As a number: a number itself, a switch as 1 or 0.
    pub fn as_number(&self) -> Option<f64> {
        match *self {
            Self::Number(number) => Some(number),
            Self::Bool(on) => Some(f64::from(u8::from(on))),
            Self::Text(_) | Self::List(_) | Self::Table(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(on) => write!(f, "{on}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("]")
            }
            Self::Table(entries) => {
                f.write_str("{")?;
                for (index, (name, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{name}: {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_json_by_what_they_look_like() {
        let text = r#"[true, 0.5, "cosine", [1.0, 2.0], {"a": false}]"#;
        let values: Vec<Value> = serde_json::from_str(text).unwrap();
        let table = BTreeMap::from([("a".to_owned(), Value::Bool(false))]);
        assert_eq!(
            values,
            [
                Value::Bool(true),
                Value::Number(0.5),
                Value::Text("cosine".to_owned()),
                Value::List(vec![Value::Number(1.0), Value::Number(2.0)]),
                Value::Table(table),
            ]
        );
        let written = serde_json::to_string(&values).unwrap();
        assert_eq!(written, text.replace(", ", ",").replace(": ", ":"));
        let shown: Vec<String> = values.iter().map(Value::to_string).collect();
        assert_eq!(shown, ["true", "0.5", "cosine", "[1, 2]", "{a: false}"]);
    }
}
