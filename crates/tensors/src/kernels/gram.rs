//! Products of several vectors with each other, and what a mixture of them measures.

use super::dot::add_pairwise;
use super::{Isa, Kernel, LANES};
use crate::Real;

/// Vectors that are multiplied with each other at a time.
const WIDTH: usize = 3;

/// Adds all products of pairs of vectors to `sums`: 0·0, 0·1, …, 0·(n−1), 1·1, 1·2 and so on, multiplied and summed in
/// `f64`. With an origin, of the vectors' differences to it, which are taken in `f64` too.
///
/// # Panics
/// When lengths differ, or when there are not n(n+1)/2 sums.
pub fn add_products<T: Real>(vectors: &[&[T]], origin: Option<&[T]>, sums: &mut [f64]) {
    add_products_on(Isa::detected(), vectors, origin, sums);
}

/// [`add_products`] on a given instruction set.
///
/// # Panics
/// When lengths differ, or when there are not n(n+1)/2 sums.
pub fn add_products_on<T: Real>(
    isa: Isa,
    vectors: &[&[T]],
    origin: Option<&[T]>,
    sums: &mut [f64],
) {
    let n = vectors.len();
    assert_eq!(sums.len(), n * (n + 1) / 2, "one sum for each pair");
    assert_one_length(vectors, origin);
    for (block, own) in vectors.chunks(WIDTH).enumerate() {
        let first = block * WIDTH;
        for (earlier, others) in vectors[..first].as_chunks::<WIDTH>().0.iter().enumerate() {
            for (i, one) in own.iter().enumerate() {
                for (k, sum) in isa
                    .run(Dots {
                        one,
                        others: *others,
                        origin,
                    })
                    .into_iter()
                    .enumerate()
                {
                    sums[pair(n, earlier * WIDTH + k, first + i)] += sum;
                }
            }
        }
        let mut add = |products: &[f64]| {
            let pairs = (0..own.len()).flat_map(|i| (i..own.len()).map(move |j| (i, j)));
            for ((i, j), product) in pairs.zip(products) {
                sums[pair(n, first + i, first + j)] += product;
            }
        };
        match *own {
            [a] => add(&isa.run(Triangle::<T, 1, 1> {
                vectors: [a],
                origin,
            })),
            [a, b] => add(&isa.run(Triangle::<T, 2, 3> {
                vectors: [a, b],
                origin,
            })),
            [a, b, c] => add(&isa.run(Triangle::<T, 3, 6> {
                vectors: [a, b, c],
                origin,
            })),
            _ => {}
        }
    }
}

/// Where the sum of a pair of `n` vectors lies; `i` is not more than `j`.
pub const fn pair(n: usize, i: usize, j: usize) -> usize {
    i * (2 * n + 1 - i) / 2 + (j - i)
}

/// The square of the length of Σ cᵢ·vᵢ, each element computed in `f64`; with an origin, of Σ cᵢ·(vᵢ − origin).
///
/// Where vectors nearly cancel this is exact when the same from their products is noise.
///
/// # Panics
/// When lengths differ, or when there is not one coefficient for each vector.
pub fn square_of_sum<T: Real>(vectors: &[&[T]], coefficients: &[f64], origin: Option<&[T]>) -> f64 {
    square_of_sum_on(Isa::detected(), vectors, coefficients, origin)
}

/// [`square_of_sum`] on a given instruction set.
///
/// # Panics
/// When lengths differ, or when there is not one coefficient for each vector.
pub fn square_of_sum_on<T: Real>(
    isa: Isa,
    vectors: &[&[T]],
    coefficients: &[f64],
    origin: Option<&[T]>,
) -> f64 {
    assert_eq!(
        vectors.len(),
        coefficients.len(),
        "one coefficient for each"
    );
    assert_one_length(vectors, origin);
    isa.run(SquareOfSum {
        vectors,
        coefficients,
        origin,
    })
}

fn assert_one_length<T>(vectors: &[&[T]], origin: Option<&[T]>) {
    let mut all = vectors.iter().copied().chain(origin);
    let len = all.next().map_or(0, <[T]>::len);
    assert!(
        all.all(|vector| vector.len() == len),
        "all vectors have one length"
    );
}

/// One vector's products with `N` others.
struct Dots<'a, T, const N: usize> {
    one: &'a [T],
    others: [&'a [T]; N],
    origin: Option<&'a [T]>,
}

