//! The mean of directions on the sphere. <https://arxiv.org/abs/1407.2087>

use weightsmith_tensors::Real;

use super::gram::{Mix, MixWhole, Mixing, Points, Products};
use super::{BaseRule, Compile, Global, InputCount, Kernel, MethodSpec, MissingRule, Reference};
use crate::{Objection, Operation};

const MAX_ITER: Global<f64> =
    Global::number("max_iter", 10.0, "Maximum number of iterations.").usual(1.0, 1000.0);

const TOL: Global<f64> = Global::number(
    "tol",
    1e-5,
    "Steps, angles and norms below this count as zero.",
)
.usual(0.0, 1e-2);

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "karcher",
    title: "Karcher mean (Riemannian centre of mass)",
    summary: "Averages any number of models with equal weights along the arcs between them.",
    documentation: "\
Each tensor, as one long vector, has a direction ûᵢ = Wᵢ/‖Wᵢ‖ and a norm. The result is
mean(‖Wᵢ‖)·u, where u is the direction with the smallest sum of squared angles to all ûᵢ.

u is computed iteratively, starting from the normalized mean of the ûᵢ. With θᵢ the angle between u
and ûᵢ and T = mean of (θᵢ / sin θᵢ)·(ûᵢ − (u·ûᵢ)·u), u moves by ‖T‖ along the arc in the direction
of T, until ‖T‖ < `tol` or after `max_iter` steps. The Karcher mean extends SLERP with t = 0.5 to
several models: a plain average of vectors that point apart is shorter than they are, the Karcher
mean is not. For fine-tunes of one base, which are nearly parallel, both are almost the same.

Tensors whose norm is at most `tol` have no direction and only contribute to the norm. If none has a
direction, the result is zero. Tensors exactly opposite to u (without a shortest arc) are ignored in
its iteration. A single tensor is copied. A model named by `base_model` is an ordinary input.",
    reference: Some(Reference {
        title: "Riemannian center of mass and so called Karcher mean (Karcher, 2014)",
        url: "https://arxiv.org/abs/1407.2087",
    }),
    base: BaseRule::Ignored,
    inputs: InputCount::at_least(1),
    parameters: &[MAX_ITER.spec(), TOL.spec()],
    missing: MissingRule::MergeRest,
    identity: |operation| (operation.sources.len() == 1).then_some(0),
    shares: |_| None,
    validate,
    compile: Compile {
        single: compile,
        double: compile,
    },
};

/// The largest `max_iter`; even for many inputs these steps take no more than a second.
const MOST_STEPS: f64 = 1e6;

/// sin² θ of vectors that point away from each other to within the rounding of their products: the arc between them could start in
/// any direction.
const OPPOSITE: f64 = 1e-14;

fn validate(operation: &Operation) -> Result<(), Objection> {
    let steps = operation.get(MAX_ITER);
    if !(0.0..=MOST_STEPS).contains(&steps) || steps.fract() != 0.0 {
        let expected = "a whole number from 0 to 1000000";
        return Err(Objection::to_value(MAX_ITER, steps, expected));
    }
    let tol = operation.get(TOL);
    if !(tol >= 0.0 && tol.is_finite()) {
        return Err(Objection::to_value(TOL, tol, "a number from 0"));
    }
    Ok(())
}

fn compile<T: Real>(operation: &Operation) -> Box<dyn Kernel<T>> {
    let karcher = Karcher {
        max_iter: operation.get(MAX_ITER) as u64,
        tol: operation.get(TOL),
    };
    Box::new(MixWhole::new(Points::all(operation), karcher))
}

/// Walks to the mean on coefficients of the unit vectors.
#[derive(Debug, Clone, Copy)]
struct Karcher {
    max_iter: u64,
    tol: f64,
}

impl Mixing for Karcher {
    const PASSES: usize = 1;

    fn mix(&self, products: &Products, _: Option<f64>) -> Mix {
        let norms: Vec<f64> = (0..products.count()).map(|i| products.norm(i)).collect();
        if let [_] = norms.as_slice() {
            return Mix::Of(vec![1.0]);
        }
        let length = norms.iter().sum::<f64>() / norms.len() as f64;
        let directed: Vec<usize> = (0..norms.len()).filter(|&i| norms[i] > self.tol).collect();
        let mean = self.mean(&units(products, &directed));
        let mut coefficients = vec![0.0; norms.len()];
        for (&i, share) in directed.iter().zip(mean) {
            coefficients[i] = share * length / norms[i];
        }
        Mix::Of(coefficients)
    }
}

/// The products of some of the points, each divided by its norm.
fn units(products: &Products, chosen: &[usize]) -> Products {
    let pairs = chosen
        .iter()
        .enumerate()
        .flat_map(|(row, &i)| chosen[row..].iter().map(move |&j| (i, j)));
    let cosines = pairs.map(|(i, j)| products.cosine(i, j)).collect();
    Products::new(chosen.len(), cosines)
}

