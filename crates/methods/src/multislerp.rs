//! A weighted mean of any number of directions on the sphere. <https://goddard.blog/posts/multislerp-wow-what-a-cool-idea>

use weightsmith_tensors::Real;

use super::gram::{Mix, MixWhole, Mixing, Points, Products};
use super::linear::{CANCELLED, cancelled};
use super::{
    BaseRule, Compile, Global, InputCount, Kernel, MethodSpec, MissingRule, PerModel, Reference,
};
use crate::{Objection, Operation, Reason, Refusal};

const WEIGHT: PerModel<f64> =
    PerModel::required("weight", "The model's weight, before normalization.");

const NORMALIZE_WEIGHTS: Global<bool> = Global::switch(
    "normalize_weights",
    true,
    "Divide by the sum of the weights.",
);

const EPS: Global<f64> = Global::number(
    "eps",
    1e-8,
    "Means with a smaller norm have no direction; also added to norms before dividing by them.",
)
.usual(0.0, 1e-3);

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "multislerp",
    title: "Multi-model SLERP",
    summary: "The weighted mean of any number of models on the sphere, rescaled to their mean norm.",
    documentation: "\
Each tensor is one long vector Wᵢ. With a base model, Dᵢ = Wᵢ − W₀ replaces it, and W₀ is added to
the result. With ûᵢ = Wᵢ / (‖Wᵢ‖ + `eps`), m = Σ wᵢ·ûᵢ and m̂ = m / ‖m‖: result = m̂ · cos(`eps`) ·
Σ wᵢ‖Wᵢ‖.

The weights determine direction and norm, so the result does not shrink as a plain average does.
This is one weighted step of the spherical mean that `karcher` iterates to. (The method is defined
with a step along the tangent Σ wᵢ·(ûᵢ − (ûᵢ·m̂)·m̂), which is zero for this m̂; the cosine of `eps`
is what remains.)

If ‖m‖ is less than `eps`, there is no direction: two inputs are interpolated linearly, w₁·W₁ +
w₂·W₂, and more than two are an error unless all of them are zero (deltas of tensors that no model
changed). A single input is copied. Weights are divided by their sum unless `normalize_weights` is
false.",
    reference: Some(Reference {
        title: "MultiSLERP (Goddard, 2025)",
        url: "https://goddard.blog/posts/multislerp-wow-what-a-cool-idea",
    }),
    base: BaseRule::Optional,
    inputs: InputCount::at_least(1),
    parameters: &[WEIGHT.spec(), NORMALIZE_WEIGHTS.spec(), EPS.spec()],
    missing: MissingRule::MergeRest,
    identity,
    shares: |_| None,
    validate,
    compile: Compile {
        single: compile,
        double: compile,
    },
};

/// Where the square of the mean's length is a smaller share than this of what it would be without cancellation, the products that
/// it is computed from are too coarse.
const COARSE: f64 = 1e-6;

/// Lengths below this share of what they would be without cancellation are rounding errors of f64.
const NOISE: f64 = 1e-15;

fn given_weights(operation: &Operation) -> Vec<f64> {
    let points = Points::tuned(operation);
    let positions = points.positions().iter();
    positions
        .map(|source| operation.of_source(*source, WEIGHT))
        .collect()
}

fn weights(operation: &Operation) -> Vec<f64> {
    let mut weights = given_weights(operation);
    if operation.get(NORMALIZE_WEIGHTS) {
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
    }
    weights
}

fn identity(operation: &Operation) -> Option<usize> {
    let points = Points::tuned(operation);
    if let [only] = points.positions() {
        return Some(*only);
    }
    let weights = weights(operation);
    let mut others = weights.iter().enumerate().filter(|(_, w)| **w != 0.0);
    let keeps_length = libm::cos(operation.get(EPS)) == 1.0;
    match (others.next(), others.next()) {
        (Some((index, &1.0)), None) if keeps_length => Some(points.positions()[index]),
        _ => None,
    }
}

