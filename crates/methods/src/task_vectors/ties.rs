//! Trims task vectors and elects signs before adding them. <https://arxiv.org/abs/2306.01708>

use super::parameters::{DENSITY, LAMBDA, NORMALIZE, RESCALE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, Reference};

const PARAMETERS: &[ParameterSpec] = &[
    WEIGHT.spec(),
    DENSITY.spec(),
    NORMALIZE.by_default(true).spec(),
    RESCALE.spec(),
    LAMBDA.spec(),
];

/// What recipes, the planner and the documentation know of it.
pub(crate) static TIES: MethodSpec = specification(About {
    name: "ties",
    title: "TIES (trim, elect sign, merge)",
    summary: "Keeps the largest changes of each fine-tune, elects a sign per weight, and averages the changes with that sign.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, per tensor:

1. *Trim*: keep the ⌊`density`·n⌋ elements of Dᵢ with the largest magnitude, at least one, and zero
   the others. Of equal magnitudes, the first is kept. A `density` of 0 drops all of Dᵢ.
2. *Elect*: the sign of an element is that of Σ wᵢ·Dᵢ (zero counts as plus).
3. *Merge*: add the wᵢ·Dᵢ that have the elected sign. With `normalize`, the default, divide by the
   sum of their weights (unless that is zero).

Result = W₀ + λ·that, with λ = `lambda`.

Most changes from fine-tuning do not matter, and those that do often have opposite signs in
different fine-tunes and would cancel in an average. Typical values are a `density` of 0.2 to 0.7
and equal weights. With `rescale`, trimmed task vectors are scaled back to their original L1 norm.",
    reference: Reference {
        title: "TIES-Merging: Resolving Interference When Merging Models (Yadav et al., 2023)",
        url: "https://arxiv.org/abs/2306.01708",
    },
    parameters: PARAMETERS,
});
