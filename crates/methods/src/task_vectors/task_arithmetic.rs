//! Adds weighted task vectors to the base. <https://arxiv.org/abs/2212.04089>

use super::parameters::{LAMBDA, NORMALIZE, WEIGHT};
use super::{About, specification};
use crate::{MethodSpec, ParameterSpec, Reference};

const PARAMETERS: &[ParameterSpec] = &[WEIGHT.spec(), NORMALIZE.spec(), LAMBDA.spec()];

/// What recipes, the planner and the documentation know of it.
pub(crate) static TASK_ARITHMETIC: MethodSpec = specification(About {
    name: "task_arithmetic",
    title: "Task arithmetic",
    summary: "Adds the weighted task vectors of fine-tunes to their base.",
    documentation: "\
Result = W₀ + λ·Σ wᵢ·(Wᵢ − W₀), with λ = `lambda`. With `normalize`, the sum is divided by Σ wᵢ
(unless that is zero).

A *task vector* is the change from fine-tuning. Adding several to one base combines their skills,
and a negative `weight` removes one. The fine-tunes must share the base. Weights of about 0.3 to 1
work for two or three models; use a smaller `lambda` for more task vectors. If they interfere with
each other, use `ties`, `dare_ties` or `della`, which resolve conflicts first.",
    reference: Reference {
        title: "Editing Models with Task Arithmetic (Ilharco et al., 2023)",
        url: "https://arxiv.org/abs/2212.04089",
    },
    parameters: PARAMETERS,
});
