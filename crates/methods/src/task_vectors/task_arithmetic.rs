//! Adds weighted task vectors to the base. <https://arxiv.org/abs/2212.04089>

use super::parameters::{LAMBDA, NORMALIZE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, Reference};

const PARAMETERS: &[ParameterSpec] = &[WEIGHT.spec(), NORMALIZE.spec(), LAMBDA.spec()];

/// What recipes, the planner and the documentation know of it.
pub(crate) static TASK_ARITHMETIC: MethodSpec = specification(About {
    name: "task_arithmetic",
    title: "Task arithmetic",
    summary: "Adds the weighted differences of fine-tunes from their base to the base.",
    documentation: "\
Result = W₀ + λ·Σ wᵢ·(Wᵢ − W₀), with λ = `lambda`; with `normalize` the sum is divided by Σ wᵢ (unless that is zero).

What fine-tuning added to a model is a *task vector*. Several can be added to one base to get several skills, and a negative
`weight` takes one away. The fine-tunes must share the base. Weights of about 0.3 to 1 work for two or three models; the more task
vectors, the smaller `lambda` should be. Where they disturb each other, `ties`, `dare_ties` and `della` settle conflicts first.",
    reference: Reference {
        title: "Editing Models with Task Arithmetic (Ilharco et al., 2023)",
        url: "https://arxiv.org/abs/2212.04089",
    },
    parameters: PARAMETERS,
});
