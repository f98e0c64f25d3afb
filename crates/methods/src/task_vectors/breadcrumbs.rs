//! Drops the largest and the smallest elements of task vectors. <https://arxiv.org/abs/2312.06795>

use super::parameters::{DENSITY, LAMBDA, NORMALIZE, RESCALE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, PerModel, Reference};

/// The share of the largest.
pub(super) const GAMMA: PerModel<f64> = PerModel::number(
    "gamma",
    0.01,
    "Share of the task vector's elements, the largest, that are dropped, from 0 to 1.",
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
    summary: "Drops the largest and the smallest changes of each fine-tune and adds the others to the base.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, tensor by tensor and in the order of their magnitudes: the ⌊`gamma`·n⌋ largest elements of Dᵢ are dropped,
the ⌊`density`·n⌋ below them stay, and the rest, the smallest, is dropped. (Where `gamma` and `density` sum to more than 1, fewer of the largest are
dropped.) Of equal magnitudes the first counts as the larger. With a `density` of 1 nothing is dropped, whatever `gamma` is. Then as in task
arithmetic:

Result = W₀ + λ·Σ wᵢ·Dᵢ, with λ = `lambda`; with `normalize` the sum is divided by Σ wᵢ (unless that is zero).

The smallest changes are noise, and the largest are outliers that disturb the other tasks. Usual values are a `density` of 0.9 to
0.2 and a `gamma` of 0.01.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});

/// With sign election.
pub(crate) static BREADCRUMBS_TIES: MethodSpec = specification(About {
    name: "breadcrumbs_ties",
    title: "Model Breadcrumbs with elected signs",
    summary: "Drops the largest and the smallest changes of each fine-tune, elects a sign for every weight, and adds what has that sign.",
    documentation: "\
The task vectors Dᵢ = Wᵢ − W₀ are thinned out as in `breadcrumbs`: the ⌊`gamma`·n⌋ largest elements are dropped, the ⌊`density`·n⌋ below them stay.
Conflicts are settled as in `ties`: the sign of an element is that of Σ wᵢ·Dᵢ (zero counts as plus), and only the wᵢ·Dᵢ that have it are
added up; with `normalize` the sum is divided by the sum of their weights.

Result = W₀ + λ·that, with λ = `lambda`.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});