impl Karcher {
    /// The mean of unit vectors, as a mixture of them.
    fn mean(&self, units: &Products) -> Vec<f64> {
        let count = units.count();
        if count == 0 {
            return Vec::new();
        }
        let mut mean = vec![1.0 / count as f64; count];
        if length(units, &mean) < self.tol {
            mean.fill(0.0);
            mean[0] = 1.0;
        } else {
            normalise(units, &mut mean);
        }
        for _ in 0..self.max_iter {
            let tangent = self.tangent(units, &mean);
            let step = length(units, &tangent);
            // a step of 0 leads nowhere, also where the tolerance is 0
            if step < self.tol || step == 0.0 {
                break;
            }
            let (along, across) = (libm::cos(step), libm::sin(step) / step);
            for (mean, tangent) in mean.iter_mut().zip(tangent) {
                *mean = along * *mean + across * tangent;
            }
            normalise(units, &mut mean);
        }
        mean
    }

    /// The mean of the arcs from `mean` to each unit vector, as a mixture of them.
    fn tangent(&self, units: &Products, mean: &[f64]) -> Vec<f64> {
        let count = units.count();
        let mut tangent = vec![0.0; count];
        // how much of `mean` itself is taken away
        let mut back = 0.0;
        for (i, tangent) in tangent.iter_mut().enumerate() {
            let row = (0..count).map(|j| mean[j] * units.get(i, j));
            let cosine = row.sum::<f64>().clamp(-1.0, 1.0);
            let angle = libm::acos(cosine);
            let square = (1.0 - cosine) * (1.0 + cosine);
            let is_opposite = cosine < 0.0 && square <= OPPOSITE;
            if angle < self.tol || square == 0.0 || is_opposite {
                continue;
            }
            let share = angle / square.sqrt() / count as f64;
            *tangent += share;
            back += share * cosine;
        }
        for (tangent, mean) in tangent.iter_mut().zip(mean) {
            *tangent -= back * mean;
        }
        tangent
    }
}

fn length(units: &Products, mixture: &[f64]) -> f64 {
    // rounding can take the square of a short vector below zero
    units.between(mixture, mixture).max(0.0).sqrt()
}

