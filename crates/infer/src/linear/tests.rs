use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use half::f16;
use weightsmith_tensors::{Checkpoint, TensorEntry, TensorInfo, testing};

use super::*;

/// Values in -1..1, the same for the same seed.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(1_u32 << 31) - 1.0) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// A source that reads into the caller's memory, as a merge that keeps nothing does; or one that lends its own.
#[derive(Debug)]
struct Memory {
    entries: [TensorEntry; 1],
    bytes: Vec<u8>,
    lends: bool,
}

impl TensorSource for Memory {
    fn tensors(&self) -> &[TensorEntry] {
        &self.entries
    }

    fn find(&self, _name: &str) -> Option<usize> {
        Some(0)
    }

    fn read<'a>(
        &'a self,
        _tensor: usize,
        _elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        if self.lends {
            return Ok(&self.bytes);
        }
        scratch.clear();
        scratch.extend(&self.bytes);
        Ok(scratch)
    }
}

fn source(dtype: DType, shape: &[u64], values: &[f32], lends: bool) -> Arc<dyn TensorSource> {
    Arc::new(Memory {
        entries: [TensorEntry {
            name: "w".to_owned(),
            info: TensorInfo {
                dtype,
                shape: shape.to_vec(),
            },
        }],
        bytes: testing::bytes_of(dtype, values).unwrap(),
        lends,
    })
}

fn matrix(dtype: DType, rows: usize, cols: usize) -> Linear {
    let weights = values(rows * cols, 1);
    let source = source(dtype, &[rows as u64, cols as u64], &weights, false);
    Linear::open(&source, 0).unwrap()
}

/// A matrix of every type.
fn matrices(rows: usize, cols: usize) -> Vec<Linear> {
    let plain = [DType::F32, DType::F16, DType::BF16].map(|dtype| matrix(dtype, rows, cols));
    let quantized = plain[0].quantize_q8_0(&Pool::new(1)).unwrap();
    plain.into_iter().chain([quantized]).collect()
}

fn products(linear: &Linear, level: Level, pool: &Pool, inputs: &[f32]) -> Vec<f32> {
    let count = inputs.len() / linear.cols();
    let mut out = vec![f32::NAN; count * linear.rows()];
    linear.forward_on(level, pool, inputs, &mut out);
    out
}

/// An input as the products of 8-bit integers see it: blocks of 32 rounded to 255 steps.
fn rounded(input: &[f32]) -> Vec<f64> {
    let block = |block: &[f32]| {
        let scale = block.iter().fold(0.0_f32, |max, x| max.max(x.abs())) / 127.0;
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        let values = block.iter().map(move |x| (x * inverse).round_ties_even());
        values
            .map(|value| f64::from(value) * f64::from(scale))
            .collect::<Vec<f64>>()
    };
    input.chunks(32).flat_map(block).collect()
}

