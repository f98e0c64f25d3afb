//! The family's formulas, worked out in f64 with plain sorting.
//!
//! What is kept is decided on deltas rounded as the kernels round them; the values are those of exact deltas.

use std::cmp::Reverse;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{Key, Stream, bernoulli_keep};

use crate::testing::evaluate::{evaluate_seeded, operation, with, with_source};
use crate::testing::oracle::half_unit;
use crate::{Operation, Value};

/// A merge of this family; what is given for the base's position has no effect.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) method: &'static str,
    pub(super) base: usize,
    pub(super) weights: Vec<f64>,
    pub(super) densities: Vec<f64>,
    /// `gamma` or `epsilon`.
    pub(super) side: f64,
    pub(super) lambda: f64,
    pub(super) normalize: bool,
    pub(super) rescale: bool,
    pub(super) seed: u64,
}

impl Recipe {
    /// Of a base and models with these weights and one density for all, neither normalised nor rescaled.
    pub(super) fn new(method: &'static str, weights: &[f64], density: f64) -> Self {
        let mut all = vec![f64::NAN];
        all.extend(weights);
        Self {
            method,
            base: 0,
            densities: vec![density; all.len()],
            weights: all,
            side: if method.starts_with("della") {
                0.1
            } else {
                0.01
            },
            lambda: 1.0,
            normalize: false,
            rescale: false,
            seed: 0,
        }
    }

    pub(super) fn operation(&self) -> Operation {
        let side = vec![self.side; self.weights.len()];
        let operation = operation(self.method, self.weights.len(), Some(self.base));
        let operation = with_source(operation, "weight", &self.weights);
        let operation = with_source(operation, "density", &self.densities);
        let operation = with_source(operation, "gamma", &side);
        let operation = with_source(operation, "epsilon", &side);
        let operation = with(operation, "lambda", Value::Number(self.lambda));
        let operation = with(operation, "normalize", Value::Bool(self.normalize));
        with(operation, "rescale", Value::Bool(self.rescale))
    }

    pub(super) fn evaluate<T: Real>(&self, shape: &[u64], sources: &[Vec<T>]) -> Vec<T> {
        evaluate_seeded(&self.operation(), self.seed, shape, sources)
    }

    fn elects(&self) -> bool {
        self.method.ends_with("ties") || self.method == "della"
    }

    /// Positions of the models beside the base.
    fn tuned(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.weights.len()).filter(|source| *source != self.base)
    }
}

/// Which elements of a source's rounded deltas stay.
pub(super) fn kept<T: Real>(
    recipe: &Recipe,
    source: usize,
    shape: &[u64],
    deltas: &[T],
) -> Vec<bool> {
    let n = deltas.len();
    let density = recipe.densities[source];
    if recipe.method == "task_arithmetic" || density >= 1.0 {
        return vec![true; n];
    }
    if density <= 0.0 {
        return vec![false; n];
    }
    let count = (density * n as f64).floor() as usize;
    let stream = Stream::new(recipe.seed, "tensor", source);
    match recipe.method {
        "ties" => largest(deltas, 0, count.max(1)),
        "breadcrumbs" | "breadcrumbs_ties" => {
            let top = ((recipe.side * n as f64).floor() as usize).min(n - count);
            largest(deltas, top, count)
        }
        "dare_linear" | "dare_ties" => (0..n).map(|index| stays(stream, index, density)).collect(),
        _ => {
            let mut kept = vec![false; n];
            for row in rows(shape) {
                let mut order: Vec<usize> = row.clone().collect();
                order.sort_by_key(|index| deltas[*index].key());
                for (rank, index) in order.iter().enumerate() {
                    kept[*index] = stays(
                        stream,
                        *index,
                        chance(density, recipe.side, rank, order.len()),
                    );
                }
            }
            kept
        }
    }
}

