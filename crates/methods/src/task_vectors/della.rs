//! Drops elements of task vectors at random, small ones more often. <https://arxiv.org/abs/2406.11617>

use super::parameters::{DENSITY, LAMBDA, NORMALIZE, RESCALE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, PerModel, Reference};

/// How far probabilities reach.
pub(super) const EPSILON: PerModel<f64> = PerModel::number(
    "epsilon",
    0.15,
    "How far the probability to stay is from `density` for the smallest and the largest element of a row.",
);

/// With signs elected weights are shares by default, as in TIES.
const ELECTED: &[ParameterSpec] = &[
    WEIGHT.spec(),
    DENSITY.spec(),
    EPSILON.spec(),
    NORMALIZE.by_default(true).spec(),
    RESCALE.by_default(true).spec(),
    LAMBDA.spec(),
];

const ADDED: &[ParameterSpec] = &[
    WEIGHT.spec(),
    DENSITY.spec(),
    EPSILON.spec(),
    NORMALIZE.spec(),
    RESCALE.by_default(true).spec(),
    LAMBDA.spec(),
];

const REFERENCE: Reference = Reference {
    title: "DELLA-Merging: Reducing Interference in Model Merging through Magnitude-Based Sampling (Deep et al., 2024)",
    url: "https://arxiv.org/abs/2406.11617",
};

/// With sign election.
pub(crate) static DELLA: MethodSpec = specification(About {
    name: "della",
    title: "DELLA (drop, elect, merge)",
    summary: "Drops random changes of each fine-tune, small ones more often, elects a sign for every weight, and averages what has that sign.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, tensor by tensor:

1. *Drop*: rank the n elements of each row (along the second axis; a tensor of one axis is one row) by magnitude, from 0; of equal ones the first has the
lower rank. An element stays with the probability `density` − `epsilon` + 2·`epsilon`·rank / (n − 1) (the only one of a row with `density`), so that all `density`·n of them stay on
average. With `rescale`, the default, what stays is multiplied by ‖Dᵢ‖₁ / ‖what stays‖₁ (unless one of these is below 0.0000001). A
`density` of 1 keeps everything, one of 0 nothing.
2. *Elect*: the sign of an element is that of Σ wᵢ·Dᵢ (zero counts as plus).
3. *Merge*: add up the wᵢ·Dᵢ that have the elected sign; with `normalize`, the default, divide by the sum of their weights (unless that is zero).

Result = W₀ + λ·that, with λ = `lambda`.

Both `density` − `epsilon` and `density` + `epsilon` must lie between 0 and 1. The choice depends on the seed (`--random-seed`), the tensor's name, the
model's place in the recipe and the element, and on nothing else. Rescaling by the norm does not make the mean over many seeds the
task vector itself: large elements stay more often, and gain.",
    reference: REFERENCE,
    parameters: ELECTED,
});

/// Without sign election.
pub(crate) static DELLA_LINEAR: MethodSpec = specification(About {
    name: "della_linear",
    title: "DELLA without elected signs",
    summary: "Drops random changes of each fine-tune, small ones more often, scales the others up, and adds them to the base.",
    documentation: "\
The task vectors Dᵢ = Wᵢ − W₀ are thinned out as in `della`: an element stays with a probability that grows with its rank in its row, from
`density` − `epsilon` to `density` + `epsilon`, and with `rescale` what stays is scaled to the L1 norm of the whole. Then as in task arithmetic:

Result = W₀ + λ·Σ wᵢ·Dᵢ, with λ = `lambda`; with `normalize` the sum is divided by Σ wᵢ (unless that is zero).",
    reference: REFERENCE,
    parameters: ADDED,
});