impl<T: Real, const N: usize> Dots<'_, T, N> {
    #[inline(always)]
    fn add(
        sums: &mut [[f64; LANES]; N],
        one: &[T; LANES],
        others: [&[T; LANES]; N],
        origin: &[T; LANES],
    ) {
        for lane in 0..LANES {
            let origin = origin[lane].to_f64();
            let one = one[lane].to_f64() - origin;
            for k in 0..N {
                sums[k][lane] += one * (others[k][lane].to_f64() - origin);
            }
        }
    }
}

impl<T: Real, const N: usize> Kernel for Dots<'_, T, N> {
    type Output = [f64; N];

    #[inline(always)]
    fn run(self) -> [f64; N] {
        let mut sums = [[0.0; LANES]; N];
        let count = self.one.len() / LANES;
        let (ones, end) = rows(self.one, count);
        let others = self.others.map(|other| rows(other, count));
        let origin = Origin::new(self.origin, count);
        for i in 0..count {
            let others = others.map(|(rows, _)| &rows[i]);
            Self::add(&mut sums, &ones[i], others, origin.row(i));
        }
        let ends = others.map(|(_, end)| end);
        Self::add(&mut sums, &end, ends.each_ref(), &origin.end);
        sums.map(add_pairwise)
    }
}

/// The products of all pairs of `N` vectors, of which there are `P`.
struct Triangle<'a, T, const N: usize, const P: usize> {
    vectors: [&'a [T]; N],
    origin: Option<&'a [T]>,
}

impl<T: Real, const N: usize, const P: usize> Triangle<'_, T, N, P> {
    #[inline(always)]
    fn add(sums: &mut [[f64; LANES]; P], vectors: [&[T; LANES]; N], origin: &[T; LANES]) {
        for lane in 0..LANES {
            let origin = origin[lane].to_f64();
            let mut values = [0.0; N];
            for k in 0..N {
                values[k] = vectors[k][lane].to_f64() - origin;
            }
            let mut next = 0;
            for i in 0..N {
                for j in i..N {
                    sums[next][lane] += values[i] * values[j];
                    next += 1;
                }
            }
        }
    }
}

impl<T: Real, const N: usize, const P: usize> Kernel for Triangle<'_, T, N, P> {
    type Output = [f64; P];

    #[inline(always)]
    fn run(self) -> [f64; P] {
        let mut sums = [[0.0; LANES]; P];
        let count = self.vectors[0].len() / LANES;
        let vectors = self.vectors.map(|vector| rows(vector, count));
        let origin = Origin::new(self.origin, count);
        for i in 0..count {
            let vectors = vectors.map(|(rows, _)| &rows[i]);
            Self::add(&mut sums, vectors, origin.row(i));
        }
        let ends = vectors.map(|(_, end)| end);
        Self::add(&mut sums, ends.each_ref(), &origin.end);
        sums.map(add_pairwise)
    }
}

/// What vectors are relative to; zeros, which change none, where there is nothing.
struct Origin<'a, T> {
    rows: Option<&'a [[T; LANES]]>,
    zeros: [T; LANES],
    end: [T; LANES],
}

impl<'a, T: Real> Origin<'a, T> {
    #[inline(always)]
    fn new(origin: Option<&'a [T]>, count: usize) -> Self {
        let zeros = [T::ZERO; LANES];
        match origin.map(|origin| rows(origin, count)) {
            Some((rows, end)) => Self {
                rows: Some(rows),
                zeros,
                end,
            },
            None => Self {
                rows: None,
                zeros,
                end: zeros,
            },
        }
    }

    #[inline(always)]
    fn row(&self, i: usize) -> &[T; LANES] {
        match self.rows {
            Some(rows) => &rows[i],
            None => &self.zeros,
        }
    }
}

struct SquareOfSum<'a, T> {
    vectors: &'a [&'a [T]],
    coefficients: &'a [f64],
    origin: Option<&'a [T]>,
}

impl<T: Real> SquareOfSum<'_, T> {
    /// Adds the squares of up to [`LANES`] elements of the mixture.
    #[inline(always)]
    fn add(&self, lanes: &mut [f64; LANES], range: std::ops::Range<usize>) {
        let origin = match self.origin {
            Some(origin) => in_f64(&padded(&origin[range.clone()])),
            None => [0.0; LANES],
        };
        let mut mixed = [0.0; LANES];
        for (vector, &c) in self.vectors.iter().zip(self.coefficients) {
            let values = in_f64(&padded(&vector[range.clone()]));
            add(&mut mixed, [c; LANES], minus(values, origin));
        }
        add(lanes, mixed, mixed);
    }
}

