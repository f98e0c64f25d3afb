//! What a method declares about itself: the planner checks recipes against it, and its documentation is made from it.

use serde::{Serialize, Serializer};

use super::Kernel;
use crate::{Objection, Operation, Reason, Value};

/// A merge method: its name, what it takes, its documentation and its arithmetic.
///
/// Serialised, it is what programs can know of the method: everything but its functions.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MethodSpec {
    /// The name in a recipe's `merge_method`.
    pub name: &'static str,
    /// The name in prose, such as `Spherical linear interpolation (SLERP)`.
    pub title: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// User documentation in Markdown: the formula, when to use it, what its parameters do.
    pub documentation: &'static str,
    /// Where the method comes from.
    pub reference: Option<Reference>,
    /// Whether it needs a base model.
    pub base: BaseRule,
    /// How many inputs it takes: with the base where the method needs one or takes it for an ordinary input, without an
    /// optional one.
    pub inputs: InputCount,
    /// Its parameters.
    pub parameters: &'static [ParameterSpec],
    /// What happens to an optional tensor that some inputs lack.
    pub missing: MissingRule,
    /// Position of the source that the result equals with these coefficients, whatever the tensors hold.
    #[serde(skip)]
    pub identity: fn(&Operation) -> Option<usize>,
    /// How much of each source is in the result: coefficients that sum to 1 where the method is an average.
    /// `None` for a method whose mixture depends on the tensors.
    #[serde(skip)]
    pub shares: fn(&Operation) -> Option<Vec<f64>>,
    /// Whether the method can work with the sources and the values of the parameters, all of which have one.
    #[serde(skip)]
    pub validate: fn(&Operation) -> Result<(), Objection>,
    /// The arithmetic.
    #[serde(skip)]
    pub compile: Compile,
}

impl MethodSpec {
    /// Whether an operation can be compiled: whether each parameter has a value and the method can work with them all.
    pub fn check(&self, operation: &Operation) -> Result<(), Objection> {
        let origin = match self.base {
            BaseRule::Ignored => None,
            BaseRule::Required | BaseRule::Optional => operation.base,
        };
        for parameter in self.parameters {
            match parameter.scope {
                Scope::Global => parameter.check(operation.parameters.get(parameter.name))?,
                Scope::Model => {
                    let sources = operation.source_parameters.iter().enumerate();
                    for (source, values) in sources.filter(|(source, _)| Some(*source) != origin) {
                        let value = values.get(parameter.name);
                        let checked = parameter.check(value);
                        checked.map_err(|objection| objection.of_source(source))?;
                    }
                }
            }
        }
        (self.validate)(operation)
    }

    /// How many of some sources count as its inputs, where the base is or is not one of them.
    pub fn counted(&self, sources: usize, with_base: bool) -> usize {
        sources - usize::from(with_base && self.base == BaseRule::Optional)
    }

    /// What to do with an optional tensor that only `present` sources have, including the base or not.
    pub fn without_some(&self, present: usize, with_base: bool) -> Missing {
        let merges = self.inputs.holds(self.counted(present, with_base));
        match (self.missing, merges) {
            (MissingRule::CopyBaseOrSkip, _) if !with_base => Missing::Skip,
            (MissingRule::MergeRest | MissingRule::CopyBaseOrSkip, true) => Missing::Merge,
            (MissingRule::CopyBaseOrSkip, false) => Missing::Copy,
            (MissingRule::CopyLone, _) if present == 1 => Missing::Copy,
            (MissingRule::CopyLoneBase, _) if present == 1 && with_base => Missing::Copy,
            _ => Missing::Refuse,
        }
    }
}

/// A paper or page that describes a method.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "MethodReference"))]
pub struct Reference {
    /// Title and authors.
    pub title: &'static str,
    /// Address.
    pub url: &'static str,
}

/// What `base_model` means to a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BaseRule {
    /// The recipe must name it.
    Required,
    /// Used when named.
    Optional,
    /// An ordinary input when named; it gives config and tokenizer.
    Ignored,
}

/// How many inputs a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InputCount {
    /// The least number.
    pub min: usize,
    /// The largest number.
    pub max: Option<usize>,
}

