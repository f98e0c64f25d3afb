//! The weights of the models.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Cut, Isa, LANES, load};

use super::Sce;
use super::erase::Mix;
use super::select::{Choice, Everywhere, Where};
use crate::statistic::Sums;
use crate::{Measure, Stage, Tiles, Workspace};

/// Mean squares that sum to less than this say nothing about the models.
pub(super) const INSIGNIFICANT: f64 = 1e-6;

/// Sums up the squares of each model's deltas.
#[derive(Debug)]
pub(super) struct Squares {
    pub(super) sce: Sce,
    /// Everywhere is selected without one.
    pub(super) cut: Option<Cut>,
}

impl<T: Real> Measure<T> for Squares {
    type Found = Sums;

    fn total(&self) -> Self::Found {
        Sums::zeros(self.sce.family.tuned.len())
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Self::Found) {
        let family = &self.sce.family;
        let selected = self
            .cut
            .map(|cut| self.sce.selection(&cut, tiles, &mut room.values));
        let base = tiles.source(family.base);
        for (&source, sum) in family.tuned.iter().zip(&mut found.0) {
            let tuned = tiles.source(source);
            *sum += match selected {
                Some(selected) => sum_squares(base, tuned, Where(selected)),
                None => sum_squares(base, tuned, Everywhere),
            };
        }
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let weights = weights(&found.0, self.sce.elements);
        Stage::apply(Mix {
            sce: self.sce.clone(),
            cut: self.cut,
            weights: weights.into_iter().map(T::from_f64).collect(),
        })
    }
}

/// The models' weights, from their sums of squares over that many positions.
pub(super) fn weights(squares: &[f64], elements: u64) -> Vec<f64> {
    let mean = |sum: &f64| sum / elements.max(1) as f64;
    let total: f64 = squares.iter().map(mean).sum();
    if total < INSIGNIFICANT {
        return vec![1.0 / squares.len() as f64; squares.len()];
    }
    squares.iter().map(|sum| mean(sum) / total).collect()
}

fn sum_squares<T: Real>(base: &[T], tuned: &[T], choice: impl Choice<T>) -> f64 {
    Isa::detected().run(SumSquares {
        base,
        tuned,
        choice,
    })
}

/// Σ Dᵢ² over the positions that are selected.
struct SumSquares<'a, T, C> {
    base: &'a [T],
    tuned: &'a [T],
    choice: C,
}

impl<T: Real, C: Choice<T>> kernels::Kernel for SumSquares<'_, T, C> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [0.0; LANES];
        for first in (0..self.base.len()).step_by(LANES) {
            let base: [T; LANES] = load(self.base, first);
            let tuned: [T; LANES] = load(self.tuned, first);
            let mut deltas = [T::ZERO; LANES];
            for lane in 0..LANES {
                deltas[lane] = tuned[lane] - base[lane];
            }
            let deltas = self.choice.choose(first, deltas, [T::ZERO; LANES]);
            for lane in 0..LANES {
                let delta = deltas[lane].to_f64();
                sums[lane] += delta * delta;
            }
        }
        kernels::add_pairwise(sums)
    }
}
