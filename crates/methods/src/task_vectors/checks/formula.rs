//! Each method's formula on tensors that end in the middle of tiles and blocks and whose magnitudes are often equal.

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::TILE;

use super::oracle::{Recipe, assert_formula};
use crate::task_vectors::SCHEMES;
use crate::testing::oracle::drawn;

/// Elements that are summed together.
const BLOCK: u64 = 1 << 20;

/// More than four blocks, and not a whole number of tiles.
const LARGE: u64 = 4 * BLOCK + 4099;

/// A base and models; the deltas of all but the last are multiples of 1/64 with 9 magnitudes.
fn stepped<T: Real>(models: usize, count: u64) -> Vec<Vec<T>> {
    let count = count as usize;
    let steps = |seed, size| -> Vec<f64> {
        let numbers: Vec<f64> = drawn(seed, size, count);
        numbers
            .into_iter()
            .map(|x| (x * 64.0).round() / 64.0)
            .collect()
    };
    let base = steps(1, 1.0);
    let mut sources = vec![base.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>()];
    for model in 0..models {
        let deltas = if model + 1 == models && models > 1 {
            drawn(20, 0.1, count)
        } else {
            steps(10 + model as u64, 0.125)
        };
        let tuned = base
            .iter()
            .zip(deltas)
            .map(|(base, delta)| T::from_f64(base + delta));
        sources.push(tuned.collect());
    }
    sources
}

/// A base and models whose deltas all have the same magnitude.
fn level<T: Real>(models: usize, count: u64) -> Vec<Vec<T>> {
    let base: Vec<T> = drawn(1, 1.0, count as usize)
        .into_iter()
        .map(|x: f64| T::from_f64((x * 64.0).round() / 64.0))
        .collect();
    let mut sources = vec![base.clone()];
    for model in 0..models {
        let signs: Vec<f64> = drawn(30 + model as u64, 1.0, count as usize);
        let tuned = base
            .iter()
            .zip(signs)
            .map(|(base, sign)| *base + T::from_f64(0.25f64.copysign(sign)));
        sources.push(tuned.collect());
    }
    sources
}

/// The switches, factors and densities that a method is tried with on small tensors.
fn variants(method: &'static str) -> Vec<Recipe> {
    let mut recipes = Vec::new();
    for (normalize, rescale) in [(false, false), (true, false), (false, true), (true, true)] {
        for (weights, lambda) in [
            (vec![0.5, 0.3, -0.7], 1.0),
            (vec![1.0, 1.0, 1.0], -0.4),
            (vec![0.25, 0.0, 2.0], 1.5),
            // these cancel, exactly and by a hair
            (vec![0.5, 0.25, -0.75], 1.0),
            (vec![0.1, 0.2, -0.3], 1.0),
        ] {
            let mut recipe = Recipe::new(method, &weights, 0.4);
            recipe.densities = vec![0.5, 0.4, 0.6, 0.75];
            recipe.lambda = lambda;
            recipe.normalize = normalize;
            recipe.rescale = rescale;
            recipe.seed = 7;
            recipes.push(recipe);
        }
    }
    recipes
}

fn methods() -> impl Iterator<Item = &'static str> {
    SCHEMES.iter().map(|scheme| scheme.method)
}

#[test]
fn small_tensors_follow_the_formula_with_every_switch() {
    for method in methods() {
        for recipe in variants(method) {
            for shape in [
                &[][..],
                &[1],
                &[7],
                &[3, 1],
                &[1, 5],
                &[19, 13],
                &[6, 35, 13],
            ] {
                let count = shape.iter().product();
                assert_formula::<f32>(&recipe, shape, &stepped(3, count));
                assert_formula::<f64>(&recipe, shape, &stepped(3, count));
            }
        }
    }
}

#[test]
fn the_base_may_stand_anywhere() {
    for method in methods() {
        for mut recipe in variants(method).into_iter().step_by(6) {
            let mut sources = stepped::<f32>(3, 5000);
            sources.swap(0, 2);
            recipe.weights.swap(0, 2);
            recipe.base = 2;
            assert_formula(&recipe, &[50, 100], &sources);
        }
    }
}

#[test]
fn densities_at_the_ends_keep_all_and_nothing() {
    for method in methods() {
        for densities in [
            [0.0, 1.0, 0.0, 0.5],
            [0.0, 0.0, 0.5, 1.0],
            [0.0, 1.0, 1.0, 1.0],
        ] {
            for (normalize, rescale) in [(false, true), (true, false)] {
                let mut recipe = Recipe::new(method, &[0.5, 0.4, -1.5], 0.5);
                recipe.densities = densities.to_vec();
                recipe.normalize = normalize;
                recipe.rescale = rescale;
                assert_formula(&recipe, &[3, 1000], &stepped::<f32>(3, 3000));
            }
        }
    }
}

