//! The base moved by a weighted sum of the others' differences to it.

use weightsmith_tensors::{Real, kernels};

use super::{Apply, Tiles, Workspace};

/// W₀ + Σ cᵢ·(Wᵢ − W₀).
///
/// The same as a weighted sum of all inputs, but its error does not grow with the base where the differences are small and
/// their coefficients large, and inputs that equal the base give the base.
#[derive(Debug, Clone)]
pub(super) struct DeltaSum<T> {
    base: usize,
    /// Positions of the others, with their coefficients.
    terms: Vec<(usize, T)>,
}

impl<T: Real> DeltaSum<T> {
    /// With a coefficient for each of the `tuned` sources, each rounded once.
    pub(super) fn of(base: usize, tuned: &[usize], coefficients: &[f64]) -> Self {
        let coefficients = coefficients.iter().map(|c| T::from_f64(*c));
        Self {
            base,
            terms: tuned.iter().copied().zip(coefficients).collect(),
        }
    }
}

impl<T: Real> Apply<T> for DeltaSum<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, out: &mut [T]) {
        let base = tiles.source(self.base);
        let Some((&(first, c), rest)) = self.terms.split_first() else {
            out.copy_from_slice(base);
            return;
        };
        kernels::scale_difference(out, c, tiles.source(first), base);
        for &(position, c) in rest {
            kernels::add_scaled_difference(out, c, tiles.source(position), base);
        }
        // the base last: one rounding at its size instead of one for each term
        kernels::add_scaled(out, T::ONE, base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_weighed_and_added_to_the_base() {
        // base 10, 20; others 11, 18 and 8, 20
        let buffer = [11.0f32, 18.0, 10.0, 20.0, 8.0, 20.0];
        let tiles = Tiles::new(&buffer, 2, 2, 0);
        let mut out = [0.0; 2];
        DeltaSum::of(1, &[0, 2], &[2.0, 0.5]).tile(&tiles, &mut Workspace::default(), &mut out);
        assert_eq!(out, [11.0, 16.0]);
    }
}