impl<T: Real> Kernel for SquareOfSum<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let len = self.vectors.first().map_or(0, |vector| vector.len());
        let mut lanes = [0.0; LANES];
        let whole = len / LANES * LANES;
        for start in (0..whole).step_by(LANES) {
            self.add(&mut lanes, start..start + LANES);
        }
        self.add(&mut lanes, whole..len);
        add_pairwise(lanes)
    }
}

/// `count` whole rows, and the rest; a count that all vectors share spares the loop its bounds checks.
#[inline(always)]
fn rows<T: Real>(vector: &[T], count: usize) -> (&[[T; LANES]], [T; LANES]) {
    let (rows, rest) = vector.as_chunks();
    (&rows[..count], padded(rest))
}

/// Fills up with zeros, which change no sum.
#[inline(always)]
fn padded<T: Real>(rest: &[T]) -> [T; LANES] {
    let mut lanes = [T::ZERO; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

#[inline(always)]
fn in_f64<T: Real>(values: &[T; LANES]) -> [f64; LANES] {
    let mut wide = [0.0; LANES];
    for lane in 0..LANES {
        wide[lane] = values[lane].to_f64();
    }
    wide
}

#[inline(always)]
fn minus(mut a: [f64; LANES], b: [f64; LANES]) -> [f64; LANES] {
    for lane in 0..LANES {
        a[lane] -= b[lane];
    }
    a
}

#[inline(always)]
fn add(lanes: &mut [f64; LANES], a: [f64; LANES], b: [f64; LANES]) {
    for lane in 0..LANES {
        lanes[lane] += a[lane] * b[lane];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pairs_come_row_by_row_and_are_added() {
        let vectors: [&[f32]; 4] = [&[1.0, 2.0], &[3.0, 0.0], &[-1.0, 1.0], &[0.0, 5.0]];
        let mut sums = [0.5; 10];
        add_products(&vectors, None, &mut sums);
        let products = [5.0, 3.0, 1.0, 10.0, 9.0, -3.0, 0.0, 2.0, 5.0, 25.0];
        assert_eq!(sums, products.map(|product| product + 0.5));
    }

    #[test]
    fn differences_to_the_origin_are_multiplied() {
        let vectors: [&[f32]; 2] = [&[2.0, 3.0], &[1.0, 1.0]];
        let mut sums = [0.0; 3];
        add_products(&vectors, Some(&[1.0, 1.0]), &mut sums);
        assert_eq!(sums, [5.0, 0.0, 0.0]);
    }

    #[test]
    fn every_element_counts_once_whatever_the_length() {
        for len in [0usize, 1, 15, 16, 17, 47, 48, 100] {
            let a: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let b = vec![2.0; len];
            let mut sums = [0.0; 3];
            add_products(&[&a, &b], Some(&vec![1.0; len]), &mut sums);
            let expected = (0..len).map(|i| i as f64 - 1.0).sum::<f64>();
            assert_eq!(sums[1..], [expected, len as f64], "{len} elements");
            let square = square_of_sum(&[&a, &b], &[1.0, -1.0], Some(&a));
            let expected = (0..len).map(|i| (i as f64 - 2.0).powi(2)).sum::<f64>();
            assert_eq!(square, expected, "{len} elements");
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let draw = |seed: u32| -> Vec<f32> {
            (0..2085u32)
                .map(|i| (i.wrapping_mul(seed) % 1009) as f32 / 7.0 - 60.0)
                .collect()
        };
        let [a, b, c, d, e] = [7919, 104_729, 1_299_709, 15_485_863, 32_452_843].map(draw);
        let vectors: [&[f32]; 4] = [&a, &b, &c, &d];
        for origin in [None, Some(e.as_slice())] {
            let mut first = [0.0; 10];
            add_products_on(Isa::PORTABLE, &vectors, origin, &mut first);
            let coefficients = [0.3, -0.7, 0.2, 1.1];
            let square = square_of_sum_on(Isa::PORTABLE, &vectors, &coefficients, origin);
            for isa in Isa::available() {
                let mut sums = [0.0; 10];
                add_products_on(isa, &vectors, origin, &mut sums);
                assert_eq!(sums, first, "{isa}");
                let other = square_of_sum_on(isa, &vectors, &coefficients, origin);
                assert_eq!(other, square, "{isa}");
            }
        }
    }

    #[test]
    fn opposite_vectors_cancel_to_the_last_bit() {
        let a: Vec<f32> = (1..100u16).map(|i| 1.0 / f32::from(i)).collect();
        let b: Vec<f32> = a.iter().map(|x| -2.0 * x).collect();
        assert_eq!(square_of_sum(&[&a, &b], &[2.0, 1.0], None), 0.0);
    }
}
