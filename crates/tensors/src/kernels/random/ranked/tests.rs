//! Against ranks by a stable sort and one draw for each element, on every instruction set.

use proptest::prelude::*;

use super::{Places, RankedScratch, keep_by_rank_at_on};
use crate::Real;
use crate::kernels::{Isa, Stream, philox4x32};

const STREAM: Stream = Stream {
    seed: 0x0123_4567_89ab_cdef,
    id: 0xfedc_ba98_7654_3210,
};

/// The bits of what is left of a row.
fn expected<T: Real>(places: Places, density: f64, epsilon: f64, row: &[T]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[a].key().cmp(&row[b].key()));
    let step = match row.len() {
        0 | 1 => 0.0,
        n => 2.0 * epsilon / (n - 1) as f64,
    };
    let mut left = vec![0; row.len()];
    for (rank, &index) in order.iter().enumerate() {
        let place = places
            .first
            .wrapping_add((index as u64).wrapping_mul(places.stride));
        let word = word(place);
        let probability = if row.len() == 1 {
            density
        } else {
            (density - epsilon) + step * rank as f64
        };
        if f64::from(word) < probability * 4_294_967_296.0 || row[index].to_f64() == 0.0 {
            left[index] = row[index].to_f64().to_bits();
        }
    }
    left
}

fn word(index: u64) -> u32 {
    let counter = index / 4;
    let counter = [
        counter as u32,
        (counter >> 32) as u32,
        STREAM.id as u32,
        (STREAM.id >> 32) as u32,
    ];
    let key = [STREAM.seed as u32, (STREAM.seed >> 32) as u32];
    philox4x32(counter, key)[(index % 4) as usize]
}

fn check<T: Real>(places: Places, density: f64, epsilon: f64, row: &[T]) {
    let expected = expected(places, density, epsilon, row);
    let mut scratch = RankedScratch::default();
    for isa in Isa::available() {
        let mut left = row.to_vec();
        keep_by_rank_at_on(
            isa,
            STREAM,
            places,
            density,
            epsilon,
            &mut left,
            &mut scratch,
        );
        let left: Vec<u64> = left.iter().map(|x| x.to_f64().to_bits()).collect();
        assert!(
            left == expected,
            "{isa}: {} of {} differ",
            left.iter().zip(&expected).filter(|(a, b)| a != b).count(),
            row.len()
        );
    }
}

/// A number from a random one, of one of several kinds of distribution.
fn value(kind: u32, bits: u64) -> f64 {
    let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
    let rare = (bits >> 1).is_multiple_of(64);
    sign * match kind {
        // over many powers of two
        1 => (60.0 * (unit - 0.5)).exp2() * (1.0 + unit),
        // few numbers, many zeros
        2 => f64::from((8.0 * unit) as u32) * 0.125,
        // differences of numbers with 8 significant bits
        3 => f64::from((unit * unit * 300.0) as u32) * (-12.0_f64).exp2(),
        // some that share their bin with others
        4 if rare => 0.25 * (1.0 + unit * 1e-6),
        4 => 0.25 + 0.25 * f64::from((2.0 * unit) as u32),
        // one far above all others
        5 if rare => 1e30,
        5 => 1.0 + 1e-5 * unit,
        6 if rare => f64::NAN,
        6 if unit < 0.02 => f64::INFINITY,
        0 | 6 => unit,
        8 => 0.7,
        9 if rare => f64::from(f32::from_bits(1 + (unit * 100.0) as u32)),
        _ => 0.0,
    }
}

fn row(kind: u32, length: usize, seed: u64) -> Vec<f64> {
    let numbers = (0..length as u32).map(|index| {
        let [low, high, ..] = philox4x32([index, 0, 0, 0], [seed as u32, (seed >> 32) as u32]);
        u64::from(low) | u64::from(high) << 32
    });
    numbers.map(|bits| value(kind, bits)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn what_is_left_is_what_a_sort_leaves(
        kind in 0_u32..10,
        length in prop_oneof![1_usize..70, 1_usize..5000],
        seed: u64,
        first in prop_oneof![0_u64..9, any::<u64>()],
        stride in prop_oneof![Just(1_u64), 0_u64..9, any::<u64>()],
        density in prop_oneof![0.01..0.99, Just(0.5)],
        epsilon in prop_oneof![Just(0.0), Just(0.15), Just(0.49), 0.0..0.6, -0.3..0.0],
    ) {
        let row = row(kind, length, seed);
        let places = Places { first, stride };
        check(places, density, epsilon, &row);
        let row: Vec<f32> = row.iter().map(|&x| x as f32).collect();
        check(places, density, epsilon, &row);
    }
}

#[test]
fn probabilities_may_be_anything() {
    for probability in [
        -1.0,
        0.0,
        0.5,
        0.75,
        1.0,
        2.0,
        f64::INFINITY,
        f64::NAN,
        1e-10,
    ] {
        for epsilon in [0.0, 0.2, 0.25, 0.5, 3.0, f64::INFINITY, f64::NAN, -3.0] {
            let row: Vec<f32> = row(0, 200, 5).iter().map(|&x| x as f32).collect();
            let places = Places {
                first: 3,
                stride: 1,
            };
            check(places, probability, epsilon, &row);
        }
    }
}

#[test]
fn a_row_may_be_empty_alone_or_long() {
    let places = Places {
        first: 1,
        stride: 1,
    };
    check::<f32>(places, 0.5, 0.2, &[]);
    for index in 0..50 {
        let places = Places {
            first: index,
            stride: 1,
        };
        check(places, 0.5, 0.2, &[1.0_f32]);
    }
    for length in [65_535, 65_536, 100_000] {
        let row: Vec<f32> = row(3, length, 5).iter().map(|&x| x as f32).collect();
        check(places, 0.5, 0.2, &row);
    }
}
