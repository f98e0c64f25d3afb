//! The arithmetic that makes one tensor: method, inputs and resolved parameters.

use std::collections::BTreeMap;

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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ParameterValue"))]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
}

impl Operation {
    /// A number that the method's specification requires or gives a default for.
    pub fn number(&self, name: &str) -> f64 {
        self.parameters.get(name).map_or(f64::NAN, Value::number)
    }

    /// A switch that the method's specification gives a default for.
    pub fn switch(&self, name: &str) -> bool {
        matches!(self.parameters.get(name), Some(Value::Bool(true)))
    }

    /// A number that belongs to a source.
    pub fn source_number(&self, source: usize, name: &str) -> f64 {
        self.source_parameters[source]
            .get(name)
            .map_or(f64::NAN, Value::number)
    }
}

impl Value {
    fn number(&self) -> f64 {
        match *self {
            Self::Number(number) => number,
            Self::Bool(on) => f64::from(u8::from(on)),
        }
    }
}