#[test]
fn windows_that_reach_over_the_ends_keep_what_there_is() {
    for (density, gamma) in [
        (0.9, 0.5),
        (0.5, 0.5),
        (0.01, 1.0),
        (0.0001, 0.1),
        (0.3, 0.0),
    ] {
        for method in ["breadcrumbs", "breadcrumbs_ties"] {
            let mut recipe = Recipe::new(method, &[0.7, -0.2], density);
            recipe.side = gamma;
            recipe.rescale = true;
            assert_formula(&recipe, &[6000], &stepped::<f32>(2, 6000));
        }
    }
}

/// What is kept of equal magnitudes are the first ones: up to a border of tiles or blocks, one less, and one more.
#[test]
fn equal_magnitudes_are_cut_at_the_borders_of_tiles_and_blocks() {
    let sources = level::<f32>(1, LARGE);
    let tile = TILE as u64;
    for kept in [
        tile - 1,
        tile,
        BLOCK - tile + 1,
        BLOCK - 1,
        BLOCK,
        3 * BLOCK + 1,
    ] {
        let density = (kept as f64 + 0.5) / LARGE as f64;
        let recipe = Recipe::new("ties", &[1.0], density);
        let result = recipe.evaluate(&[LARGE], &sources);
        let (first, rest) = result.split_at(kept as usize);
        assert!(first == &sources[1][..kept as usize], "{kept}");
        assert!(rest == &sources[0][kept as usize..], "{kept}");
    }
}

/// The window is what lies between two borders.
#[test]
fn equal_magnitudes_are_cut_at_both_ends_of_a_window() {
    let sources = level::<f64>(1, LARGE);
    for (top, kept) in [
        (TILE as u64, BLOCK - TILE as u64),
        (BLOCK - 1, 2),
        (2 * BLOCK + 1, 2 * BLOCK + 4098),
    ] {
        let mut recipe = Recipe::new("breadcrumbs", &[1.0], (kept as f64 + 0.5) / LARGE as f64);
        recipe.side = (top as f64 + 0.5) / LARGE as f64;
        let result = recipe.evaluate(&[LARGE], &sources);
        let window = top as usize..(top + kept) as usize;
        for (index, value) in result.iter().enumerate() {
            let source = usize::from(window.contains(&index));
            assert!(*value == sources[source][index], "{index} of {window:?}");
        }
    }
}

/// A recipe for large tensors: the kept ones of each model end among equal magnitudes.
fn large(method: &'static str) -> Recipe {
    let mut recipe = Recipe::new(method, &[0.6, -0.35], 0.5);
    recipe.densities = vec![0.0, 0.43, 0.29];
    recipe.lambda = 0.8;
    recipe.rescale = true;
    recipe.normalize = method.ends_with("ties");
    recipe.seed = 3;
    recipe
}

#[test]
fn large_tensors_are_selected_exactly() {
    assert_formula(&large("ties"), &[LARGE], &stepped::<f32>(2, LARGE));
    let mut recipe = large("breadcrumbs");
    recipe.weights.pop();
    assert_formula(&recipe, &[LARGE], &stepped::<f64>(1, LARGE));
}

#[test]
fn large_tensors_are_drawn_element_by_element() {
    let recipe = Recipe::new("dare_ties", &[0.6], 0.43);
    assert_formula(&recipe, &[LARGE], &stepped::<f32>(1, LARGE));
}

#[test]
fn rows_of_large_tensors_are_ranked_each_by_itself() {
    // rows that no tile holds a whole number of, without the pass for the norms
    let mut recipe = Recipe::new("della", &[0.6], 0.43);
    recipe.normalize = true;
    assert_formula(&recipe, &[1031, 4099], &stepped::<f32>(1, 1031 * 4099));
    // rows that lie side by side, and one row of many tiles
    let side_by_side = [3u64, 700, 20];
    let count = side_by_side.iter().product();
    assert_formula(
        &large("della_linear"),
        &side_by_side,
        &stepped::<f32>(2, count),
    );
    let recipe = Recipe::new("della_linear", &[0.6], 0.43);
    assert_formula(&recipe, &[100_003], &stepped::<f64>(1, 100_003));
}