fn validate(operation: &Operation) -> Result<(), Objection> {
    let weights = given_weights(operation);
    if weights.is_empty() {
        return Err(Objection::to_sources(Reason::NoModels));
    }
    let sum: f64 = weights.iter().sum();
    let magnitude: f64 = weights.iter().map(|weight| weight.abs()).sum();
    if operation.get(NORMALIZE_WEIGHTS) && sum.abs() <= CANCELLED * magnitude {
        return Err(cancelled(sum, WEIGHT, NORMALIZE_WEIGHTS));
    }
    let eps = operation.get(EPS);
    if !(eps >= 0.0 && eps.is_finite()) {
        return Err(Objection::to_value(EPS, eps, "a number from 0"));
    }
    Ok(())
}

fn compile<T: Real>(operation: &Operation) -> Box<dyn Kernel<T>> {
    let mixing = MultiSlerp {
        weights: weights(operation),
        eps: operation.get(EPS),
    };
    Box::new(MixWhole::new(Points::tuned(operation), mixing))
}

#[derive(Debug, Clone)]
struct MultiSlerp {
    weights: Vec<f64>,
    eps: f64,
}

impl Mixing for MultiSlerp {
    const PASSES: usize = 2;

    fn mix(&self, products: &Products, square: Option<f64>) -> Mix {
        if products.count() == 1 {
            return Mix::Of(vec![1.0]);
        }
        let norms: Vec<f64> = (0..products.count()).map(|i| products.norm(i)).collect();
        // m as a mixture of the points
        let mean: Vec<f64> = self
            .weights
            .iter()
            .zip(&norms)
            .map(|(weight, norm)| match norm + self.eps {
                0.0 => 0.0,
                divisor => weight / divisor,
            })
            .collect();
        let uncancelled: f64 = mean
            .iter()
            .zip(&norms)
            .map(|(c, norm)| c.abs() * norm)
            .sum();
        let measured = square;
        let square = measured.unwrap_or_else(|| products.between(&mean, &mean));
        if measured.is_none() && square < COARSE * uncancelled * uncancelled {
            return Mix::Measure(mean);
        }
        let length = square.sqrt();
        if length < self.eps || length <= NOISE * uncancelled {
            return self.without_direction(length, &norms);
        }
        let radius: f64 = self
            .weights
            .iter()
            .zip(&norms)
            .map(|(w, norm)| w * norm)
            .sum();
        let scale = libm::cos(self.eps) * radius / length;
        Mix::Of(mean.iter().map(|c| c * scale).collect())
    }
}

