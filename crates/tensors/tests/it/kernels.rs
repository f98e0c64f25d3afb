//! Kernels: their definitions, and the same bytes on every instruction set.

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{
    Isa, LANES, TILE, add_scaled_on, count_non_finite, count_non_finite_on, dot3, dot3_on,
    lerp_pair_on, scale_on,
};

use crate::random::Random;

const COUNT: usize = (1 << 20) + 13;

fn singles(seed: u64) -> Vec<f32> {
    Random(seed).unit_f32(COUNT)
}

fn doubles(seed: u64) -> Vec<f64> {
    let mut random = Random(seed);
    random
        .unit_f32(COUNT)
        .into_iter()
        .map(|x| f64::from(x) + 2.0_f64.powi(-40) * (random.bits() % 1024) as f64)
        .collect()
}

/// The documented order of a sum: accumulator `i % LANES`, then pairwise.
fn sum_in_lanes(products: impl Iterator<Item = f64>) -> f64 {
    let mut lanes = [0.0; LANES];
    for (index, product) in products.enumerate() {
        lanes[index % LANES] += product;
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

fn check_dot3<T: Real>(a: &[T], b: &[T]) {
    for length in [0, 1, 15, 16, 17, TILE - 1, TILE, COUNT] {
        let (a, b) = (&a[..length], &b[..length]);
        let product =
            |x: &[T], y: &[T]| sum_in_lanes(x.iter().zip(y).map(|(x, y)| x.to_f64() * y.to_f64()));
        let expected = [product(a, a), product(b, b), product(a, b)].map(f64::to_bits);
        for isa in Isa::available() {
            assert_eq!(
                dot3_on(isa, a, b).map(f64::to_bits),
                expected,
                "{isa} {length}"
            );
        }
    }
}

#[test]
fn dot3_gives_the_documented_sums_everywhere() {
    assert_eq!(
        dot3(&[1.0_f32, 2.0, 3.0], &[4.0, -5.0, 6.0]),
        [14.0, 77.0, 12.0]
    );
    check_dot3(&singles(1), &singles(2));
    check_dot3(&doubles(3), &doubles(4));
}

fn check_elementwise<T: Real>(a: &[T], b: &[T], c0: T, c1: T) {
    for isa in Isa::available() {
        let mut out = vec![T::ZERO; COUNT];
        scale_on(isa, &mut out, c0, a);
        assert!((0..COUNT).all(|i| out[i] == c0 * a[i]), "scale on {isa}");
        add_scaled_on(isa, &mut out, c1, b);
        assert!(
            (0..COUNT).all(|i| out[i] == c0 * a[i] + c1 * b[i]),
            "add_scaled on {isa}"
        );
        let mut pair = vec![T::ZERO; COUNT];
        lerp_pair_on(isa, &mut pair, c0, a, c1, b);
        assert!(pair == out, "lerp_pair on {isa}");
    }
}

#[test]
fn elementwise_kernels_round_each_operation_by_itself() {
    check_elementwise(&singles(5), &singles(6), 0.3, -1.7);
    check_elementwise(&doubles(7), &doubles(8), 0.3, -1.7);
    // (1 + 2^-12)² is 1 + 2^-11 + 2^-24: rounded before -1 is added, fused not
    let x = 1.0 + 2.0_f32.powi(-12);
    for isa in Isa::available() {
        let mut out = [-1.0_f32];
        add_scaled_on(isa, &mut out, x, &[x]);
        assert_eq!(out, [2.0_f32.powi(-11)], "{isa}");
    }
}

#[test]
fn non_finite_values_are_counted_everywhere() {
    assert_eq!(
        count_non_finite(&[1.0_f64, f64::NAN, f64::INFINITY, -f64::INFINITY, f64::MAX]),
        3
    );
    let mut random = Random(9);
    let values: Vec<f32> = (0..COUNT)
        .map(|_| f32::from_bits(random.bits() as u32))
        .collect();
    let expected = values.iter().filter(|x| !x.is_finite()).count() as u64;
    assert!(expected > 4000, "one in 256 random patterns");
    for isa in Isa::available() {
        assert_eq!(count_non_finite_on(isa, &values), expected, "{isa}");
    }
}

#[test]
fn the_best_instruction_set_is_detected() {
    let available = Isa::available();
    assert_eq!(available.first(), Some(&Isa::PORTABLE));
    assert_eq!(available.last(), Some(&Isa::detected()));
}
