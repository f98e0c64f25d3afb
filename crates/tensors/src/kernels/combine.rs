//! Element by element: each operation rounds for itself.

use super::{Isa, Kernel};
use crate::Real;

/// `out = c · a`
///
/// # Panics
/// When the lengths differ.
pub fn scale<T: Real>(out: &mut [T], c: T, a: &[T]) {
    scale_on(Isa::detected(), out, c, a);
}

/// [`scale`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn scale_on<T: Real>(isa: Isa, out: &mut [T], c: T, a: &[T]) {
    assert_eq!(out.len(), a.len(), "one result for each element");
    isa.run(Scale { out, c, a });
}

/// `out = out + c · a`, the product rounded before the sum.
///
/// # Panics
/// When the lengths differ.
pub fn add_scaled<T: Real>(out: &mut [T], c: T, a: &[T]) {
    add_scaled_on(Isa::detected(), out, c, a);
}

/// [`add_scaled`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn add_scaled_on<T: Real>(isa: Isa, out: &mut [T], c: T, a: &[T]) {
    assert_eq!(out.len(), a.len(), "one result for each element");
    isa.run(AddScaled { out, c, a });
}

/// `out = s0 · a + s1 · b`, both products rounded before the sum.
///
/// # Panics
/// When the lengths differ.
pub fn lerp_pair<T: Real>(out: &mut [T], s0: T, a: &[T], s1: T, b: &[T]) {
    lerp_pair_on(Isa::detected(), out, s0, a, s1, b);
}

/// [`lerp_pair`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn lerp_pair_on<T: Real>(isa: Isa, out: &mut [T], s0: T, a: &[T], s1: T, b: &[T]) {
    assert_eq!(out.len(), a.len(), "one result for each element");
    assert_eq!(out.len(), b.len(), "one result for each element");
    isa.run(LerpPair { out, s0, a, s1, b });
}

/// Number of NaN and infinite values.
pub fn count_non_finite<T: Real>(values: &[T]) -> u64 {
    count_non_finite_on(Isa::detected(), values)
}

/// [`count_non_finite`] on a given instruction set.
pub fn count_non_finite_on<T: Real>(isa: Isa, values: &[T]) -> u64 {
    isa.run(CountNonFinite { values })
}

struct Scale<'a, T> {
    out: &'a mut [T],
    c: T,
    a: &'a [T],
}

impl<T: Real> Kernel for Scale<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, &a) in self.out.iter_mut().zip(self.a) {
            *out = self.c * a;
        }
    }
}

struct AddScaled<'a, T> {
    out: &'a mut [T],
    c: T,
    a: &'a [T],
}

impl<T: Real> Kernel for AddScaled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, &a) in self.out.iter_mut().zip(self.a) {
            *out += self.c * a;
        }
    }
}

struct LerpPair<'a, T> {
    out: &'a mut [T],
    s0: T,
    a: &'a [T],
    s1: T,
    b: &'a [T],
}

impl<T: Real> Kernel for LerpPair<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &a), &b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *out = self.s0 * a + self.s1 * b;
        }
    }
}

struct CountNonFinite<'a, T> {
    values: &'a [T],
}

impl<T: Real> Kernel for CountNonFinite<'_, T> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut count = 0;
        for values in self.values.chunks(super::TILE) {
            let in_tile: u32 = values
                .iter()
                .map(|value| u32::from(!value.is_finite()))
                .sum();
            count += u64::from(in_tile);
        }
        count
    }
}