impl MultiSlerp {
    fn without_direction(&self, length: f64, norms: &[f64]) -> Mix {
        let is_nothing = norms.iter().all(|norm| *norm == 0.0);
        if norms.len() == 2 || is_nothing {
            return Mix::Of(self.weights.clone());
        }
        Mix::Refuse(Refusal::NoDirection {
            length,
            least: self.eps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with, with_source};
    use crate::testing::oracle::{assert_within, check, coefficient_units, drawn, exact_dot};

    fn multislerp(base: Option<usize>, weights: &[f64], eps: f64) -> Operation {
        let operation = operation("multislerp", weights.len(), base);
        let operation = with(operation, "normalize_weights", Value::Bool(true));
        let operation = with(operation, "eps", Value::Number(eps));
        with_source(operation, "weight", weights)
    }

    fn plain(weights: &[f64]) -> Operation {
        let operation = multislerp(None, weights, 1e-8);
        with(operation, "normalize_weights", Value::Bool(false))
    }

    fn merged(operation: &Operation, sources: &[Vec<f64>]) -> Vec<f64> {
        evaluate(operation, &[sources[0].len() as u64], sources)
    }

    #[test]
    fn the_mean_direction_has_the_mean_length() {
        // directions (1, 0) and (0, 1), lengths 2 and 4
        let operation = multislerp(None, &[1.0, 1.0], 0.0);
        let result = merged(&operation, &[vec![2.0, 0.0], vec![0.0, 4.0]]);
        assert_within(&result, &[3.0 / 2f64.sqrt(); 2], 1e-15);
    }

    #[test]
    fn weights_turn_the_direction_and_set_the_length() {
        // m ∝ 3·(1, 0) + 4·(0, 1), length 3 + 4
        let result = merged(&plain(&[3.0, 4.0]), &[vec![1.0, 0.0], vec![0.0, 1.0]]);
        assert_within(&result, &[4.2, 5.6], 1e-7);
    }

    #[test]
    fn deltas_are_mixed_where_there_is_a_base() {
        let operation = multislerp(Some(1), &[1.0, 9.0, 1.0], 0.0);
        let sources = [vec![12.0, 10.0], vec![10.0, 10.0], vec![10.0, 14.0]];
        let result = merged(&operation, &sources);
        assert_within(&result, &[10.0 + 3.0 / 2f64.sqrt(); 2], 1e-14);
    }

    #[test]
    fn two_opposite_directions_are_mixed_linearly() {
        let operation = multislerp(None, &[1.0, 1.0], 1e-8);
        let result = merged(&operation, &[vec![0.1, 0.3], vec![-0.7 * 0.1, -0.7 * 0.3]]);
        assert_within(&result, &[0.015, 0.045], 1e-16);
    }

    #[test]
    fn a_large_eps_makes_the_mean_linear_and_a_smaller_one_shortens_it() {
        let sources = [vec![1.0, 0.0], vec![0.0, 1.0]];
        let result = merged(&multislerp(None, &[1.0, 3.0], 10.0), &sources);
        assert_eq!(result, [0.25, 0.75]);
        let result = merged(&multislerp(None, &[1.0, 1.0], 0.25), &sources);
        assert_within(&result, &[libm::cos(0.25) / 2f64.sqrt(); 2], 1e-15);
    }

    #[test]
    fn three_directions_that_cancel_are_refused() {
        let method = MultiSlerp {
            weights: vec![1.0 / 3.0; 3],
            eps: 1e-8,
        };
        // (1, 0), (−1, 0) and zero
        let products = Products::new(3, vec![1.0, -1.0, 0.0, 1.0, 0.0, 0.0]);
        assert!(matches!(method.mix(&products, None), Mix::Measure(_)));
        let Mix::Refuse(reason) = method.mix(&products, Some(0.0)) else {
            panic!("there is no direction");
        };
        assert!(
            reason
                .to_string()
                .contains("length 0e0, expected at least 1e-8"),
            "{reason}"
        );
    }

    #[test]
    fn tensors_that_no_model_changed_stay_the_base() {
        let base = vec![0.1, 0.2];
        let operation = multislerp(Some(0), &[1.0; 4], 1e-8);
        let sources = [base.clone(), base.clone(), base.clone(), base.clone()];
        assert_eq!(merged(&operation, &sources), base);
    }

    #[test]
    fn zero_vectors_have_no_say_in_the_direction() {
        let operation = multislerp(None, &[1.0, 1.0, 2.0], 0.0);
        let result = merged(
            &operation,
            &[vec![2.0, 0.0], vec![0.0, 0.0], vec![1.0, 0.0]],
        );
        assert_eq!(result, [1.0, 0.0]);
    }

    #[test]
    fn one_input_and_one_weight_are_that_input() {
        assert_eq!(identity(&multislerp(None, &[0.3], 1e-8)), Some(0));
        assert_eq!(identity(&multislerp(Some(0), &[1.0, 0.3], 1e-8)), Some(1));
        assert_eq!(identity(&multislerp(None, &[0.0, 0.3, 0.0], 1e-8)), Some(1));
        assert_eq!(identity(&plain(&[0.0, 0.3])), None);
        assert_eq!(identity(&multislerp(None, &[0.0, 1.0], 1e-3)), None);
        let result = merged(&multislerp(None, &[0.3], 1e-8), &[vec![0.1, 0.2]]);
        assert_eq!(result, [0.1, 0.2]);
    }

    #[test]
    fn weights_that_cancel_and_negative_eps_are_refused() {
        assert!(validate(&multislerp(None, &[0.75, -0.75], 1e-8)).is_err());
        assert!(validate(&plain(&[0.75, -0.75])).is_ok());
        assert!(validate(&multislerp(None, &[1.0, 1.0], -1.0)).is_err());
        assert!(validate(&multislerp(Some(0), &[1.0], 1e-8)).is_err());
    }

    /// The formula with its tangent, on whole vectors in f64, and Σ|terms| of the mixture.
    fn expected(points: &[Vec<f64>], weights: &[f64], eps: f64) -> (Vec<f64>, Vec<f64>) {
        let len = points[0].len();
        let norms: Vec<f64> = points.iter().map(|p| exact_dot(p, p).sqrt()).collect();
        let sum: f64 = weights.iter().sum();
        let weights: Vec<f64> = weights.iter().map(|w| w / sum).collect();
        let units: Vec<Vec<f64>> = points
            .iter()
            .zip(&norms)
            .map(|(p, norm)| p.iter().map(|x| x / (norm + eps)).collect())
            .collect();
        let mix = |coefficients: &[f64], i: usize| -> f64 {
            coefficients
                .iter()
                .zip(&units)
                .map(|(c, unit)| c * unit[i])
                .sum()
        };
        let mean: Vec<f64> = (0..len).map(|i| mix(&weights, i)).collect();
        let length = exact_dot(&mean, &mean).sqrt();
        let along: Vec<f64> = mean.iter().map(|x| x / length).collect();
        let shares: Vec<f64> = units.iter().map(|unit| exact_dot(unit, &along)).collect();
        let back: f64 = weights
            .iter()
            .zip(&shares)
            .map(|(w, share)| w * share)
            .sum();
        let tangent: Vec<f64> = (0..len).map(|i| mean[i] - back * along[i]).collect();
        let angle = exact_dot(&tangent, &tangent).sqrt() + eps;
        let radius: f64 = weights.iter().zip(&norms).map(|(w, norm)| w * norm).sum();
        let result = (0..len)
            .map(|i| (along[i] * angle.cos() + tangent[i] * angle.sin() / angle) * radius)
            .collect();
        let sizes = (0..len)
            .map(|i| {
                weights
                    .iter()
                    .zip(&units)
                    .map(|(w, u)| (w * u[i]).abs())
                    .sum::<f64>()
                    * radius.abs()
                    / length
            })
            .collect();
        (result, sizes)
    }

    /// |error| ≤ k·2⁻²⁴·Σ|terms| with k = n + 1, with a base n + 4 and W₀ among the terms; in f64 with that of the coefficients
    /// besides.
    fn formula_holds<T: Real>(weights: &[f64], base: bool, eps: f64) {
        let len = 6557;
        let count = weights.len();
        let sources: Vec<Vec<T>> = (0..count)
            .map(|m| drawn(m as u64, 1.0 + m as f64, len))
            .collect();
        let origin: Vec<T> = drawn(77, 1.0, len);
        let start = |i: usize| if base { origin[i].to_f64() } else { 0.0 };
        let points: Vec<Vec<f64>> = sources
            .iter()
            .map(|v| (0..len).map(|i| v[i].to_f64() - start(i)).collect())
            .collect();
        let (exact, sizes) = expected(&points, weights, eps);
        let mut inputs = sources.clone();
        let mut all = weights.to_vec();
        if base {
            inputs.insert(1, origin.clone());
            all.insert(1, f64::NAN);
        }
        let operation = multislerp(base.then_some(1), &all, eps);
        let result = evaluate(&operation, &[79, 83], &inputs);
        let k = count as f64 + if base { 4.0 } else { 1.0 } + coefficient_units::<T>();
        check(&result, k, |i| {
            (start(i) + exact[i], start(i).abs() + sizes[i])
        });
    }

    #[test]
    fn long_tensors_agree_with_the_formula_and_its_tangent() {
        for weights in [&[0.6, 0.9][..], &[0.2, 0.3, 0.9], &[1.0, -0.4, 0.6, 2.0]] {
            for base in [false, true] {
                for eps in [1e-8, 1e-3] {
                    formula_holds::<f32>(weights, base, eps);
                    formula_holds::<f64>(weights, base, eps);
                }
            }
        }
    }
}
