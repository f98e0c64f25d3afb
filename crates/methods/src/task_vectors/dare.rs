//! Drops elements of task vectors at random and scales the rest up. <https://arxiv.org/abs/2311.03099>

use super::parameters::{DENSITY, LAMBDA, NORMALIZE, RESCALE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, Reference};

const PARAMETERS: &[ParameterSpec] = &[
    WEIGHT.spec(),
    DENSITY.spec(),
    NORMALIZE.spec(),
    RESCALE.by_default(true).spec(),
    LAMBDA.spec(),
];

const REFERENCE: Reference = Reference {
    title: "Language Models are Super Mario: Absorbing Abilities from Homologous Models as a Free Lunch (Yu et al., 2024)",
    url: "https://arxiv.org/abs/2311.03099",
};

/// Without sign election.
pub(crate) static DARE_LINEAR: MethodSpec = specification(About {
    name: "dare_linear",
    title: "DARE (drop and rescale)",
    summary: "Drops random changes of each fine-tune, rescales the rest, and adds them to the base.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, per tensor: each element of Dᵢ is kept with probability
`density` and zeroed otherwise. With `rescale`, the default, the kept elements are multiplied by
‖Dᵢ‖₁ / ‖kept‖₁ (unless one of these is below 0.0000001). Then, as in task arithmetic:

Result = W₀ + λ·Σ wᵢ·Dᵢ, with λ = `lambda`. With `normalize`, the sum is divided by Σ wᵢ (unless
that is zero).

Changes from fine-tuning are so redundant that most can be dropped if the rest is rescaled, and
sparse changes interfere less with each other. Typical values are a `density` of 0.1 to 0.7. The
mask depends only on the seed (`--random-seed`), the tensor's name, the model's position in the
recipe and the element: the same recipe gives the same bytes everywhere, and each model has its own
mask.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});

/// With sign election.
pub(crate) static DARE_TIES: MethodSpec = specification(About {
    name: "dare_ties",
    title: "DARE with elected signs",
    summary: "Drops random changes of each fine-tune, rescales the rest, elects a sign per weight, and adds the changes with that sign.",
    documentation: "\
The task vectors Dᵢ = Wᵢ − W₀ are sparsified as in `dare_linear`: each element is kept with
probability `density`, and with `rescale` the kept elements are scaled to the L1 norm of the whole.
Sign conflicts are resolved as in `ties`: the sign of an element is that of Σ wᵢ·Dᵢ (zero counts as
plus), and only the wᵢ·Dᵢ with that sign are added. With `normalize`, the sum is divided by the sum
of their weights.

Result = W₀ + λ·that, with λ = `lambda`.

Unlike in `ties`, `normalize` is off by default: weights that sum to much more than 1 overshoot.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});
