//! Averages fine-tunes and moves the average towards their base by the angle between them. <https://arxiv.org/abs/2403.19522>

use weightsmith_tensors::Real;

use super::gram::{Mix, MixRows, MixWhole, Mixing, Points, Products};
use super::{BaseRule, Compile, Global, InputCount, Kernel, MethodSpec, MissingRule, Reference};
use crate::Operation;

const FILTER_WISE: Global<bool> = Global::switch(
    "filter_wise",
    false,
    "Measure the angle per row instead of per tensor.",
);

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "model_stock",
    title: "Model Stock",
    summary: "Averages fine-tunes of one base, and moves from the base to the average as far as they agree.",
    documentation: "\
With Dᵢ = Wᵢ − W₀ for each of the N fine-tunes and c the mean cosine of the angle between pairs of
Dᵢ: t = N·c / (1 + (N−1)·c), result = t·mean(Wᵢ) + (1−t)·W₀. If 1 + (N−1)·c is below 1e-6, t is 0.

Fine-tunes of one base with different seeds or data lie on a shell around a center that is better
than any of them. Model Stock estimates that center from the angle between them, without weights to
choose. Fine-tunes that agree (c near 1) are averaged, t = 1. Unrelated fine-tunes (c near 0) leave
the base, t = 0. Two fine-tunes and their base are enough. The method does not help with models for
different tasks, whose deltas are orthogonal.

The angle is measured per tensor, or per row (each vector along the last axis) with `filter_wise`.
An optional tensor in fewer than three inputs is copied from the base; one that the base lacks is
dropped.",
    reference: Some(Reference {
        title: "Model Stock: All we need is just a few fine-tuned models (Jang et al., 2024)",
        url: "https://arxiv.org/abs/2403.19522",
    }),
    base: BaseRule::Required,
    inputs: InputCount::at_least(3),
    parameters: &[FILTER_WISE.spec()],
    missing: MissingRule::CopyBaseOrSkip,
    identity: |_| None,
    shares: |_| None,
    validate: |_| Ok(()),
    compile: Compile {
        single: compile,
        double: compile,
    },
};

/// Denominators below this are taken as zero: the deltas point away from each other, and nothing is common to them.
const SINGULAR: f64 = 1e-6;

fn compile<T: Real>(operation: &Operation) -> Box<dyn Kernel<T>> {
    let points = Points::tuned(operation);
    if operation.get(FILTER_WISE) {
        Box::new(MixRows::new(points, Stock))
    } else {
        Box::new(MixWhole::new(points, Stock))
    }
}

/// t/N of each delta.
#[derive(Debug, Clone, Copy)]
struct Stock;

impl Mixing for Stock {
    const PASSES: usize = 1;

    fn mix(&self, products: &Products, _: Option<f64>) -> Mix {
        let count = products.count();
        let n = count as f64;
        let share = ratio(mean_cosine(products), n) / n;
        Mix::Of(vec![share; count])
    }
}

/// How far to go from the base to the average of `n` fine-tunes.
fn ratio(cosine: f64, n: f64) -> f64 {
    let divisor = 1.0 + (n - 1.0) * cosine;
    if divisor < SINGULAR {
        0.0
    } else {
        n * cosine / divisor
    }
}

