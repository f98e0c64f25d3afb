//! The weights of the models.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Isa, LANES, load};

use super::Sce;
use super::erase::Mix;
use super::select::Cut;
use crate::methods::order_statistic::Bits;
use crate::methods::{Gathered, Gathers, Measure, Stage, Statistic, Tiles, Workspace};

/// Mean squares that sum to less than this say nothing about the models.
pub(super) const INSIGNIFICANT: f64 = 1e-6;

/// Sums up the squares of each model's deltas.
#[derive(Debug)]
pub(super) struct Squares<T> {
    pub(super) sce: Sce,
    /// Everything is selected without one.
    pub(super) cut: Option<Cut<T>>,
}

impl<T: Bits> Measure<T> for Squares<T> {
    fn gathers(&self) -> Gathers {
        Gathers {
            sums: self.sce.family.tuned.len(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        self.sce
            .selection(self.cut.as_ref(), tiles, &mut room.values);
        let base = tiles.source(self.sce.family.base);
        for (&source, sum) in self.sce.family.tuned.iter().zip(&mut *found.sums) {
            *sum += Isa::detected().run(SumSquares {
                base,
                tuned: tiles.source(source),
                selected: &room.values,
            });
        }
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let weights = weights(&statistic.sums, self.sce.elements);
        Stage::Apply(Arc::new(Mix {
            sce: self.sce.clone(),
            cut: self.cut,
            weights: weights.into_iter().map(T::from_f64).collect(),
        }))
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

struct SumSquares<'a, T> {
    base: &'a [T],
    tuned: &'a [T],
    /// 1 or 0
    selected: &'a [T],
}

impl<T: Real> kernels::Kernel for SumSquares<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [0.0; LANES];
        for first in (0..self.base.len()).step_by(LANES) {
            let base: [T; LANES] = load(self.base, first);
            let tuned: [T; LANES] = load(self.tuned, first);
            let selected: [T; LANES] = load(self.selected, first);
            for i in 0..LANES {
                let delta = ((tuned[i] - base[i]) * selected[i]).to_f64();
                sums[i] += delta * delta;
            }
        }
        kernels::add_pairwise(sums)
    }
}
