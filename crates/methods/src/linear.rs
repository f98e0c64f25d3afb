//! Weighted average. <https://arxiv.org/abs/2203.05482>

use weightsmith_tensors::{Real, kernels};

use super::{
    Apply, BaseRule, Compile, Global, InputCount, Kernel, MethodSpec, MissingRule, OutputTensor,
    PerModel, Reference, Stage, Tiles, Workspace,
};
use crate::{Objection, Operation, Reason};

const WEIGHT: PerModel<f64> =
    PerModel::required("weight", "The model's weight, before normalization.");

const NORMALIZE: Global<bool> =
    Global::switch("normalize", true, "Divide by the sum of the weights.");

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "linear",
    title: "Linear (weighted average)",
    summary: "The weighted average of the models' tensors.",
    documentation: "\
Result = Σ wᵢ·Wᵢ, divided by Σ wᵢ unless `normalize` is false.

The average of fine-tunes of one base (a \"model soup\") is often better than any of them and costs no
more to run. It only works for models with a common base. A `base_model` that is not listed under
`models` is an ordinary input and needs its own `weight`.",
    reference: Some(Reference {
        title: "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference time (Wortsman et al., 2022)",
        url: "https://arxiv.org/abs/2203.05482",
    }),
    base: BaseRule::Ignored,
    inputs: InputCount::at_least(1),
    parameters: &[
        WEIGHT.spec(),
        NORMALIZE.spec(),
    ],
    missing: MissingRule::MergeRest,
    identity,
    shares: |operation| Some(coefficients(operation)),
    validate,
    compile: Compile {
        single: |operation| Box::new(WeightedSum::<f32>::of(&coefficients(operation))),
        double: |operation| Box::new(WeightedSum::<f64>::of(&coefficients(operation))),
    },
};

/// Sums of weights smaller than this share of the weights' magnitude are cancellation, not a divisor.
pub(super) const CANCELLED: f64 = 1e-6;

fn weights(operation: &Operation) -> impl Iterator<Item = f64> + '_ {
    (0..operation.sources.len()).map(|source| operation.of_source(source, WEIGHT))
}

fn coefficients(operation: &Operation) -> Vec<f64> {
    let divisor = if operation.get(NORMALIZE) {
        weights(operation).sum()
    } else {
        1.0
    };
    weights(operation).map(|weight| weight / divisor).collect()
}

fn identity(operation: &Operation) -> Option<usize> {
    let coefficients = coefficients(operation);
    let mut others = coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0);
    match (others.next(), others.next()) {
        (Some((source, &1.0)), None) => Some(source),
        _ => None,
    }
}

fn validate(operation: &Operation) -> Result<(), Objection> {
    let sum: f64 = weights(operation).sum();
    let magnitude: f64 = weights(operation).map(f64::abs).sum();
    if operation.get(NORMALIZE) && sum.abs() <= CANCELLED * magnitude {
        return Err(cancelled(sum, WEIGHT, NORMALIZE));
    }
    Ok(())
}

/// The objection to weights that would be divided by their sum.
pub(super) fn cancelled(sum: f64, weight: PerModel<f64>, switch: Global<bool>) -> Objection {
    let switch = switch.name();
    Objection {
        parameters: vec![weight.name(), switch],
        source: None,
        reason: Reason::Cancelled { sum, switch },
    }
}

/// Σ cᵢ·Wᵢ.
#[derive(Debug, Clone)]
pub(super) struct WeightedSum<T> {
    coefficients: Vec<T>,
}

impl<T: Real> WeightedSum<T> {
    /// With these coefficients, each rounded once.
    pub(super) fn of(coefficients: &[f64]) -> Self {
        Self {
            coefficients: coefficients.iter().map(|c| T::from_f64(*c)).collect(),
        }
    }
}

impl<T: Real> Kernel<T> for WeightedSum<T> {
    fn begin(&self, _: &OutputTensor<'_>) -> Stage<T> {
        Stage::apply(self.clone())
    }
}

impl<T: Real> Apply<T> for WeightedSum<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, out: &mut [T]) {
        match *self.coefficients.as_slice() {
            [first, second, ref rest @ ..] => {
                kernels::lerp_pair(out, first, tiles.source(0), second, tiles.source(1));
                for (position, weight) in rest.iter().enumerate() {
                    kernels::add_scaled(out, *weight, tiles.source(position + 2));
                }
            }
            [only] => kernels::scale(out, only, tiles.source(0)),
            [] => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with, with_source};

    /// 1·(4, 8) and 3·(0, 4), divided by 4 or not.
    fn average(normalize: bool) -> Vec<f32> {
        let operation = with_source(operation("linear", 2, None), "weight", &[1.0, 3.0]);
        let operation = with(operation, "normalize", Value::Bool(normalize));
        evaluate(&operation, &[2], &[vec![4.0f32, 8.0], vec![0.0, 4.0]])
    }

    #[test]
    fn weights_are_shares_when_they_are_normalised() {
        assert_eq!(average(true), [1.0, 5.0]);
        assert_eq!(average(false), [4.0, 20.0]);
    }

    #[test]
    fn weights_that_cancel_are_refused_only_when_they_would_be_divided_by() {
        let cancelling = with_source(operation("linear", 3, None), "weight", &[0.3, 0.4, -0.7]);
        let normalized = with(cancelling.clone(), "normalize", Value::Bool(true));
        assert!(validate(&normalized).is_err());
        assert!(validate(&with(cancelling, "normalize", Value::Bool(false))).is_ok());
    }
}