/// The probability that an element of a row stays in DELLA.
pub(super) fn chance(density: f64, epsilon: f64, rank: usize, len: usize) -> f64 {
    if len == 1 {
        return density;
    }
    density - epsilon + 2.0 * epsilon * rank as f64 / (len - 1) as f64
}

/// The indices of the elements of each row along the second axis.
pub(super) fn rows(shape: &[u64]) -> Vec<std::iter::StepBy<std::ops::RangeInclusive<usize>>> {
    let (slabs, len, stride) = match shape {
        [] => (1, 1, 1),
        [only] => (1, *only as usize, 1),
        [first, second, rest @ ..] => (
            *first as usize,
            *second as usize,
            rest.iter().product::<u64>() as usize,
        ),
    };
    let starts =
        (0..slabs).flat_map(|slab| (0..stride).map(move |inner| slab * len * stride + inner));
    starts
        .map(|start| (start..=start + (len - 1) * stride).step_by(stride))
        .collect()
}

/// Marks so many elements in the order from the largest magnitude to the smallest, after those that are skipped; of equal ones the first
/// comes before the others.
fn largest<T: Real>(deltas: &[T], skipped: usize, count: usize) -> Vec<bool> {
    let keys = deltas.iter().map(|delta| delta.key().to_u64());
    let mut order: Vec<(Reverse<u64>, usize)> = keys.map(Reverse).zip(0..).collect();
    // sorted as far as it matters: what is in front of a place belongs there
    let end = skipped + count;
    if end < order.len() {
        order.select_nth_unstable(end);
    }
    if skipped < end {
        order[..end].select_nth_unstable(skipped);
    }
    let mut kept = vec![false; deltas.len()];
    for (_, index) in &order[skipped..end] {
        kept[*index] = true;
    }
    kept
}

/// Whether an element stays that is drawn by itself.
fn stays(stream: Stream, index: usize, probability: f64) -> bool {
    let mut one = [1.0f32];
    bernoulli_keep(stream, index as u64, probability, &mut one);
    one[0] > 0.0
}

/// The deltas of a source, rounded once.
pub(super) fn deltas<T: Real>(tuned: &[T], base: &[T]) -> Vec<T> {
    let pairs = tuned.iter().zip(base);
    pairs.map(|(tuned, base)| *tuned - *base).collect()
}

/// The L1 norm, with the error of each addition made up for (Neumaier, <https://doi.org/10.1002/zamm.19740540106>).
pub(super) fn norm<T: Real>(values: impl Iterator<Item = T>) -> f64 {
    let (mut sum, mut error) = (0.0f64, 0.0f64);
    for value in values {
        let value = value.to_f64().abs();
        let next = sum + value;
        error += if sum >= value {
            (sum - next) + value
        } else {
            (value - next) + sum
        };
        sum = next;
    }
    sum + error
}

/// A task vector that is in the result.
struct Term<'a, T> {
    tuned: &'a [T],
    deltas: Vec<T>,
    kept: Vec<bool>,
    weight: f64,
    scale: f64,
}

/// Σ|wᵢDᵢ| of the kept elements, and the value for one election or the other.
struct Expected {
    values: [f64; 2],
    terms: f64,
}

struct Formula<'a, T> {
    recipe: &'a Recipe,
    base: &'a [T],
    terms: Vec<Term<'a, T>>,
    divisor: f64,
}

impl<'a, T: Real> Formula<'a, T> {
    fn new(recipe: &'a Recipe, shape: &[u64], sources: &'a [Vec<T>]) -> Self {
        let base = &sources[recipe.base];
        let term = |source: usize| {
            let deltas = deltas(&sources[source], base);
            let kept = kept(recipe, source, shape, &deltas);
            let whole = norm(deltas.iter().copied());
            let left = deltas.iter().zip(&kept).filter(|(_, kept)| **kept);
            let rest = norm(left.map(|(delta, _)| *delta));
            let scales = recipe.rescale && whole >= 1e-7 && rest >= 1e-7;
            Term {
                tuned: &sources[source],
                deltas,
                kept,
                weight: recipe.weights[source],
                scale: if scales { whole / rest } else { 1.0 },
            }
        };
        let sum: f64 = recipe.tuned().map(|source| recipe.weights[source]).sum();
        let divides = recipe.normalize && !recipe.elects() && sum.abs() >= 1e-8;
        Self {
            recipe,
            base,
            terms: recipe.tuned().map(term).collect(),
            divisor: if divides { sum } else { 1.0 },
        }
    }