fn mean_cosine(products: &Products) -> f64 {
    let count = products.count();
    let pairs = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j)));
    let sum: f64 = pairs.map(|(i, j)| products.cosine(i, j)).sum();
    sum / ((count * (count - 1)) as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with};
    use crate::testing::oracle::{assert_within, check, coefficient_units, drawn, exact_dot};

    fn stock(sources: usize, base: usize, filter_wise: bool) -> Operation {
        let operation = operation("model_stock", sources, Some(base));
        with(operation, "filter_wise", Value::Bool(filter_wise))
    }

    #[test]
    fn sixty_degrees_between_two_go_two_thirds_of_the_way() {
        // c = 1/2: t = 2·½ / (1 + ½)
        assert_eq!(ratio(0.5, 2.0), 2.0 / 3.0);
    }

    #[test]
    fn deltas_that_agree_are_averaged_and_orthogonal_ones_leave_the_base() {
        let base = vec![1.0f32, 1.0];
        let alike = [base.clone(), vec![3.0, 1.0], vec![5.0, 1.0]];
        assert_eq!(evaluate(&stock(3, 0, false), &[2], &alike), [4.0, 1.0]);
        let apart = [vec![3.0, 1.0], base.clone(), vec![1.0, 5.0]];
        assert_eq!(evaluate(&stock(3, 1, false), &[2], &apart), base);
    }

    #[test]
    fn small_deltas_have_angles_too() {
        let base = vec![0.0f32, 0.0];
        let tuned = vec![1e-20, 2e-20];
        let sources = [base, tuned.clone(), tuned.clone()];
        assert_eq!(evaluate(&stock(3, 0, false), &[2], &sources), tuned);
    }

    #[test]
    fn opposite_deltas_leave_the_base() {
        let base = vec![1.0f32, 1.0];
        let sources = [base.clone(), vec![2.0, 3.0], vec![-4.0, -9.0]];
        assert_eq!(evaluate(&stock(3, 0, false), &[2], &sources), base);
    }

    #[test]
    fn models_that_equal_the_base_give_the_base() {
        let base: Vec<f32> = drawn(7, 1.0, 50);
        let sources = [base.clone(), base.clone(), base.clone()];
        assert_eq!(evaluate(&stock(3, 0, false), &[5, 10], &sources), base);
        assert_eq!(evaluate(&stock(3, 0, true), &[5, 10], &sources), base);
    }

    #[test]
    fn rows_are_judged_each_by_itself() {
        // first row: the same delta twice; second: orthogonal ones
        let base = vec![0.0f32; 4];
        let sources = [base, vec![2.0, 0.0, 1.0, 0.0], vec![2.0, 0.0, 0.0, 1.0]];
        let result = evaluate(&stock(3, 0, true), &[2, 2], &sources);
        assert_eq!(result, [2.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_tensor_of_one_axis_is_one_row() {
        let sources: Vec<Vec<f32>> = (1..5).map(|seed| drawn(seed, 1.0, 5000)).collect();
        let whole = evaluate(&stock(4, 0, false), &[5000], &sources);
        let rows = evaluate(&stock(4, 0, true), &[5000], &sources);
        for (whole, row) in whole.iter().zip(rows) {
            assert!((whole - row).abs() <= 1e-6, "{whole} and {row}");
        }
    }

    /// t of deltas, from the vectors themselves.
    fn expected_ratio(deltas: &[Vec<f64>]) -> f64 {
        let mut cosines = Vec::new();
        for (i, a) in deltas.iter().enumerate() {
            for b in &deltas[i + 1..] {
                cosines.push(exact_dot(a, b) / (exact_dot(a, a) * exact_dot(b, b)).sqrt());
            }
        }
        let c = cosines.iter().sum::<f64>() / cosines.len() as f64;
        let n = deltas.len() as f64;
        n * c / (1.0 + (n - 1.0) * c)
    }

    /// A base, and models whose deltas have something in common.
    fn family<T: Real>(count: usize, len: usize) -> Vec<Vec<T>> {
        let base: Vec<T> = drawn(1, 1.0, len);
        let common: Vec<f64> = drawn(2, 0.2, len);
        let mut family = vec![base];
        for model in 0..count {
            let own: Vec<f64> = drawn(3 + model as u64, 0.3, len);
            let moved = (0..len).map(|i| T::from_f64(family[0][i].to_f64() + common[i] + own[i]));
            let moved = moved.collect();
            family.push(moved);
        }
        family
    }

    /// |error| ≤ k·2⁻²⁴·Σ|terms| with k = N + 4 (in f64 with that of t besides), the terms being W₀ and t/N·Dᵢ.
    fn formula_holds<T: Real>(count: usize, shape: &[u64], filter_wise: bool) {
        let len = shape.iter().product::<u64>() as usize;
        let row = if filter_wise {
            shape[shape.len() - 1] as usize
        } else {
            len
        };
        let family = family::<T>(count, len);
        let deltas: Vec<Vec<f64>> = (1..=count)
            .map(|m| {
                (0..len)
                    .map(|i| family[m][i].to_f64() - family[0][i].to_f64())
                    .collect()
            })
            .collect();
        let ratios: Vec<f64> = (0..len)
            .step_by(row)
            .map(|start| {
                let rows: Vec<Vec<f64>> = deltas
                    .iter()
                    .map(|d| d[start..start + row].to_vec())
                    .collect();
                expected_ratio(&rows)
            })
            .collect();
        // the base in the middle
        let mut sources = family.clone();
        sources.swap(0, 1);
        let result = evaluate(&stock(count + 1, 1, filter_wise), shape, &sources);
        let k = count as f64 + 4.0 + coefficient_units::<T>();
        check(&result, k, |i| {
            let share = ratios[i / row] / count as f64;
            let base = family[0][i].to_f64();
            let moves = deltas.iter().map(|delta| share * delta[i]);
            let terms = base.abs() + moves.clone().map(f64::abs).sum::<f64>();
            (base + moves.sum::<f64>(), terms)
        });
    }

    #[test]
    fn long_tensors_agree_with_the_formula() {
        for count in [2, 3, 5] {
            formula_holds::<f32>(count, &[83, 101], false);
            formula_holds::<f64>(count, &[83, 101], false);
            formula_holds::<f32>(count, &[83, 101], true);
            formula_holds::<f64>(count, &[7, 3, 2051], true);
        }
    }

    #[test]
    fn one_element_rows_are_parallel_or_opposite() {
        let sources = [vec![0.0f64, 0.0], vec![0.1, 0.3], vec![0.7, -0.9]];
        let result = evaluate(&stock(3, 0, true), &[2, 1], &sources);
        assert_within(&result, &[0.4, 0.0], 1e-15);
    }
}
