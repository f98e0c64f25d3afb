//! The positions on which the models differ most.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::ops::Range;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Cut, Isa, LANES, Search, TILE, load, store};

use super::Sce;
use super::calculate::Squares;
use super::erase::Mix;
use crate::statistic::Tallies;
use crate::{Measure, Memory, Stage, Tiles, Workspace};

/// Searches for the least variance that is selected.
#[derive(Debug, Clone)]
pub(super) struct Selection<T: Real> {
    sce: Sce,
    search: Search<T>,
}

impl<T: Real> Selection<T> {
    /// More passes than it takes.
    pub(super) const MOST_PASSES: usize = Search::<T>::MOST_PASSES;

    /// The first pass: how many positions are selected is known once those are counted where the models differ.
    pub(super) fn begin(sce: Sce) -> Stage<T> {
        let search = Search::for_share_of_nonzero(sce.elements, sce.share);
        Self { sce, search }.stage()
    }

    /// Memory for that many elements: the tallies, and the variances of a tile.
    pub(super) fn memory(elements: u64) -> Memory {
        let tally = Search::<T>::tally_bytes(elements, 1);
        Memory {
            worker: tally + (TILE * size_of::<T>()) as u64,
            shared: tally,
        }
    }

    /// Another pass, or what comes after the last one.
    fn stage(self) -> Stage<T> {
        match self.search.cuts().as_deref() {
            None => Stage::measure(self),
            Some(&[Cut::NONE]) => Mix::nothing(self.sce),
            Some(cuts) => Stage::measure(Squares {
                sce: self.sce,
                cut: cuts.first().copied(),
            }),
        }
    }
}

impl<T: Real> Measure<T> for Selection<T> {
    type Found = Tallies;

    fn total(&self) -> Self::Found {
        Tallies(vec![self.search.tally()])
    }

    fn parts(&self, block: Range<u64>) -> Vec<Range<u64>> {
        self.search.parts(block)
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Self::Found) {
        self.sce.variances(tiles, &mut room.values);
        for tally in &mut found.0 {
            self.search.count(tiles.first(), &room.values, tally);
        }
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let mut next = self.clone();
        for tally in found.0 {
            next.search.advance(tally);
        }
        next.stage()
    }
}

impl Sce {
    /// The variance of the deltas at each position.
    fn variances<T: Real>(&self, tiles: &Tiles<'_, T>, out: &mut Vec<T>) {
        out.resize(tiles.len(), T::ZERO);
        Isa::detected().run(Variances {
            base: tiles.source(self.family.base),
            tuned: &self.family.vectors(tiles),
            out,
        });
    }

    /// The variance at each position that is selected, which is more than 0, and 0 elsewhere.
    pub(super) fn selection<'a, T: Real>(
        &self,
        cut: &Cut,
        tiles: &Tiles<'_, T>,
        room: &'a mut Vec<T>,
    ) -> &'a [T] {
        self.variances(tiles, room);
        kernels::keep(cut, tiles.first() / TILE as u64, room);
        room
    }
}

/// What tells positions that are selected from others.
pub(super) trait Choice<T> {
    /// Of two groups, whose place in the tile is `first`: one where a position is selected, the other elsewhere.
    fn choose(&self, first: usize, there: [T; LANES], elsewhere: [T; LANES]) -> [T; LANES];
}

/// All are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Everywhere;

impl<T> Choice<T> for Everywhere {
    #[inline(always)]
    fn choose(&self, _: usize, there: [T; LANES], _: [T; LANES]) -> [T; LANES] {
        there
    }
}

/// Those are where this is not zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Where<'a, T>(pub(super) &'a [T]);

impl<T: Real> Choice<T> for Where<'_, T> {
    #[inline(always)]
    fn choose(&self, first: usize, there: [T; LANES], elsewhere: [T; LANES]) -> [T; LANES] {
        let by: [T; LANES] = load(self.0, first);
        let mut chosen = elsewhere;
        for lane in 0..LANES {
            // a variance that is NaN is selected first
            chosen[lane] = if by[lane] == T::ZERO {
                elsewhere[lane]
            } else {
                there[lane]
            };
        }
        chosen
    }
}

/// The variance of the deltas over the models, in f64 and rounded once: zero only where all are equal.
struct Variances<'a, T> {
    base: &'a [T],
    tuned: &'a [&'a [T]],
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Variances<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Some((first_tuned, others)) = self.tuned.split_first() else {
            return;
        };
        let share = 1.0 / self.tuned.len() as f64;
        for first in (0..self.out.len()).step_by(LANES) {
            let base: [T; LANES] = load(self.base, first);
            let origin: [T; LANES] = load(first_tuned, first);
            // of the differences from the first delta: they are exactly zero where the deltas are equal, and
            // their variance is the deltas'
            let (mut sums, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
            for tuned in others {
                let tuned: [T; LANES] = load(tuned, first);
                for i in 0..LANES {
                    let delta = (tuned[i] - base[i]).to_f64();
                    let difference = delta - (origin[i] - base[i]).to_f64();
                    sums[i] += difference;
                    squares[i] += difference * difference;
                }
            }
            let mut variances = [T::ZERO; LANES];
            for i in 0..LANES {
                variances[i] = T::from_f64((squares[i] - sums[i] * sums[i] * share) * share);
            }
            store(self.out, first, &variances);
        }
    }
}
