//! Differences to an origin, element by element: each operation rounds for itself.

use super::{Isa, Kernel};
use crate::Real;

/// `out = c · (a − origin)`
///
/// # Panics
/// When the lengths differ.
pub fn scale_difference<T: Real>(out: &mut [T], c: T, a: &[T], origin: &[T]) {
    scale_difference_on(Isa::detected(), out, c, a, origin);
}

/// [`scale_difference`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn scale_difference_on<T: Real>(isa: Isa, out: &mut [T], c: T, a: &[T], origin: &[T]) {
    assert_eq!(out.len(), a.len(), "one result for each element");
    assert_eq!(out.len(), origin.len(), "one result for each element");
    isa.run(ScaleDifference { out, c, a, origin });
}

/// `out = out + c · (a − origin)`, the difference and the product rounded before the sum.
///
/// # Panics
/// When the lengths differ.
pub fn add_scaled_difference<T: Real>(out: &mut [T], c: T, a: &[T], origin: &[T]) {
    add_scaled_difference_on(Isa::detected(), out, c, a, origin);
}

/// [`add_scaled_difference`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn add_scaled_difference_on<T: Real>(isa: Isa, out: &mut [T], c: T, a: &[T], origin: &[T]) {
    assert_eq!(out.len(), a.len(), "one result for each element");
    assert_eq!(out.len(), origin.len(), "one result for each element");
    isa.run(AddScaledDifference { out, c, a, origin });
}

struct ScaleDifference<'a, T> {
    out: &'a mut [T],
    c: T,
    a: &'a [T],
    origin: &'a [T],
}

impl<T: Real> Kernel for ScaleDifference<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &a), &origin) in self.out.iter_mut().zip(self.a).zip(self.origin) {
            *out = self.c * (a - origin);
        }
    }
}

struct AddScaledDifference<'a, T> {
    out: &'a mut [T],
    c: T,
    a: &'a [T],
    origin: &'a [T],
}

impl<T: Real> Kernel for AddScaledDifference<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &a), &origin) in self.out.iter_mut().zip(self.a).zip(self.origin) {
            *out += self.c * (a - origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_scaled_and_added_on_every_instruction_set() {
        let origin: Vec<f32> = (0..37u8).map(f32::from).collect();
        let a: Vec<f32> = origin.iter().map(|x| 3.0 * x + 1.0).collect();
        for isa in Isa::available() {
            let mut out = vec![0.0; 37];
            scale_difference_on(isa, &mut out, 2.0, &a, &origin);
            add_scaled_difference_on(isa, &mut out, 0.5, &a, &origin);
            for (i, value) in out.iter().enumerate() {
                assert_eq!(*value, 2.5 * (2.0 * i as f32 + 1.0), "{isa}");
            }
        }
    }
}