/// The products in f64, and how far from them those in f32 may be.
fn oracle(linear: &Linear, inputs: &[f32]) -> Vec<(f64, f64)> {
    let cols = linear.cols();
    let mut rows = vec![0.0; linear.rows() * cols];
    for (index, row) in rows.chunks_exact_mut(cols).enumerate() {
        linear.row(index, row);
    }
    let product = |input: &[f64], row: &[f32]| {
        let terms = input.iter().zip(row).map(|(x, &w)| x * f64::from(w));
        let magnitude: f64 = terms.clone().map(f64::abs).sum();
        let steps = cols as f64 / 8.0 + 20.0;
        (
            terms.sum(),
            steps * magnitude * f64::from(f32::EPSILON) / 2.0,
        )
    };
    let input = |input: &[f32]| match linear.weights {
        Weights::Dense(_) => input.iter().copied().map(f64::from).collect(),
        Weights::Q8_0(_) => rounded(input),
    };
    inputs
        .chunks_exact(cols)
        .map(input)
        .flat_map(|input: Vec<f64>| {
            rows.chunks_exact(cols)
                .map(|row| product(&input, row))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn products_are_those_of_the_oracle_whatever_the_size_and_the_instructions() {
    let pool = Pool::new(2);
    let sizes = [
        (1, 1),
        (1, 33),
        (3, 16),
        (4, 64),
        (5, 37),
        (17, 31),
        (33, 96),
        (66, 130),
        (16, 32),
        (47, 64),
    ];
    for (rows, cols) in sizes.into_iter().chain([(7, 1024), (5, 2100), (70, 1056)]) {
        for linear in matrices(rows, cols) {
            for count in (1..=17).chain([40]) {
                let inputs = values(count * cols, 2);
                let expected = oracle(&linear, &inputs);
                for level in Level::available() {
                    let out = products(&linear, level, &pool, &inputs);
                    for (index, (found, &(wanted, bound))) in out.iter().zip(&expected).enumerate()
                    {
                        let distance = (f64::from(*found) - wanted).abs();
                        assert!(
                            distance <= bound,
                            "{linear:?} {level:?} {count}: output {index} is {found}, not {wanted}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn an_input_gives_the_same_bytes_alone_and_among_others_on_any_number_of_threads() {
    let pools = [1, 2, 7].map(Pool::new);
    let bits = |out: &[f32]| out.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let matrices = [2090, 2112].map(|cols| matrices(150, cols));
    for linear in matrices.into_iter().flatten() {
        let cols = linear.cols();
        for level in Level::available() {
            let inputs = values(200 * cols, 3);
            let all = products(&linear, level, &pools[0], &inputs);
            for count in [1, 2, 5, 8, 17, 200] {
                for pool in &pools {
                    let some = products(&linear, level, pool, &inputs[..count * cols]);
                    assert!(
                        bits(&some) == bits(&all[..count * 150]),
                        "{linear:?} {level:?} {count} on {pool:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_inputs_give_no_outputs() {
    for linear in matrices(3, 40) {
        linear.forward(&Pool::new(2), &[], &mut []);
    }
}

#[test]
fn eight_bits_are_off_by_at_most_half_a_step_and_the_rounding_of_the_scale() {
    let (rows, cols) = (19, 70);
    for scale in [1.0, 1e-3, 1e-7, 0.0, 3e4] {
        let weights: Vec<f32> = values(rows * cols, 4).iter().map(|x| x * scale).collect();
        let source = source(DType::F32, &[19, 70], &weights, false);
        let plain = Linear::open(&source, 0).unwrap();
        let quantized = plain.quantize_q8_0(&Pool::new(2)).unwrap();
        let mut row = vec![0.0; cols];
        for (index, weights) in weights.chunks_exact(cols).enumerate() {
            quantized.row(index, &mut row);
            for (weights, row) in weights.chunks(32).zip(row.chunks(32)) {
                let largest = weights.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
                let step = largest / 127.0;
                let smallest = f16::from_bits(1).to_f32(); // the scale's own step near 0
                let bound = step * 0.501 + (largest / 2048.0).max(127.0 * smallest / 2.0);
                for (weight, found) in weights.iter().zip(row) {
                    assert!((weight - found).abs() <= bound, "{weight} became {found}");
                }
            }
        }
    }
}

#[test]
fn eight_bits_take_seventeen_sixteenths_of_a_byte() {
    let plain = matrix(DType::BF16, 32, 128);
    assert_eq!(plain.bytes(), 32 * 128 * 2);
    let quantized = plain.quantize_q8_0(&Pool::new(1)).unwrap();
    assert_eq!(quantized.bytes(), 32 * 128 / 16 * 17);
    assert_eq!(
        quantized.quantize_q8_0(&Pool::new(1)).unwrap().bytes(),
        quantized.bytes()
    );
}

#[test]
fn what_is_not_a_number_is_not_hidden() {
    let pool = Pool::new(1);
    let bad = [f32::NAN, f32::INFINITY];
    for (bad, cols) in bad.into_iter().flat_map(|bad| [(bad, 40), (bad, 64)]) {
        let mut weights = values(20 * cols, 5);
        weights[7 * cols + 39] = bad;
        for dtype in [DType::F32, DType::BF16] {
            let source = source(dtype, &[20, cols as u64], &weights, false);
            let plain = Linear::open(&source, 0).unwrap();
            for linear in [plain.quantize_q8_0(&pool).unwrap(), plain] {
                for level in Level::available() {
                    let out = products(&linear, level, &pool, &values(cols, 6));
                    let finite = |(row, out): (usize, &f32)| out.is_finite() == (row != 7);
                    assert!(out.iter().enumerate().all(finite), "{linear:?} {level:?}");
                    let mut input = values(cols, 6);
                    input[3] = bad;
                    let out = products(&linear, level, &pool, &input);
                    assert!(out.iter().all(|x| !x.is_finite()), "{linear:?} {level:?}");
                }
            }
        }
    }
}

#[test]
fn lent_memory_is_used_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let weights = values(6 * 50, 1);
    let tensors = [
        ("odd", DType::U8, &[3][..], vec![0.0; 3]),
        ("w", DType::BF16, &[6, 50], weights.clone()),
    ];
    testing::write_checkpoint(folder.path(), &tensors).unwrap();
    let mapped: Arc<dyn TensorSource> = Arc::new(Checkpoint::open(folder.path()).unwrap());
    let linear = Linear::open(&mapped, mapped.find("w").unwrap()).unwrap();
    let Weights::Dense(dense) = &linear.weights else {
        panic!("{linear:?}");
    };
    assert!(dense.is_lent());
    let pool = Pool::new(2);
    let inputs = values(2 * 50, 2);
    let expected = products(
        &matrix(DType::BF16, 6, 50),
        Level::detected(),
        &pool,
        &inputs,
    );
    assert_eq!(
        products(&linear, Level::detected(), &pool, &inputs),
        expected
    );

    let lending = source(DType::BF16, &[6, 50], &weights, true);
    let linear = Linear::open(&lending, 0).unwrap();
    assert_eq!(
        products(&linear, Level::detected(), &pool, &inputs),
        expected
    );
}

#[test]
fn what_is_not_a_matrix_of_floats_is_refused() {
    let open = |dtype, shape: &[u64], count| {
        Linear::open(&source(dtype, shape, &vec![0.0; count], false), 0)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        open(DType::F32, &[3], 3),
        "tensor `w` has shape [3]; a weight matrix has two axes of at least 1"
    );
    assert!(open(DType::BF16, &[0, 3], 0).contains("[0, 3]"));
    assert!(open(DType::I8, &[1, 3], 3).contains("I8"));
}

#[test]
fn lengths_that_do_not_fit_are_a_panic() {
    let pool = Pool::new(2);
    let linear = matrix(DType::BF16, 4, 8);
    for (inputs, out) in [(8, 5), (9, 4), (16, 4), (0, 4)] {
        let (inputs, mut out) = (vec![0.0; inputs], vec![0.0; out]);
        let call = || linear.forward(&pool, &inputs, &mut out);
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    }
    let row = || linear.row(4, &mut [0.0; 8]);
    assert!(catch_unwind(AssertUnwindSafe(row)).is_err());
}
