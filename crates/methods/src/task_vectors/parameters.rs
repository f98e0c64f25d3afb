//! The parameters that methods of the family share.

use crate::{Default, Kind, ParameterSpec, Scope};

pub(super) const WEIGHT: ParameterSpec = ParameterSpec {
    name: "weight",
    scope: Scope::Model,
    kind: Kind::Number,
    default: Default::Required,
    usual: None,
    summary: "Factor of the model's task vector.",
};

pub(super) const LAMBDA: ParameterSpec = ParameterSpec {
    name: "lambda",
    scope: Scope::Global,
    kind: Kind::Number,
    default: Default::Number(1.0),
    usual: None,
    summary: "Factor of the sum of all task vectors.",
};

/// Whether weights are shares.
pub(super) const fn normalize(default: bool) -> ParameterSpec {
    ParameterSpec {
        name: "normalize",
        scope: Scope::Global,
        kind: Kind::Bool,
        default: Default::Bool(default),
        usual: None,
        summary: "Divide by the sum of the weights: of all models, or, with elected signs, of those that are left at the position.",
    }
}

/// Whether what stays makes up for what goes.
pub(super) const fn rescale(default: bool) -> ParameterSpec {
    ParameterSpec {
        name: "rescale",
        scope: Scope::Global,
        kind: Kind::Bool,
        default: Default::Bool(default),
        usual: None,
        summary: "Scale what stays of a task vector so that its L1 norm is that of the whole.",
    }
}

/// The share of elements that stay.
pub(super) const DENSITY: ParameterSpec = ParameterSpec {
    name: "density",
    scope: Scope::Model,
    kind: Kind::Number,
    default: Default::Number(1.0),
    usual: None,
    summary: "Share of the task vector's elements that stay, from 0 to 1.",
};
