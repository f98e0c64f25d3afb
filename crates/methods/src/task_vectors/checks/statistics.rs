//! What chance keeps of task vectors, held against its laws.
//!
//! Seeds are fixed, so a test passes or fails for ever. A share of n draws with the probabilities pᵢ has the standard deviation
//! σ = √Σ pᵢ(1 − pᵢ) / n; it is held to 4σ, which 1 in 16,000 right shares would miss. Independence is tested by χ² of the 2 × 2 table
//! with one degree of freedom, whose square root is normal: 4² = 16 is the limit for the same reason.

use std::collections::BTreeMap;

use super::oracle::{Recipe, chance, norm, rows};
use crate::testing::oracle::drawn;
use crate::{OutputTensor, Stage, Tiles, Workspace, find};

const N: u64 = 200_003;

/// Which elements of a model with deltas of one sign and different sizes stay, from the merge with a base of zeros.
fn masks(recipe: &Recipe, shape: &[u64], sizes: &[f32]) -> Vec<bool> {
    let mut sources = vec![vec![0.0; sizes.len()]; recipe.weights.len()];
    let weighed = recipe.weights.iter().position(|weight| *weight == 1.0);
    sources[weighed.unwrap()] = sizes.to_vec();
    let result = recipe.evaluate(shape, &sources);
    result.iter().map(|value| *value != 0.0).collect()
}

/// Positive, and different from its neighbours.
fn sizes(n: u64) -> Vec<f32> {
    let numbers: Vec<f32> = drawn(5, 1.0, n as usize);
    numbers.iter().map(|x| x.abs() + 1e-3).collect()
}

fn count(mask: &[bool]) -> f64 {
    mask.iter().filter(|kept| **kept).count() as f64
}

/// How many of independent draws succeed, in standard deviations from their mean.
fn deviation(found: f64, probabilities: impl Iterator<Item = f64>) -> f64 {
    let (mut mean, mut variance) = (0.0, 0.0);
    for p in probabilities {
        mean += p;
        variance += p * (1.0 - p);
    }
    (found - mean) / f64::sqrt(variance)
}

/// χ² of the table of two masks.
fn chi_square(pairs: impl Iterator<Item = (bool, bool)>) -> f64 {
    let mut table = [[0.0f64; 2]; 2];
    for (one, other) in pairs {
        table[usize::from(one)][usize::from(other)] += 1.0;
    }
    let [[a, b], [c, d]] = table;
    let n = a + b + c + d;
    let difference = a * d - b * c;
    n * difference * difference / ((a + b) * (c + d) * (a + c) * (b + d))
}

#[test]
fn dare_keeps_the_share_that_density_asks_for() {
    for method in ["dare_linear", "dare_ties"] {
        for density in [0.001, 0.1, 0.5, 0.77, 0.999] {
            for seed in 0..4 {
                let mut recipe = Recipe::new(method, &[1.0], density);
                recipe.seed = seed;
                let mask = masks(&recipe, &[N], &sizes(N));
                let off = deviation(count(&mask), (0..N).map(|_| density));
                assert!(off.abs() < 4.0, "{recipe:?}: {off} σ");
            }
        }
    }
}

#[test]
fn della_keeps_each_rank_with_its_probability() {
    for (shape, density, epsilon) in [
        (&[451u64, 443][..], 0.5, 0.4),
        (&[451, 443], 0.2, 0.15),
        (&[199_793], 0.8, 0.1),
        (&[41, 443, 11], 0.6, 0.3),
        (&[199_793, 1], 0.3, 0.2),
    ] {
        let mut recipe = Recipe::new("della_linear", &[1.0], density);
        recipe.side = epsilon;
        let n = shape.iter().product();
        let sizes = sizes(n);
        let mask = masks(&recipe, shape, &sizes);
        // the mean of the probabilities of a row is `density`, whatever its length
        let mut deciles = BTreeMap::<usize, (f64, Vec<f64>)>::new();
        for row in rows(shape) {
            let mut order: Vec<usize> = row.collect();
            order.sort_by(|a, b| sizes[*a].total_cmp(&sizes[*b]));
            for (rank, index) in order.iter().enumerate() {
                let (found, probabilities) = deciles.entry(10 * rank / order.len()).or_default();
                *found += f64::from(mask[*index]);
                probabilities.push(chance(density, epsilon, rank, order.len()));
            }
        }
        let all = || deciles.values().flat_map(|(_, p)| p.iter().copied());
        let mean = all().sum::<f64>() / n as f64;
        assert!((mean - density).abs() < 1e-9, "{mean}");
        let off = deviation(count(&mask), all());
        assert!(off.abs() < 4.0, "{recipe:?} {shape:?}: {off} σ");
        for (decile, (found, probabilities)) in &deciles {
            let off = deviation(*found, probabilities.iter().copied());
            assert!(
                off.abs() < 4.0,
                "{recipe:?} {shape:?}, decile {decile}: {off} σ"
            );
        }
    }
}

