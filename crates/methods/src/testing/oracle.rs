//! Seeded numbers, and results held against a formula in f64: for tests of methods.

use weightsmith_tensors::Real;

/// `count` numbers between -`size` and `size`.
pub(crate) fn drawn<T: Real>(seed: u64, size: f64, count: usize) -> Vec<T> {
    let mut state = seed;
    (0..count)
        .map(|_| T::from_f64(size * (2.0 * unit(&mut state) - 1.0)))
        .collect()
}

/// A number from 0 to 1 (SplitMix64, <https://doi.org/10.1145/2714064.2660195>).
fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Half a unit in the last place of numbers in [1, 2).
pub(crate) fn half_unit<T: Real>() -> f64 {
    let bits = if size_of::<T>() == 4 { 24 } else { 53 };
    0.5f64.powi(bits)
}

/// a·b as if computed in twice the precision of f64 and rounded once (Dot2, <https://doi.org/10.1137/030601818>).
pub(crate) fn exact_dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sum, mut error) = (0.0f64, 0.0f64);
    for (&a, &b) in a.iter().zip(b) {
        let product = a * b;
        let next = sum + product;
        let taken = next - sum;
        error += (sum - (next - taken)) + (product - taken) + a.mul_add(b, -product);
        sum = next;
    }
    sum + error
}

/// What coefficients that are computed in f64 from sums over the tensor may be off by, in half units of `T`: nothing in f32, a few
/// dozen in f64.
pub(crate) fn coefficient_units<T: Real>() -> f64 {
    if size_of::<T>() == 4 { 0.0 } else { 32.0 }
}

/// Holds each element against `formula`, which gives the exact value and Σ|terms|: they may differ by `k` half units of that
/// sum.
pub(crate) fn check<T: Real>(result: &[T], k: f64, formula: impl Fn(usize) -> (f64, f64)) {
    for (index, value) in result.iter().enumerate() {
        let (expected, terms) = formula(index);
        let error = (value.to_f64() - expected).abs();
        let bound = k * half_unit::<T>() * terms;
        assert!(
            error <= bound,
            "element {index}: {value:?} instead of {expected}, off by {error:e}, where {bound:e} is allowed"
        );
    }
}

/// Holds each element against a value, from which it may differ by `bound`.
pub(crate) fn assert_within(result: &[f64], expected: &[f64], bound: f64) {
    assert_eq!(result.len(), expected.len());
    for (value, expected) in result.iter().zip(expected) {
        assert!(
            (value - expected).abs() <= bound,
            "{value} instead of {expected}"
        );
    }
}
