use super::*;
use crate::Value;
use crate::testing::evaluate::{evaluate, operation, with, with_source};
use crate::testing::oracle::{assert_within, check, coefficient_units, drawn, exact_dot};

/// What is taken as a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Along {
    Everything,
    Rows,
    Columns,
}

fn nuslerp(base: Option<usize>, weights: &[f64], along: Along) -> Operation {
    let operation = operation("nuslerp", weights.len(), base);
    let flatten = Value::Bool(along == Along::Everything);
    let operation = with(operation, "nuslerp_flatten", flatten);
    let row_wise = Value::Bool(along == Along::Columns);
    let operation = with(operation, "nuslerp_row_wise", row_wise);
    with_source(operation, "weight", weights)
}

fn halfway(along: Along) -> Operation {
    nuslerp(None, &[1.0, 1.0], along)
}

#[test]
fn halfway_between_two_axes_lies_the_diagonal() {
    let half = 0.5f64.sqrt();
    let sources = [vec![2.0, 0.0], vec![0.0, 4.0]];
    for along in [Along::Everything, Along::Rows, Along::Columns] {
        let result = evaluate(&halfway(along), &[2], &sources);
        assert_within(&result, &[2.0 * half, 4.0 * half], 1e-15);
    }
}

#[test]
fn rows_and_columns_turn_each_by_itself() {
    // rows: the same twice, and orthogonal ones; the columns of the transpose
    let half = 0.5f64.sqrt();
    let rows = [vec![1.0, 2.0, 3.0, 0.0], vec![1.0, 2.0, 0.0, 5.0]];
    let result = evaluate(&halfway(Along::Rows), &[2, 2], &rows);
    assert_within(&result, &[1.0, 2.0, 3.0 * half, 5.0 * half], 1e-15);
    let columns = [vec![1.0, 3.0, 2.0, 0.0], vec![1.0, 0.0, 2.0, 5.0]];
    let result = evaluate(&halfway(Along::Columns), &[2, 2], &columns);
    assert_within(&result, &[1.0, 3.0 * half, 2.0, 5.0 * half], 1e-15);
}

#[test]
fn deltas_turn_where_there_is_a_base() {
    let operation = nuslerp(Some(1), &[1.0, f64::NAN, 1.0], Along::Everything);
    let sources = [vec![12.0, 10.0], vec![10.0, 10.0], vec![10.0, 14.0]];
    let half = 0.5f64.sqrt();
    let result = evaluate(&operation, &[2], &sources);
    assert_within(&result, &[10.0 + 2.0 * half, 10.0 + 4.0 * half], 1e-14);
}

#[test]
fn parallel_and_opposite_vectors_are_mixed_linearly() {
    let a = vec![0.1, 0.3, 0.7, -0.2];
    for (factor, expected) in [(1.0, 1.0), (3.0, 1.5), (-0.7, 0.575), (-1.0, 0.5)] {
        let b: Vec<f64> = a.iter().map(|x| factor * x).collect();
        let expected: Vec<f64> = a.iter().map(|x| expected * x).collect();
        for along in [Along::Everything, Along::Rows, Along::Columns] {
            let operation = nuslerp(None, &[3.0, 1.0], along);
            for shape in [[4, 1], [2, 2], [1, 4]] {
                let result = evaluate(&operation, &shape, &[a.clone(), b.clone()]);
                assert_within(&result, &expected, 1e-15);
            }
        }
    }
}

#[test]
fn vectors_of_zeros_are_orthogonal_to_everything() {
    let half = 0.5f64.sqrt();
    let sources = [vec![0.0, 0.0], vec![2.0, 4.0]];
    for along in [Along::Everything, Along::Rows, Along::Columns] {
        let result = evaluate(&halfway(along), &[1, 2], &sources);
        assert_within(&result, &[2.0 * half, 4.0 * half], 1e-15);
        let zeros = [vec![0.0f32; 2], vec![0.0; 2]];
        assert_eq!(evaluate(&halfway(along), &[2, 1], &zeros), [0.0, 0.0]);
    }
}

