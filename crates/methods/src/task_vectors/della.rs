//! Drops elements of task vectors at random, small ones more often. <https://arxiv.org/abs/2406.11617>

use super::parameters::{DENSITY, LAMBDA, NORMALIZE, RESCALE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, PerModel, Reference};

/// How far probabilities reach.
pub(super) const EPSILON: PerModel<f64> = PerModel::number(
    "epsilon",
    0.15,
    "How far the probability of keeping an element differs from `density` for the smallest and largest element of a row.",
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
    summary: "Drops random changes of each fine-tune, small ones more often, elects a sign per weight, and averages the changes with that sign.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, per tensor:

1. *Drop*: rank the n elements of each row (along the second axis; a one-dimensional tensor is one
   row) by magnitude, from 0. Of equal magnitudes, the first has the lower rank. An element is kept
   with probability `density` − `epsilon` + 2·`epsilon`·rank / (n − 1) (for one-element rows,
   `density`), so `density`·n of them are kept on average. With `rescale`, the default, the kept
   elements are multiplied by ‖Dᵢ‖₁ / ‖kept‖₁ (unless one of these is below 0.0000001). A `density`
   of 1 keeps everything, 0 nothing.
2. *Elect*: the sign of an element is that of Σ wᵢ·Dᵢ (zero counts as plus).
3. *Merge*: add the wᵢ·Dᵢ that have the elected sign. With `normalize`, the default, divide by the
   sum of their weights (unless that is zero).

Result = W₀ + λ·that, with λ = `lambda`.

`density` − `epsilon` and `density` + `epsilon` must be between 0 and 1. The mask depends only on
the seed (`--random-seed`), the tensor's name, the model's position in the recipe and the element.
Rescaling by the norm does not preserve the mean over many seeds: large elements are kept more often
and gain.",
    reference: REFERENCE,
    parameters: ELECTED,
});

/// Without sign election.
pub(crate) static DELLA_LINEAR: MethodSpec = specification(About {
    name: "della_linear",
    title: "DELLA without elected signs",
    summary: "Drops random changes of each fine-tune, small ones more often, rescales the rest, and adds them to the base.",
    documentation: "\
The task vectors Dᵢ = Wᵢ − W₀ are sparsified as in `della`: the probability of keeping an element
increases with its rank in its row, from `density` − `epsilon` to `density` + `epsilon`, and with
`rescale` the kept elements are scaled to the L1 norm of the whole. Then, as in task arithmetic:

Result = W₀ + λ·Σ wᵢ·Dᵢ, with λ = `lambda`. With `normalize`, the sum is divided by Σ wᵢ (unless
that is zero).",
    reference: REFERENCE,
    parameters: ADDED,
});