fn normalise(units: &Products, mixture: &mut [f64]) {
    let length = length(units, mixture);
    if length > 0.0 {
        for share in mixture {
            *share /= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with};
    use crate::testing::oracle::{assert_within, check, coefficient_units, drawn, exact_dot};

    fn karcher(sources: usize, max_iter: f64, tol: f64) -> Operation {
        let operation = operation("karcher", sources, None);
        let operation = with(operation, "max_iter", Value::Number(max_iter));
        with(operation, "tol", Value::Number(tol))
    }

    fn merged(sources: &[Vec<f64>]) -> Vec<f64> {
        let operation = karcher(sources.len(), 10.0, 1e-5);
        evaluate(&operation, &[sources[0].len() as u64], sources)
    }

    #[test]
    fn the_mean_of_two_axes_is_the_diagonal_of_mean_length() {
        // lengths 1 and 3: 2·(1, 1)/√2
        let result = merged(&[vec![1.0, 0.0], vec![0.0, 3.0]]);
        assert_within(&result, &[2f64.sqrt(); 2], 1e-15);
    }

    #[test]
    fn the_mean_of_angles_on_a_circle_is_their_average() {
        // 0°, 20° and 70° have their mean at 30°
        let at = |degrees: f64| {
            let angle = degrees.to_radians();
            vec![libm::cos(angle), libm::sin(angle)]
        };
        let result = merged(&[at(0.0), at(20.0), at(70.0)]);
        assert_within(&result, &at(30.0), 1e-10);
    }

    #[test]
    fn no_step_leaves_the_mean_of_the_directions() {
        let at = |x: f64, y: f64| vec![x, y];
        let operation = karcher(3, 0.0, 1e-5);
        let sources = [at(1.0, 0.0), at(1.0, 0.0), at(0.0, 1.0)];
        let result = evaluate(&operation, &[2], &sources);
        assert_within(&result, &[2.0 / 5f64.sqrt(), 1.0 / 5f64.sqrt()], 1e-15);
    }

    #[test]
    fn opposite_vectors_keep_the_first_direction() {
        let result = merged(&[vec![0.1, 0.2, 0.3], vec![-0.25, -0.5, -0.75]]);
        assert_within(&result, &[0.175, 0.35, 0.525], 1e-15);
    }

    #[test]
    fn parallel_vectors_keep_their_direction() {
        let result = merged(&[vec![0.1, 0.2], vec![0.3, 0.6], vec![0.2, 0.4]]);
        assert_within(&result, &[0.2, 0.4], 1e-15);
    }

    #[test]
    fn short_vectors_count_for_the_length_alone() {
        let result = merged(&[vec![0.0, 0.0], vec![0.0, 1.0], vec![1e-6, 0.0]]);
        assert_within(&result, &[0.0, (1.0 + 1e-6) / 3.0], 1e-15);
    }

    #[test]
    fn vectors_without_any_direction_have_the_mean_zero() {
        assert_eq!(merged(&[vec![0.0, 0.0], vec![1e-6, 0.0]]), [0.0, 0.0]);
    }

    #[test]
    fn one_vector_stays_as_it_is() {
        assert_eq!(merged(&[vec![1e-7, 0.3]]), [1e-7, 0.3]);
    }

    #[test]
    fn a_tolerance_of_zero_ends() {
        let operation = karcher(2, MOST_STEPS, 0.0);
        let sources = [vec![1.0f32, 0.0], vec![1.0, 0.0]];
        assert_eq!(evaluate(&operation, &[2], &sources), [1.0, 0.0]);
    }

    #[test]
    fn steps_that_cannot_be_counted_are_refused() {
        for steps in [-1.0, 1.5, f64::NAN, 1e9] {
            assert!(validate(&karcher(2, steps, 1e-5)).is_err(), "{steps}");
        }
        assert!(validate(&karcher(2, 10.0, -1.0)).is_err());
        assert!(validate(&karcher(2, 0.0, 0.0)).is_ok());
    }

    /// The mean from whole tangent vectors in f64.
    fn expected(sources: &[Vec<f64>], max_iter: usize, tol: f64) -> Vec<f64> {
        let norm = |v: &[f64]| exact_dot(v, v).sqrt();
        let scaled = |v: &[f64], c: f64| v.iter().map(|x| x * c).collect::<Vec<f64>>();
        let count = sources.len() as f64;
        let units: Vec<Vec<f64>> = sources.iter().map(|v| scaled(v, 1.0 / norm(v))).collect();
        let mut u = vec![0.0; sources[0].len()];
        for unit in &units {
            u.iter_mut().zip(unit).for_each(|(u, x)| *u += x / count);
        }
        u = scaled(&u, 1.0 / norm(&u));
        for _ in 0..max_iter {
            let mut tangent = vec![0.0; u.len()];
            for unit in &units {
                let cosine = exact_dot(&u, unit);
                let angle = cosine.acos();
                for (i, t) in tangent.iter_mut().enumerate() {
                    *t += angle / angle.sin() * (unit[i] - cosine * u[i]) / count;
                }
            }
            let step = norm(&tangent);
            if step < tol {
                break;
            }
            for (u, t) in u.iter_mut().zip(tangent) {
                *u = step.cos() * *u + step.sin() / step * t;
            }
            u = scaled(&u, 1.0 / norm(&u));
        }
        scaled(&u, sources.iter().map(|v| norm(v)).sum::<f64>() / count)
    }

    /// |error| ≤ k·2⁻²⁴·Σ|terms| with k = n + 1 (in f64 with that of the coefficients besides), the terms being those of
    /// the normalised mean that the iteration starts with: it moves little between vectors that lie evenly.
    fn formula_holds<T: Real>(count: usize, common: f64, max_iter: usize, tol: f64) {
        let len = 6557;
        let shared: Vec<f64> = drawn(99, common, len);
        let sources: Vec<Vec<T>> = (0..count)
            .map(|model| {
                let own: Vec<f64> = drawn(model as u64, 1.0 + model as f64, len);
                (0..len).map(|i| T::from_f64(shared[i] + own[i])).collect()
            })
            .collect();
        let wide: Vec<Vec<f64>> = sources
            .iter()
            .map(|v| v.iter().map(|x| x.to_f64()).collect())
            .collect();
        let exact = expected(&wide, max_iter, tol);
        let norms: Vec<f64> = wide.iter().map(|v| exact_dot(v, v).sqrt()).collect();
        let length = norms.iter().sum::<f64>() / count as f64;
        let start: Vec<f64> = (0..len)
            .map(|i| wide.iter().zip(&norms).map(|(v, norm)| v[i] / norm).sum())
            .collect();
        let share = length / exact_dot(&start, &start).sqrt();
        let operation = karcher(count, max_iter as f64, tol);
        let result = evaluate(&operation, &[83, 79], &sources);
        let k = count as f64 + 1.0 + coefficient_units::<T>();
        check(&result, k, |i| {
            let terms = wide.iter().zip(&norms).map(|(v, norm)| v[i].abs() / norm);
            (exact[i], share * terms.sum::<f64>())
        });
    }

    #[test]
    fn long_tensors_agree_with_the_iteration_on_whole_vectors() {
        for (count, common) in [(2, 0.0), (3, 0.5), (5, 2.0), (4, 100.0)] {
            for (max_iter, tol) in [(10, 1e-5), (1, 1e-5), (30, 1e-9)] {
                formula_holds::<f32>(count, common, max_iter, tol);
                formula_holds::<f64>(count, common, max_iter, tol);
            }
        }
    }
}