    fn at(&self, index: usize) -> Expected {
        let base = self.base[index].to_f64();
        let left = || {
            let terms = self.terms.iter();
            terms.filter(|term| term.kept[index] && term.deltas[index].to_f64() != 0.0)
        };
        let exact =
            |term: &Term<'_, T>| term.weight * term.scale * (term.tuned[index].to_f64() - base);
        let sum: f64 = left()
            .map(|term| term.weight * term.scale * term.deltas[index].to_f64())
            .sum();
        let magnitude: f64 = left().map(|term| exact(term).abs()).sum();
        let lambda = self.recipe.lambda;
        if !self.recipe.elects() {
            let value = base + lambda * left().map(exact).sum::<f64>() / self.divisor;
            return Expected {
                values: [value; 2],
                terms: (lambda * magnitude / self.divisor).abs(),
            };
        }
        let mut most = 0.0f64;
        let mut value = |sign: f64| {
            let agreeing = || left().filter(|term| exact(term) * sign > 0.0);
            let weights: f64 = agreeing().map(|term| term.weight).sum();
            let divides = self.recipe.normalize && weights.abs() >= 1e-8;
            let divisor = if divides { weights } else { 1.0 };
            most = most.max((lambda * magnitude / divisor).abs());
            base + lambda * agreeing().map(exact).sum::<f64>() / divisor
        };
        let sign = if sum >= 0.0 { 1.0 } else { -1.0 };
        let elected = value(sign);
        // the last bits of a scale decide where votes cancel
        let is_tie = sum.abs() <= 1e-13 * magnitude && sum != 0.0;
        let other = if is_tie { value(-sign) } else { elected };
        Expected {
            values: [elected, other],
            terms: most,
        }
    }
}

/// Half a unit in the last place of `T` at a value.
fn half_ulp<T: Real>(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    2f64.powi(value.abs().log2().floor() as i32) * half_unit::<T>()
}

/// Fails where the result is farther from the formula than ½ ulp + k·½ε·Σ|terms|, where ½ε is 2⁻²⁴ in f32.
///
/// k counts the roundings of a term. Added one by one in `T`: of the delta, of its coefficient, of their product, and n − 1 of sums.
/// With elected signs all but that of the delta are made in f64. One more stands for their products with each other.
pub(super) fn assert_formula<T: Real>(recipe: &Recipe, shape: &[u64], sources: &[Vec<T>]) {
    let result = recipe.evaluate(shape, sources);
    let formula = Formula::new(recipe, shape, sources);
    let n = (sources.len() - 1) as f64;
    let is_double = half_unit::<T>() < 1e-10;
    let mut k = if recipe.elects() && !is_double {
        2.0
    } else {
        n + 3.0
    };
    let mut units = 1.0;
    if is_double {
        // the formula rounds as well, and the kernel's norms are not summed in twice the precision
        k = 2.0 * k + 4.0 + if recipe.rescale { 32.0 } else { 0.0 };
        units = 2.0;
    }
    for (index, found) in result.iter().enumerate() {
        let found = found.to_f64();
        let expected = formula.at(index);
        let is_near = expected.values.iter().any(|value| {
            let bound = units * half_ulp::<T>(value.abs().max(found.abs()))
                + k * half_unit::<T>() * expected.terms;
            (found - value).abs() <= bound
        });
        assert!(
            is_near,
            "{recipe:?} {shape:?}, element {index}: {found} instead of {:?}, Σ|terms| {}",
            expected.values, expected.terms
        );
    }
}
