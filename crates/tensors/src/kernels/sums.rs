//! Sums over a tile, in `f64`: element `i` goes to accumulator `i % LANES`, and at the end they are added pairwise.

use super::dot::{LANES, add_pairwise};
use super::selection::Belongs;
use super::{Cut, Isa, Kernel};
use crate::Real;

/// The sum of the magnitudes.
pub fn sum_abs<T: Real>(values: &[T]) -> f64 {
    sum_abs_on(Isa::detected(), values)
}

/// [`sum_abs`] on a given instruction set.
pub fn sum_abs_on<T: Real>(isa: Isa, values: &[T]) -> f64 {
    isa.run(Sum {
        values,
        term: |x: f64| x.abs(),
    })
}

/// The sum of the squares; those of `f32` values are exact.
pub fn sum_squares<T: Real>(values: &[T]) -> f64 {
    sum_squares_on(Isa::detected(), values)
}

/// [`sum_squares`] on a given instruction set.
pub fn sum_squares_on<T: Real>(isa: Isa, values: &[T]) -> f64 {
    isa.run(Sum {
        values,
        term: |x: f64| x * x,
    })
}

/// The sum of the magnitudes of what belongs to a cut: that of the tile after [`keep`](super::keep), to the last bit.
pub fn sum_abs_kept<T: Real>(cut: &Cut, tile: u64, values: &[T]) -> f64 {
    sum_abs_kept_on(Isa::detected(), cut, tile, values)
}

/// [`sum_abs_kept`] on a given instruction set.
pub fn sum_abs_kept_on<T: Real>(isa: Isa, cut: &Cut, tile: u64, values: &[T]) -> f64 {
    if let Some(floor) = cut.floor::<T::Key>(tile) {
        return isa.run(SumAbove { values, floor });
    }
    let mut belongs = Belongs::new(cut, tile);
    let mut sums = [0.0; LANES];
    for (index, value) in values.iter().enumerate() {
        if belongs.next(value.key()) {
            sums[index % LANES] += value.to_f64().abs();
        }
    }
    add_pairwise(sums)
}

/// The sum of the products; those of `f32` values are exact.
///
/// # Panics
/// When the lengths differ.
pub fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    dot_on(Isa::detected(), a, b)
}

/// [`dot`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn dot_on<T: Real>(isa: Isa, a: &[T], b: &[T]) -> f64 {
    assert_eq!(a.len(), b.len(), "both sides of a product have one length");
    isa.run(Dot { a, b })
}

struct Sum<'a, T, F> {
    values: &'a [T],
    term: F,
}

impl<T: Real, F: Fn(f64) -> f64> Kernel for Sum<'_, T, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let (rows, rest) = self.values.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for row in rows {
            for lane in 0..LANES {
                sums[lane] += (self.term)(row[lane].to_f64());
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum += (self.term)(value.to_f64());
        }
        add_pairwise(sums)
    }
}

struct SumAbove<'a, T: Real> {
    values: &'a [T],
    floor: T::Key,
}

impl<T: Real> Kernel for SumAbove<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let term = |value: T| {
            let kept = value.key() > self.floor;
            if kept { value.to_f64().abs() } else { 0.0 }
        };
        let (rows, rest) = self.values.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for row in rows {
            for lane in 0..LANES {
                sums[lane] += term(row[lane]);
            }
        }
        for (sum, &value) in sums.iter_mut().zip(rest) {
            *sum += term(value);
        }
        add_pairwise(sums)
    }
}

struct Dot<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

impl<T: Real> Kernel for Dot<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let (a_rows, a_rest) = self.a.as_chunks::<LANES>();
        let (b_rows, b_rest) = self.b.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for (a, b) in a_rows.iter().zip(b_rows) {
            for lane in 0..LANES {
                sums[lane] += a[lane].to_f64() * b[lane].to_f64();
            }
        }
        for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
            *sum += a.to_f64() * b.to_f64();
        }
        add_pairwise(sums)
    }
}