#[test]
fn tensors_that_no_model_changed_stay_the_base() {
    let base: Vec<f32> = drawn(7, 1.0, 60);
    let sources = [base.clone(), base.clone(), base.clone()];
    for along in [Along::Everything, Along::Rows, Along::Columns] {
        let operation = nuslerp(Some(0), &[f64::NAN, 0.3, 0.4], along);
        assert_eq!(evaluate(&operation, &[5, 12], &sources), base);
    }
}

#[test]
fn tensors_without_elements_stay_empty() {
    for along in [Along::Everything, Along::Rows, Along::Columns] {
        for shape in [&[0][..], &[0, 4], &[4, 0], &[3, 0, 2]] {
            assert!(evaluate(&halfway(along), shape, &[Vec::<f32>::new(), vec![]]).is_empty());
        }
    }
}

#[test]
fn the_angle_near_opposite_comes_from_the_sum_of_directions() {
    // δ = 1e-6 short of opposite: sin((π−δ)/2) / sin δ = cos(δ/2) / sin δ
    let sources = [vec![1.0, 0.0], vec![-1.0, 1e-6]];
    let expected = [0.5e-6f64.cos() / 1e-6f64.sin() * 0.0, 0.5e-6f64.cos()];
    for (along, shape) in [
        (Along::Everything, [1, 2]),
        (Along::Rows, [1, 2]),
        (Along::Columns, [2, 1]),
    ] {
        let result = evaluate(&halfway(along), &shape, &sources);
        // coefficients of a million, one rounding each
        assert_within(&result, &expected, 1e-9);
    }
    let tall = [vec![1.0, 1.0, 0.0, 0.0], vec![-1.0, 0.0, 1e-6, 1.0]];
    let result = evaluate(&halfway(Along::Columns), &[2, 2], &tall);
    let half = 0.5f64.sqrt();
    assert_within(&result, &[expected[0], half, expected[1], half], 1e-9);
}

#[test]
fn weights_are_shares_and_cancelling_ones_are_equal() {
    let t = |weights: &[f64]| {
        let operation = nuslerp(None, weights, Along::Everything);
        share(&operation, &Points::tuned(&operation))
    };
    assert_eq!(t(&[3.0, 1.0]), 0.25);
    assert_eq!(t(&[0.75, -0.75]), 0.5);
    assert_eq!(t(&[0.0, 0.0]), 0.5);
    assert_eq!(t(&[1.5, -0.5]), -0.5);
}

#[test]
fn a_weight_of_zero_is_the_other_model() {
    let of = |base, weights: &[f64]| identity(&nuslerp(base, weights, Along::Rows));
    assert_eq!(of(None, &[2.0, 0.0]), Some(0));
    assert_eq!(of(None, &[0.0, 2.0]), Some(1));
    assert_eq!(of(Some(0), &[f64::NAN, 0.0, 2.0]), Some(2));
    assert_eq!(of(Some(1), &[1.0, f64::NAN, 0.0]), Some(0));
    assert_eq!(of(None, &[0.0, 0.0]), None);
    assert_eq!(of(None, &[0.5, 0.5]), None);
}

#[test]
fn a_base_that_is_one_of_two_models_is_refused() {
    assert!(validate(&nuslerp(Some(0), &[1.0, 1.0], Along::Rows)).is_err());
    assert!(validate(&nuslerp(Some(0), &[1.0, 1.0, 1.0], Along::Rows)).is_ok());
    assert!(validate(&nuslerp(None, &[1.0, 1.0], Along::Rows)).is_ok());
}