/// The mask that a model at a position of the recipe gets, with a seed.
fn mask_of(method: &'static str, position: usize, seed: u64) -> Vec<bool> {
    let mut weights = [0.0; 3];
    weights[position] = 1.0;
    let mut recipe = Recipe::new(method, &weights, 0.4);
    recipe.seed = seed;
    masks(&recipe, &[251, 199], &sizes(251 * 199))
}

#[test]
fn inputs_and_seeds_and_neighbours_are_independent() {
    for method in ["dare_linear", "dare_ties", "della", "della_linear"] {
        let mut all = Vec::new();
        for position in 0..3 {
            for seed in [0, 1, 1 << 32, u64::MAX] {
                all.push(((position, seed), mask_of(method, position, seed)));
            }
        }
        for (index, (name, mask)) in all.iter().enumerate() {
            for (other_name, other) in &all[..index] {
                // sizes are the same, so in DELLA it is given them that masks are independent; ranks make both likely together
                let pairs = mask.iter().zip(other).map(|(a, b)| (*a, *b));
                let limit = if method.starts_with("della") {
                    // Cov(p, p) over Var(kept): ρ = ε²/3 / (d(1−d)), χ² ≈ n ρ²
                    let n = mask.len() as f64;
                    let rho = 0.1 * 0.1 / 3.0 / (0.4 * 0.6);
                    (rho * n.sqrt() + 4.0).powi(2)
                } else {
                    16.0
                };
                let found = chi_square(pairs);
                assert!(
                    found < limit,
                    "{method} {name:?} {other_name:?}: χ² {found}"
                );
            }
            for step in [1, 2, 3, 4, 16, 64, 199] {
                let pairs = mask.iter().zip(&mask[step..]).map(|(a, b)| (*a, *b));
                let found = chi_square(pairs);
                // 84 pairs for each of 4 methods: 4.5 σ here
                assert!(found < 20.25, "{method} {name:?}, {step} apart: χ² {found}");
            }
        }
    }
}

/// What a tensor of another name gets.
fn named(method: &'static str, name: &str) -> Vec<bool> {
    let recipe = Recipe::new(method, &[1.0], 0.4);
    let operation = recipe.operation();
    let info = weightsmith_tensors::TensorInfo {
        dtype: weightsmith_tensors::DType::F32,
        shape: vec![251, 199],
    };
    let kernel = (find(method).unwrap().compile.single)(&operation);
    let output = OutputTensor {
        name,
        info: &info,
        seed: 0,
        spare: 0,
    };
    let Stage::Apply(apply) = kernel.begin(&output) else {
        panic!("there is nothing to measure without rescaling")
    };
    let n = info.elements() as usize;
    let mut tensors = vec![0.0f32; n];
    tensors.extend(sizes(n as u64));
    let tiles = Tiles::new(&tensors, n, n, 0);
    let mut out = vec![0.0; n];
    apply.tile(&tiles, &mut Workspace::default(), &mut out);
    out.iter().map(|value| *value != 0.0).collect()
}

#[test]
fn tensors_are_independent() {
    let names = [
        "tensor",
        "model.layers.1.mlp.up_proj.weight",
        "model.layers.11.mlp.up_proj.weight",
    ];
    for method in ["dare_linear", "dare_ties"] {
        assert_eq!(named(method, "tensor"), mask_of(method, 0, 0));
        for (index, name) in names.iter().enumerate() {
            for other in &names[..index] {
                let (one, two) = (named(method, name), named(method, other));
                let found = chi_square(one.into_iter().zip(two));
                assert!(found < 16.0, "{method} {name} {other}: χ² {found}");
            }
        }
    }
}

