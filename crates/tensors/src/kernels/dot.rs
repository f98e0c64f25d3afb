//! Sums of products.

use super::{Isa, Kernel};
use crate::Real;

/// Accumulators of a sum: element `i` goes to accumulator `i % LANES`, and at the end they are added pairwise.
pub const LANES: usize = 16;

/// `[a·a, b·b, a·b]`, multiplied and summed in `f64`. Products of `f32` values are exact.
///
/// # Panics
/// When the lengths differ.
pub fn dot3<T: Real>(a: &[T], b: &[T]) -> [f64; 3] {
    dot3_on(Isa::detected(), a, b)
}

/// [`dot3`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn dot3_on<T: Real>(isa: Isa, a: &[T], b: &[T]) -> [f64; 3] {
    assert_eq!(a.len(), b.len(), "both sides of a product have one length");
    isa.run(Dot3 { a, b })
}

struct Dot3<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

impl<T: Real> Kernel for Dot3<'_, T> {
    type Output = [f64; 3];

    #[inline(always)]
    fn run(self) -> [f64; 3] {
        let (a_rows, a_rest) = self.a.as_chunks::<LANES>();
        let (b_rows, b_rest) = self.b.as_chunks::<LANES>();
        let mut sums = [[0.0_f64; LANES]; 3];
        for (a, b) in a_rows.iter().zip(b_rows) {
            add_products(&mut sums, a, b);
        }
        // zeros at the end change no sum: +0 + x is x for every x that a sum starting at +0 can be
        let (mut a, mut b) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        a[..a_rest.len()].copy_from_slice(a_rest);
        b[..b_rest.len()].copy_from_slice(b_rest);
        add_products(&mut sums, &a, &b);
        sums.map(add_pairwise)
    }
}

#[inline(always)]
fn add_products<T: Real>(sums: &mut [[f64; LANES]; 3], a: &[T; LANES], b: &[T; LANES]) {
    let [aa, bb, ab] = sums;
    for lane in 0..LANES {
        let (a, b) = (a[lane].to_f64(), b[lane].to_f64());
        aa[lane] += a * a;
        bb[lane] += b * b;
        ab[lane] += a * b;
    }
}

/// Adds the second half to the first until one is left.
#[inline(always)]
pub(super) fn add_pairwise(mut lanes: [f64; LANES]) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
