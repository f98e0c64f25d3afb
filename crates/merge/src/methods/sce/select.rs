//! The positions on which the models differ most.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Isa, LANES, TILE, load, store};

use super::Sce;
use super::calculate::Squares;
use super::erase::Mix;
use crate::methods::family::Family;
use crate::methods::order_statistic::{Bits, Search, Target};
use crate::methods::{Gathered, Gathers, Measure, Stage, Statistic, Tiles, Workspace};

impl Sce {
    /// The variance of the deltas at each position.
    pub(super) fn variances<T: Real>(&self, tiles: &Tiles<'_, T>, out: &mut Vec<T>) {
        out.resize(tiles.len(), T::ZERO);
        Isa::detected().run(Variances {
            family: &self.family,
            tiles,
            out,
        });
    }

    /// 1 at each position that is selected, 0 elsewhere.
    pub(super) fn selection<T: Real>(
        &self,
        cut: Option<&Cut<T>>,
        tiles: &Tiles<'_, T>,
        out: &mut Vec<T>,
    ) {
        if let Some(cut) = cut {
            self.variances(tiles, out);
            cut.apply(tiles.first() / TILE as u64, out);
        } else {
            out.clear();
            out.resize(tiles.len(), T::ONE);
        }
    }
}

/// The first pass of the search for the least variance that is selected: its rank is known once it is known how many
/// positions differ.
#[derive(Debug)]
pub(super) struct Differing {
    pub(super) sce: Sce,
}

impl Differing {
    /// Of which the last counts the positions that do not differ.
    fn counts<T: Bits>() -> usize {
        Search::new::<T>(&[]).counts() + 1
    }
}

impl<T: Bits> Measure<T> for Differing {
    fn gathers(&self) -> Gathers {
        Gathers {
            counts: Self::counts::<T>(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        self.sce.variances(tiles, &mut room.values);
        if let Some((equal, counts)) = found.counts.split_last_mut() {
            Search::new::<T>(&[]).count(&room.values, counts);
            *equal += Isa::detected().run(CountEqual {
                value: T::ZERO,
                values: &room.values,
            });
        }
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let sce = self.sce.clone();
        let Some((equal, counts)) = statistic.counts.split_last() else {
            return Mix::nothing(sce);
        };
        let differing = sce.elements - equal;
        let selected = (sce.share * differing as f64) as u64;
        if selected == 0 {
            return Mix::nothing(sce);
        }
        let search = Search::new::<T>(&[sce.elements - selected]).advance(counts);
        Threshold { sce, search }.stage()
    }
}

/// Searches for the least variance that is selected.
#[derive(Debug)]
struct Threshold {
    sce: Sce,
    search: Search,
}

impl Threshold {
    /// What follows: another pass, or what comes after the last one.
    fn stage<T: Bits>(self) -> Stage<T> {
        let Some(&[least]) = self.search.found() else {
            return Stage::Measure(Arc::new(self));
        };
        let sce = self.sce;
        if least.equal_from_rank() < least.equal() {
            return Stage::Measure(Arc::new(Ties { sce, least }));
        }
        let cut = Some(Cut {
            variance: least.value(),
            tile: u64::MAX,
            ties: 0,
        });
        Stage::Measure(Arc::new(Squares { sce, cut }))
    }
}

impl<T: Bits> Measure<T> for Threshold {
    fn gathers(&self) -> Gathers {
        Gathers {
            counts: self.search.counts(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        self.sce.variances(tiles, &mut room.values);
        self.search.count(&room.values, found.counts);
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let search = self.search.clone().advance(&statistic.counts);
        let sce = self.sce.clone();
        Self { sce, search }.stage()
    }
}

/// Finds which of the positions of equal variance are selected.
#[derive(Debug)]
struct Ties {
    sce: Sce,
    least: Target,
}

impl<T: Bits> Measure<T> for Ties {
    fn gathers(&self) -> Gathers {
        Gathers {
            tile_counts: 1,
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        self.sce.variances(tiles, &mut room.values);
        found.tile_counts[0] += Isa::detected().run(CountEqual {
            value: self.least.value(),
            values: &room.values,
        }) as u32;
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let mut cut = Cut {
            variance: self.least.value(),
            tile: 0,
            ties: self.least.equal_from_rank(),
        };
        for count in statistic.tile_counts {
            if u64::from(count) > cut.ties {
                break;
            }
            cut.tile += 1;
            cut.ties -= u64::from(count);
        }
        let sce = self.sce.clone();
        let cut = Some(cut);
        Stage::Measure(Arc::new(Squares { sce, cut }))
    }
}

/// Where the selection ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut<T> {
    /// Larger variances are selected.
    variance: T,
    /// Equal ones are selected in the tiles before this,
    tile: u64,
    /// and this many of them, the first, in this.
    ties: u64,
}

impl<T: Bits> Cut<T> {
    /// Selects no position.
    pub(super) const NOTHING: Self = Self {
        variance: T::LARGEST,
        tile: 0,
        ties: 0,
    };
}

impl<T: Real> Cut<T> {
    /// Replaces variances by 1 where they are selected, and by 0 elsewhere.
    fn apply(&self, tile: u64, variances: &mut [T]) {
        if tile != self.tile {
            Isa::detected().run(Flag {
                variance: self.variance,
                with_equal: tile < self.tile,
                values: variances,
            });
            return;
        }
        let mut ties = self.ties;
        for value in variances {
            let is_tie = *value == self.variance && ties > 0;
            ties -= u64::from(is_tie);
            *value = flag(is_tie || *value > self.variance);
        }
    }
}

#[inline(always)]
fn flag<T: Real>(is_set: bool) -> T {
    if is_set { T::ONE } else { T::ZERO }
}

/// The variance of the deltas over the models, in f64 and rounded once: zero only where all are equal.
struct Variances<'a, T> {
    family: &'a Family,
    tiles: &'a Tiles<'a, T>,
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Variances<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Family { base, tuned } = self.family;
        let Some((&first_tuned, others)) = tuned.split_first() else {
            return;
        };
        let share = 1.0 / tuned.len() as f64;
        for first in (0..self.out.len()).step_by(LANES) {
            let base: [T; LANES] = load(self.tiles.source(*base), first);
            let origin: [T; LANES] = load(self.tiles.source(first_tuned), first);
            // of the differences from the first delta: they are exactly zero where the deltas are equal, and
            // their variance is the deltas'
            let (mut sums, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
            for &source in others {
                let tuned: [T; LANES] = load(self.tiles.source(source), first);
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

/// Counts the elements with a value.
struct CountEqual<'a, T> {
    value: T,
    values: &'a [T],
}

impl<T: Real> kernels::Kernel for CountEqual<'_, T> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let equal = self.values.iter().map(|v| u32::from(*v == self.value));
        u64::from(equal.sum::<u32>())
    }
}

struct Flag<'a, T> {
    variance: T,
    with_equal: bool,
    values: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Flag<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for value in self.values {
            *value = flag(if self.with_equal {
                *value >= self.variance
            } else {
                *value > self.variance
            });
        }
    }
}