/// Where the vectors of a tensor are: the vector of each element, and how many there are.
fn vectors(along: Along, shape: &[u64]) -> (usize, impl Fn(usize) -> usize) {
    let len = shape.iter().product::<u64>() as usize;
    let row = shape[shape.len() - 1] as usize;
    let columns = len / shape[0] as usize;
    let count = match along {
        Along::Everything => 1,
        Along::Rows => len / row,
        Along::Columns => columns,
    };
    (count, move |i| match along {
        Along::Everything => 0,
        Along::Rows => i / row,
        Along::Columns => i % columns,
    })
}

/// The coefficients of each vector, from the vectors themselves.
fn expected(points: &[Vec<f64>; 2], t: f64, along: Along, shape: &[u64]) -> Vec<[f64; 2]> {
    let (count, vector_of) = vectors(along, shape);
    let mut split = vec![[Vec::new(), Vec::new()]; count];
    for (point, values) in points.iter().enumerate() {
        for (i, value) in values.iter().enumerate() {
            split[vector_of(i)][point].push(*value);
        }
    }
    split
        .iter()
        .map(|[a, b]| {
            let norms = [a, b].map(|v| exact_dot(v, v).sqrt());
            let unit = |v: &[f64], norm: f64| v.iter().map(|x| x / norm).collect::<Vec<f64>>();
            let (a, b) = (unit(a, norms[0]), unit(b, norms[1]));
            let sums: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
            let length = |v: &[f64]| exact_dot(v, v).sqrt();
            let angle = 2.0 * length(&differences).atan2(length(&sums));
            [
                ((1.0 - t) * angle).sin() / angle.sin(),
                (t * angle).sin() / angle.sin(),
            ]
        })
        .collect()
}

/// |error| ≤ k·2⁻²⁴·Σ|terms| with k = 3, with a base 6 and W₀ among the terms; in f64 with that of the coefficients besides.
fn formula_holds<T: Real>(base: bool, along: Along, shape: &[u64]) {
    let len = shape.iter().product::<u64>() as usize;
    let sources: [Vec<T>; 2] = [drawn(1, 1.0, len), drawn(2, 2.5, len)];
    let origin: Vec<T> = drawn(77, 1.0, len);
    let start = |i: usize| if base { origin[i].to_f64() } else { 0.0 };
    let points = [0, 1].map(|m: usize| -> Vec<f64> {
        (0..len)
            .map(|i| sources[m][i].to_f64() - start(i))
            .collect()
    });
    let coefficients = expected(&points, 0.6, along, shape);
    let (_, vector_of) = vectors(along, shape);
    let mut inputs = sources.to_vec();
    let mut weights = vec![0.8, 1.2];
    if base {
        inputs.insert(1, origin.clone());
        weights.insert(1, f64::NAN);
    }
    let operation = nuslerp(base.then_some(1), &weights, along);
    let result = evaluate(&operation, shape, &inputs);
    let k = if base { 6.0 } else { 3.0 } + coefficient_units::<T>();
    check(&result, k, |i| {
        let [c, d] = coefficients[vector_of(i)];
        let terms = [c * points[0][i], d * points[1][i]];
        let size = start(i).abs() + terms[0].abs() + terms[1].abs();
        (start(i) + terms[0] + terms[1], size)
    });
}

#[test]
fn long_tensors_agree_with_the_formula() {
    for along in [Along::Everything, Along::Rows, Along::Columns] {
        for base in [false, true] {
            // rows that no tile and no block ends with, and a tensor of three axes
            for shape in [&[311, 257][..], &[83, 2051], &[37, 11, 211]] {
                formula_holds::<f32>(base, along, shape);
                formula_holds::<f64>(base, along, shape);
            }
        }
    }
}

#[test]
fn columns_of_several_blocks_agree_with_the_formula() {
    // blocks of 2²⁰ elements end within rows, the last one is short
    formula_holds::<f32>(true, Along::Columns, &[353, 6007]);
    // rows are longer than blocks
    formula_holds::<f32>(false, Along::Columns, &[3, 1_200_007]);
}