impl InputCount {
    /// Exactly that many.
    pub const fn exactly(count: usize) -> Self {
        Self {
            min: count,
            max: Some(count),
        }
    }

    /// That many or more.
    pub const fn at_least(min: usize) -> Self {
        Self { min, max: None }
    }

    /// True when the method takes that many.
    pub fn holds(self, count: usize) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }
}

/// What happens to an optional tensor that some inputs lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MissingRule {
    /// The inputs that have it are merged, where they are as many as the method takes.
    MergeRest,
    /// A tensor that a single input has is copied; otherwise all inputs must have it.
    CopyLone,
    /// A tensor that the base alone has is copied; otherwise all inputs must have it.
    CopyLoneBase,
    /// The inputs that have it are merged; where they are fewer than the method takes, the base's tensor is copied. One that the
    /// base lacks is left out.
    CopyBaseOrSkip,
}

/// What comes of a tensor that some inputs lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The inputs that have it are merged.
    Merge,
    /// The tensor of one of them is copied, the only one's or the base's.
    Copy,
    /// The result has no such tensor.
    Skip,
    /// The inputs do not go together.
    Refuse,
}

/// A parameter of a method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ParameterSpec {
    /// Its name under `parameters:`.
    pub name: &'static str,
    /// Whether each model has its own.
    pub scope: Scope,
    /// What its values are.
    pub kind: Kind,
    /// What it is when no level of the recipe sets it.
    #[cfg_attr(feature = "schema", schemars(schema_with = "default_schema"))]
    pub default: Default,
    /// Values outside of this range are warned about.
    pub usual: Option<(f64, f64)>,
    /// One sentence for the documentation.
    pub summary: &'static str,
}

impl ParameterSpec {
    /// Whether there is a value of its kind where there must be one.
    fn check(&self, value: Option<&Value>) -> Result<(), Objection> {
        let is_sound = match value {
            None => self.default == Default::Unset,
            Some(value) => self.kind.holds(value),
        };
        if is_sound {
            return Ok(());
        }
        let parameter = self.name;
        Err(Objection {
            parameters: vec![parameter],
            source: None,
            reason: Reason::NotSet { parameter },
        })
    }
}

/// Whom a parameter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ParameterScope"))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole merge; filters match the result's tensor names.
    Global,
    /// Each model; filters match that model's tensor names.
    Model,
}

/// What the values of a parameter are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ParameterKind"))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A text.
    Text,
}

impl Kind {
    /// Whether a value is of that kind.
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Number => value.as_number().is_some(),
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::Text => matches!(value, Value::Text(_)),
        }
    }
}

/// The value of a parameter that no level of the recipe sets.
///
/// Serialised, it is the value itself, `"required"`, or nothing where it is not set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// There is none: the recipe must set it.
    Required,
    /// That number.
    Number(f64),
    /// That switch.
    Bool(bool),
    /// That text.
    Text(&'static str),
    /// Not set, which means something of its own to the method.
    Unset,
}

impl Default {
    /// The value itself, where there is one.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Number(number) => Some(Value::Number(number)),
            Self::Bool(on) => Some(Value::Bool(on)),
            Self::Text(text) => Some(Value::Text(text.to_owned())),
            Self::Required | Self::Unset => None,
        }
    }
}

impl Serialize for Default {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Required => serializer.serialize_str("required"),
            Self::Number(value) => serializer.serialize_f64(value),
            Self::Bool(on) => serializer.serialize_bool(on),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Unset => serializer.serialize_none(),
        }
    }
}

/// What [`Default`] is when it is serialised.
#[cfg(feature = "schema")]
fn default_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "anyOf": [
            {"const": "required"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"},
        ],
    })
}

/// Makes the arithmetic of an operation in either precision.
#[derive(Debug, Clone, Copy)]
pub struct Compile {
    /// For inputs that f32 holds exactly.
    pub single: fn(&Operation) -> Box<dyn Kernel<f32>>,
    /// For tensors with an F64 among the inputs.
    pub double: fn(&Operation) -> Box<dyn Kernel<f64>>,
}
