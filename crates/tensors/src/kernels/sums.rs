//! Sums over a tile, in `f64`: element `i` goes to accumulator `i % LANES`, and at the end they are added pairwise.

use super::dot::{LANES, add_pairwise};
use super::{Isa, Kernel};
use crate::Real;

/// The sum of the magnitudes.
pub fn sum_abs<T: Real>(values: &[T]) -> f64 {
    sum_abs_on(Isa::detected(), values)
}

/// [`sum_abs`] on a given instruction set.
pub fn sum_abs_on<T: Real>(isa: Isa, values: &[T]) -> f64 {
    isa.run(SumAbs(values))
}

struct SumAbs<'a, T>(&'a [T]);

impl<T: Real> Kernel for SumAbs<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let (rows, rest) = self.0.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for row in rows {
            for lane in 0..LANES {
                sums[lane] += row[lane].to_f64().abs();
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum += value.to_f64().abs();
        }
        add_pairwise(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_added_lane_by_lane_on_every_instruction_set() {
        for len in [0, 1, 15, 16, 17, 2048, 2049] {
            let values: Vec<f32> = (0..len)
                .map(|i: u16| 0.1 * (f32::from(i % 31) - 15.0))
                .collect();
            let mut sums = [0.0; LANES];
            for (index, value) in values.iter().enumerate() {
                sums[index % LANES] += f64::from(value.abs());
            }
            for isa in Isa::available() {
                assert_eq!(sum_abs_on(isa, &values), add_pairwise(sums), "{isa} {len}");
            }
        }
    }
}
