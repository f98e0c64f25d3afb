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
    summary: "Keeps the largest changes of each fine-tune, elects a sign for every weight, and averages what has that sign.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, tensor by tensor:

1. *Trim*: keep the ⌊`density`·n⌋ elements of Dᵢ with the largest magnitude, at least one, and make the others zero. Of equal magnitudes the
first is kept. A `density` of 0 drops the whole Dᵢ.
2. *Elect*: the sign of an element is that of Σ wᵢ·Dᵢ (zero counts as plus).
3. *Merge*: add up the wᵢ·Dᵢ that have the elected sign; with `normalize`, the default, divide by the sum of their weights (unless
that is zero).

Result = W₀ + λ·that, with λ = `lambda`.

Most of what fine-tuning changes does not matter, and what matters often has different signs in different fine-tunes, so that it
cancels in an average. Usual values are a `density` of 0.2 to 0.7 and equal weights. With `rescale` the trimmed task vectors are
scaled back to the L1 norm that they had.",
    reference: Reference {
        title: "TIES-Merging: Resolving Interference When Merging Models (Yadav et al., 2023)",
        url: "https://arxiv.org/abs/2306.01708",
    },
    parameters: PARAMETERS,
});
