//! The parameters that methods of the family share.

use crate::{Global, PerModel};

pub(super) const WEIGHT: PerModel<f64> =
    PerModel::required("weight", "Factor of the model's task vector.");

pub(super) const LAMBDA: Global<f64> =
    Global::number("lambda", 1.0, "Factor of the sum of all task vectors.");

/// Whether weights are shares.
pub(super) const NORMALIZE: Global<bool> = Global::switch(
    "normalize",
    false,
    "Divide by the sum of the weights: of all models, or, with elected signs, of those that are left at the position.",
);

/// Whether what stays makes up for what goes.
pub(super) const RESCALE: Global<bool> = Global::switch(
    "rescale",
    false,
    "Scale what stays of a task vector so that its L1 norm is that of the whole.",
);

/// The share of elements that stay.
pub(super) const DENSITY: PerModel<f64> = PerModel::number(
    "density",
    1.0,
    "Share of the task vector's elements that stay, from 0 to 1.",
);
