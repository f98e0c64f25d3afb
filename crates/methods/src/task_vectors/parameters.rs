//! The parameters that methods of the family share.

use crate::{Global, PerModel};

pub(super) const WEIGHT: PerModel<f64> =
    PerModel::required("weight", "Weight of the model's task vector.");

pub(super) const LAMBDA: Global<f64> =
    Global::number("lambda", 1.0, "Factor for the sum of all task vectors.");

/// Whether weights are shares.
pub(super) const NORMALIZE: Global<bool> = Global::switch(
    "normalize",
    false,
    "Divide by the sum of the weights: of all models, or with sign election, of those that remain at the position.",
);

/// Whether what stays makes up for what goes.
pub(super) const RESCALE: Global<bool> = Global::switch(
    "rescale",
    false,
    "Scale the kept elements of a task vector to the L1 norm of the whole.",
);

/// The share of elements that stay.
pub(super) const DENSITY: PerModel<f64> = PerModel::number(
    "density",
    1.0,
    "Fraction of the task vector's elements to keep, from 0 to 1.",
);
