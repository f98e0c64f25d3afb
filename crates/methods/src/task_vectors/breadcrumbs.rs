//! Drops the largest and the smallest elements of task vectors. <https://arxiv.org/abs/2312.06795>

use super::parameters::{DENSITY, LAMBDA, NORMALIZE, RESCALE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, PerModel, Reference};

/// The share of the largest.
pub(super) const GAMMA: PerModel<f64> = PerModel::number(
    "gamma",
    0.01,
    "Fraction of the task vector's largest elements to drop, from 0 to 1.",
);

const PARAMETERS: &[ParameterSpec] = &[
    WEIGHT.spec(),
    DENSITY.spec(),
    GAMMA.spec(),
    NORMALIZE.spec(),
    RESCALE.spec(),
    LAMBDA.spec(),
];

const REFERENCE: Reference = Reference {
    title: "Model Breadcrumbs: Scaling Multi-Task Model Merging with Sparse Masks (Davari and Belilovsky, 2024)",
    url: "https://arxiv.org/abs/2312.06795",
};

/// Without sign election.
pub(crate) static BREADCRUMBS: MethodSpec = specification(About {
    name: "breadcrumbs",
    title: "Model Breadcrumbs",
    summary: "Drops the largest and smallest changes of each fine-tune and adds the rest to the base.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, per tensor and ordered by magnitude: the ⌊`gamma`·n⌋ largest
elements of Dᵢ are dropped, the next ⌊`density`·n⌋ are kept, and the rest, the smallest, are
dropped. (If `gamma` and `density` sum to more than 1, fewer of the largest are dropped.) Of equal
magnitudes, the first counts as the larger. With a `density` of 1 nothing is dropped, whatever
`gamma` is. Then, as in task arithmetic:

Result = W₀ + λ·Σ wᵢ·Dᵢ, with λ = `lambda`. With `normalize`, the sum is divided by Σ wᵢ (unless
that is zero).

The smallest changes are noise, and the largest are outliers that interfere with other tasks.
Typical values are a `density` of 0.2 to 0.9 and a `gamma` of 0.01.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});

/// With sign election.
pub(crate) static BREADCRUMBS_TIES: MethodSpec = specification(About {
    name: "breadcrumbs_ties",
    title: "Model Breadcrumbs with elected signs",
    summary: "Drops the largest and smallest changes of each fine-tune, elects a sign per weight, and adds the changes with that sign.",
    documentation: "\
The task vectors Dᵢ = Wᵢ − W₀ are sparsified as in `breadcrumbs`: the ⌊`gamma`·n⌋ largest elements
are dropped and the next ⌊`density`·n⌋ are kept. Sign conflicts are resolved as in `ties`: the sign
of an element is that of Σ wᵢ·Dᵢ (zero counts as plus), and only the wᵢ·Dᵢ with that sign are added.
With `normalize`, the sum is divided by the sum of their weights.

Result = W₀ + λ·that, with λ = `lambda`.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});
