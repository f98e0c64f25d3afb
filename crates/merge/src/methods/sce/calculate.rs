//! The weights of the models.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::array;
use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Cut, Isa, LANES, load};

use super::Sce;
use super::erase::Mix;
use crate::methods::{Gathered, Gathers, Measure, Stage, Statistic, Tiles, Workspace};

/// Mean squares that sum to less than this say nothing about the models.
pub(super) const INSIGNIFICANT: f64 = 1e-6;

/// Sums up the squares of each model's deltas.
#[derive(Debug)]
pub(super) struct Squares {
    pub(super) sce: Sce,
    /// Everything is selected without one.
    pub(super) cut: Option<Cut>,
}

impl<T: Real> Measure<T> for Squares {
    fn gathers(&self) -> Gathers {
        Gathers {
            sums: self.sce.family.tuned.len(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        let family = &self.sce.family;
        let selected = self
            .cut
            .map(|cut| self.sce.selection(&cut, tiles, &mut room.values));
        let base = tiles.source(family.base);
        for (&source, sum) in family.tuned.iter().zip(&mut *found.sums) {
            let tuned = tiles.source(source);
            *sum += match selected {
                Some(selected) => sum_squares(base, tuned, Where(selected)),
                None => sum_squares(base, tuned, Everything),
            };
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

fn sum_squares<T: Real>(base: &[T], tuned: &[T], selection: impl Selects<T>) -> f64 {
    Isa::detected().run(SumSquares {
        base,
        tuned,
        selection,
    })
}

/// Σ Dᵢ² over the positions that are selected.
struct SumSquares<'a, T, S> {
    base: &'a [T],
    tuned: &'a [T],
    selection: S,
}

impl<T: Real, S: Selects<T>> kernels::Kernel for SumSquares<'_, T, S> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut sums = [0.0; LANES];
        for first in (0..self.base.len()).step_by(LANES) {
            let base: [T; LANES] = load(self.base, first);
            let tuned: [T; LANES] = load(self.tuned, first);
            let deltas = array::from_fn(|lane| tuned[lane] - base[lane]);
            let deltas = self.selection.of(first, deltas);
            for lane in 0..LANES {
                let delta = deltas[lane].to_f64();
                sums[lane] += delta * delta;
            }
        }
        kernels::add_pairwise(sums)
    }
}

/// Makes zero what is not selected.
trait Selects<T> {
    /// Of a group, whose place in the tile is `first`.
    fn of(&self, first: usize, group: [T; LANES]) -> [T; LANES];
}

struct Everything;

impl<T> Selects<T> for Everything {
    #[inline(always)]
    fn of(&self, _: usize, group: [T; LANES]) -> [T; LANES] {
        group
    }
}

/// Where these are more than zero.
struct Where<'a, T>(&'a [T]);

impl<T: Real> Selects<T> for Where<'_, T> {
    #[inline(always)]
    fn of(&self, first: usize, group: [T; LANES]) -> [T; LANES] {
        let by: [T; LANES] = load(self.0, first);
        array::from_fn(|lane| {
            if by[lane] > T::ZERO {
                group[lane]
            } else {
                T::ZERO
            }
        })
    }
}
