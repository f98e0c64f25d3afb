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
    summary: "Drops random changes of each fine-tune, scales the others up, and adds them to the base.",
    documentation: "\
With the task vectors Dᵢ = Wᵢ − W₀, tensor by tensor: each element of Dᵢ stays with the probability `density`, the others become zero; with
`rescale`, the default, what stays is multiplied by ‖Dᵢ‖₁ / ‖what stays‖₁ (unless one of these is below 0.0000001). Then as in task arithmetic:

Result = W₀ + λ·Σ wᵢ·Dᵢ, with λ = `lambda`; with `normalize` the sum is divided by Σ wᵢ (unless that is zero).

The changes of a fine-tune are so redundant that most can be dropped if the rest is scaled up; what is sparse disturbs others
less. Usual values are a `density` of 0.1 to 0.7. The choice depends on the seed (`--random-seed`), the tensor's name, the model's place in
the recipe and the element, and on nothing else: the same recipe gives the same bytes everywhere, and no two models share it.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});

/// With sign election.
pub(crate) static DARE_TIES: MethodSpec = specification(About {
    name: "dare_ties",
    title: "DARE with elected signs",
    summary: "Drops random changes of each fine-tune, scales the others up, elects a sign for every weight, and adds what has that sign.",
    documentation: "\
The task vectors Dᵢ = Wᵢ − W₀ are thinned out as in `dare_linear`: each element stays with the probability `density`, and with `rescale` what stays is
scaled to the L1 norm of the whole. Conflicts are settled as in `ties`: the sign of an element is that of Σ wᵢ·Dᵢ (zero counts as plus), and
only the wᵢ·Dᵢ that have it are added up; with `normalize` the sum is divided by the sum of their weights.

Result = W₀ + λ·that, with λ = `lambda`.

Unlike in `ties`, weights are not shares by default: with weights that sum to much more than 1 the result overshoots.",
    reference: REFERENCE,
    parameters: PARAMETERS,
});