/// With weights 1 and 2 the sum says which of two equal models stay: 0, 1, 2 or 3 times the delta.
#[test]
fn a_model_that_is_listed_twice_has_two_masks() {
    for method in ["dare_linear", "della_linear"] {
        let recipe = Recipe::new(method, &[1.0, 2.0], 0.4);
        let ones = vec![1.0f32; N as usize];
        let result = recipe.evaluate(&[N], &[vec![0.0; N as usize], ones.clone(), ones]);
        let mask = |bit: u32| result.iter().map(move |sum| (*sum as u32) & bit != 0);
        let found = chi_square(mask(1).zip(mask(2)));
        // ranks are those of the indices here, and the same for both
        let rho = if method == "dare_linear" {
            0.0
        } else {
            0.1 * 0.1 / 3.0 / (0.4 * 0.6)
        };
        let limit = (rho * (N as f64).sqrt() + 4.0).powi(2);
        assert!(found < limit, "{method}: χ² {found}");
    }
}

#[test]
fn rescaled_task_vectors_keep_their_norm() {
    let n = 101 * 397;
    let signed: Vec<f32> = drawn(6, 0.02, n);
    for method in [
        "ties",
        "dare_linear",
        "dare_ties",
        "breadcrumbs",
        "breadcrumbs_ties",
        "della",
        "della_linear",
    ] {
        for density in [0.11, 0.5, 0.89] {
            let mut recipe = Recipe::new(method, &[1.0], density);
            recipe.rescale = true;
            let result = recipe.evaluate(&[101, 397], &[vec![0.0; n], signed.clone()]);
            let (found, whole) = (norm(result.into_iter()), norm(signed.iter().copied()));
            assert!(
                (found - whole).abs() <= 1e-6 * whole,
                "{recipe:?}: {found} instead of {whole}"
            );
        }
    }
}

/// Each result is s·m·D with a mask m and s = ‖D‖₁/‖mD‖₁. For many elements s is nearly 1/p̄, and the mean over R seeds is normal about
/// its expectation with the variance (1/p̄)²·p(1 − p)·D²/R of each element. Σ over the elements of (mean − expected)²/variance is then
/// χ² with n degrees of freedom: n ± 4·√(2n). That s differs from 1/p̄ by some 1/√n adds less than 2 to the sum.
fn assert_mean(method: &'static str, expected: impl Fn(&[f32]) -> Vec<(f64, f64)>) {
    let n = 10_000usize;
    let runs = 200;
    let signed: Vec<f32> = drawn(8, 0.5, n);
    let mut sums = vec![0.0f64; n];
    for seed in 0..runs {
        let mut recipe = Recipe::new(method, &[1.0], 0.4);
        recipe.rescale = true;
        recipe.seed = seed;
        let result = recipe.evaluate(&[50, 200], &[vec![0.0; n], signed.clone()]);
        for (sum, value) in sums.iter_mut().zip(result) {
            *sum += f64::from(value);
        }
    }
    let runs = runs as f64;
    let statistic: f64 = sums
        .iter()
        .zip(expected(&signed))
        .map(|(sum, (mean, variance))| (sum / runs - mean).powi(2) / (variance / runs))
        .sum();
    let n = n as f64;
    let off = (statistic - n) / (2.0 * n).sqrt();
    assert!(off.abs() < 4.0, "{method}: {off} σ");
}

#[test]
fn the_mean_of_rescaled_dare_is_the_task_vector() {
    assert_mean("dare_linear", |deltas| {
        let p = 0.4;
        deltas
            .iter()
            .map(|delta| {
                let delta = f64::from(*delta);
                (delta, delta * delta * (1.0 - p) / p)
            })
            .collect()
    });
}

#[test]
fn the_mean_of_rescaled_della_leans_to_the_large_elements() {
    assert_mean("della_linear", |deltas| {
        let mut probabilities = vec![0.0; deltas.len()];
        for row in rows(&[50, 200]) {
            let mut order: Vec<usize> = row.collect();
            order.sort_by(|a, b| deltas[*a].abs().total_cmp(&deltas[*b].abs()));
            for (rank, index) in order.iter().enumerate() {
                probabilities[*index] = chance(0.4, 0.1, rank, order.len());
            }
        }
        let weighed = deltas
            .iter()
            .zip(&probabilities)
            .map(|(delta, p)| p * f64::from(*delta));
        // E s = ‖D‖₁ / Σ p|D|
        let scale = norm(deltas.iter().copied()) / norm(weighed);
        deltas
            .iter()
            .zip(&probabilities)
            .map(|(delta, p)| {
                let delta = f64::from(*delta) * scale;
                (p * delta, delta * delta * p * (1.0 - p))
            })
            .collect()
    });
}
