//! Finding cuts.

use std::marker::PhantomData;
use std::ops::Range;

use super::bracket::{Bracket, Spans, Stage};
use super::count::{CountAbove, CountEqual, Histogram};
use super::sample::Sampling;
use super::tally::Counts;
use super::wanted::Wanted;
use super::{Cut, Tally};
use crate::Real;
use crate::kernels::{Isa, Key, Magnitude, TILE};

/// One bin for so many elements,
const ELEMENTS_PER_BIN: u64 = 16;
/// but no fewer
const FEWEST_BINS: u64 = 1 << 10;
/// and no more than this: 1 MiB.
const MOST_BINS: u64 = 1 << 17;

/// The search for where the first k elements of a tensor end, for one or several k.
///
/// It takes passes: each is over [`Search::pieces`] pieces of the tensor, whose values are given to [`Search::count`] in
/// any order and by any number of workers with a [`Tally`] each; [`Search::advance`] takes the merged tallies. When no
/// pieces are left, [`Search::cuts`] has the cuts. They depend on the values alone.
///
/// The first pass looks at a sample, which tells a range of keys that the cut is likely in; the next one counts how many
/// are above it and how many of each in it. Where many elements are equal, that pass mostly counts those equal to the
/// sought one as well, tile by tile, which settles where they stop to belong. So there are two passes as a rule, the first
/// over 1 % of the tensor, rarely three or four.
#[derive(Debug, Clone)]
pub struct Search<T: Real> {
    elements: u64,
    wanted: Vec<Wanted>,
    stages: Vec<Stage<<T as Magnitude>::Key>>,
    sampling: Option<Sampling>,
    tiles: Range<u64>,
    values: PhantomData<T>,
}

impl<T: Real> Search<T> {
    /// More passes than any search takes: one over the sample, at most seven for the bits of a key, two for the place of equal
    /// elements, and one for an estimate that missed.
    pub const MOST_PASSES: usize = 12;

    /// For the first `k` elements, for each of `ks`, of a tensor of `elements`. More than all of them are all of them.
    pub fn new(elements: u64, ks: &[u64]) -> Self {
        Self::with(elements, ks, |k| match k {
            0 => Stage::Done(Cut::NONE),
            k if k >= elements => Stage::Done(Cut::ALL),
            _ => Stage::Sample,
        })
    }

    /// As [`Search::new`], but finds the magnitude of the last element for k = n as well, where the cut needs no look at
    /// any value. `k` elements have this magnitude or more: in ascending order it is that of element n − k.
    pub fn for_magnitudes(elements: u64, ks: &[u64]) -> Self {
        let ks: Vec<u64> = ks.iter().map(|&k| k.min(elements)).collect();
        Self::with(elements, &ks, |k| match k {
            0 => Stage::Done(Cut::NONE),
            _ => Stage::Sample,
        })
    }

    /// For the first ⌊`share` · n⌋ elements, where n of a tensor of `elements` are not zero: these are counted on the way.
    ///
    /// # Panics
    /// When the share is not from 0 up to 1, without it.
    pub fn for_share_of_nonzero(elements: u64, share: f64) -> Self {
        assert!((0.0..1.0).contains(&share), "a share from 0 to below 1");
        let stage = if elements == 0 || share == 0.0 {
            Stage::Done(Cut::NONE)
        } else {
            Stage::Sample
        };
        Self::of(elements, vec![Wanted::Share(share)], vec![stage])
    }

    fn with(elements: u64, ks: &[u64], stage: impl Fn(u64) -> Stage<T::Key>) -> Self {
        let stages = ks.iter().map(|&k| stage(k)).collect();
        let wanted = ks.iter().map(|&k| Wanted::First(k)).collect();
        Self::of(elements, wanted, stages)
    }

    fn of(elements: u64, wanted: Vec<Wanted>, stages: Vec<Stage<T::Key>>) -> Self {
        let sampled = stages.iter().any(|stage| matches!(stage, Stage::Sample));
        Self {
            elements,
            wanted,
            stages,
            sampling: sampled.then(|| Sampling::of(elements)),
            tiles: 0..0,
            values: PhantomData,
        }
    }

    /// How many pieces of the tensor are to be counted in this pass; 0 when the cuts are known.
    pub fn pieces(&self) -> u64 {
        match &self.sampling {
            Some(sampling) => sampling.pieces(),
            None => self.tiles.end - self.tiles.start,
        }
    }

    /// The elements of a piece: a tile or a part of one. Pieces with higher numbers come later in the tensor.
    pub fn piece(&self, piece: u64) -> Range<u64> {
        match &self.sampling {
            Some(sampling) => sampling.piece(piece),
            None => tile_range(self.tiles.start + piece, self.elements),
        }
    }

    /// The elements of all pieces that begin in a part of the tensor. It begins and ends where tiles do, unless magnitudes alone
    /// are sought: then parts, and what is counted at once, may end anywhere.
    pub fn parts(&self, within: Range<u64>) -> Vec<Range<u64>> {
        let Some(sampling) = &self.sampling else {
            let start = within.start.max(self.tiles.start * TILE as u64);
            let end = within.end.min(self.tiles.end * TILE as u64);
            return (start < end).then_some(start..end).into_iter().collect();
        };
        let first = first_piece(sampling, within.start);
        let last = first_piece(sampling, within.end);
        (first..last).map(|piece| sampling.piece(piece)).collect()
    }

    /// Memory of a tally for that many cuts in a tensor of `elements`, at most, in bytes.
    pub fn tally_bytes(elements: u64, cuts: u64) -> u64 {
        let counters = bins(elements) * 8 + Spans::over(tiles(elements)).count() as u64 * 4;
        let sample = Sampling::of(elements).elements() * 8;
        cuts * counters + if cuts > 0 { sample } else { 0 }
    }

    /// For what a worker counts in this pass.
    pub fn tally(&self) -> Tally {
        let counts = |stage: &Stage<_>| match stage {
            Stage::Bracket(bracket) => Counts {
                bins: vec![0; bracket.bins()],
                ties: vec![0; bracket.guess.map_or(0, |_| bracket.spans.count())],
                ..Counts::default()
            },
            Stage::Ties(ties) => Counts {
                ties: vec![0; ties.spans.count()],
                ..Counts::default()
            },
            Stage::Sample | Stage::Done(_) => Counts::default(),
        };
        Tally {
            sample: Vec::new(),
            counts: self.stages.iter().map(counts).collect(),
        }
    }

    /// Counts a piece, whose first element in the tensor is `first`.
    pub fn count(&self, first: u64, values: &[T], tally: &mut Tally) {
        self.count_on(Isa::detected(), first, values, tally);
    }

    /// [`Search::count`] on a given instruction set.
    pub fn count_on(&self, isa: Isa, first: u64, values: &[T], tally: &mut Tally) {
        if self.sampling.is_some() {
            tally
                .sample
                .extend(values.iter().map(|value| value.key().to_u64()));
            return;
        }
        let tile = first / TILE as u64;
        let stages = self.stages.iter().zip(&self.wanted);
        for ((stage, wanted), counts) in stages.zip(&mut tally.counts) {
            match stage {
                Stage::Bracket(bracket) => {
                    count_bracket(isa, bracket, tile, values, counts);
                    if matches!(wanted, Wanted::Share(_)) {
                        let key = Key::ZERO;
                        counts.nonzero += isa.run(CountAbove { values, key });
                    }
                }
                Stage::Ties(ties) => count_ties(isa, ties.key, &ties.spans, tile, values, counts),
                Stage::Sample | Stage::Done(_) => {}
            }
        }
    }

    /// Ends a pass, with what all workers counted.
    pub fn advance(&mut self, counted: Tally) {
        let bins = bins(self.elements);
        let tiles = tiles(self.elements);
        let sampling = self.sampling.take();
        let sample: Vec<T::Key> = counted
            .sample
            .into_iter()
            .map(Key::saturating_from)
            .collect();
        let stages = self.stages.iter_mut().zip(&mut self.wanted);
        for ((stage, wanted), counts) in stages.zip(&counted.counts) {
            // a cut that is known does not change
            let known = Stage::Done(Cut::NONE);
            *stage = match (std::mem::replace(stage, known), &sampling) {
                (Stage::Sample, Some(sampling)) => {
                    sampling.stage(&sample, *wanted, bins, Spans::over(tiles))
                }
                (Stage::Bracket(bracket), _) => {
                    let k = wanted.of(counts.nonzero);
                    *wanted = Wanted::First(k);
                    bracket.narrow(k, counts, bins)
                }
                (Stage::Ties(ties), _) => {
                    let equal = counts.ties.iter().map(|&ties| u64::from(ties)).sum();
                    ties.cut(equal, counts)
                }
                (stage, _) => stage,
            };
        }
        self.tiles = self.tiles_to_count(tiles);
    }

    fn tiles_to_count(&self, tiles: u64) -> Range<u64> {
        let ranges = self.stages.iter().filter_map(|stage| match stage {
            Stage::Done(_) => None,
            Stage::Ties(ties) => Some(ties.spans.tiles.clone()),
            Stage::Sample | Stage::Bracket(_) => Some(0..tiles),
        });
        ranges
            .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))
            .unwrap_or(0..0)
    }

    /// The cuts, one for each k, once they are known.
    pub fn cuts(&self) -> Option<Vec<Cut>> {
        let cut = |stage: &Stage<_>| match stage {
            Stage::Done(cut) => Some(*cut),
            _ => None,
        };
        self.stages.iter().map(cut).collect()
    }

    /// The magnitude of the last of the first k elements, for each k, once it is known: before the cuts are, where only
    /// the place of equal elements is left to be found. NaN for k = 0. For k = n see [`Search::for_magnitudes`].
    pub fn magnitudes(&self) -> Option<Vec<T>> {
        let magnitude = |stage: &Stage<<T as Magnitude>::Key>| match stage {
            Stage::Done(cut) => Some(T::from_key(Key::saturating_from(cut.key))),
            Stage::Ties(ties) => Some(T::from_key(ties.key)),
            Stage::Sample | Stage::Bracket(_) => None,
        };
        self.stages.iter().map(magnitude).collect()
    }
}

/// How many bins a bracket has.
fn bins(elements: u64) -> u64 {
    (elements / ELEMENTS_PER_BIN)
        .next_power_of_two()
        .clamp(FEWEST_BINS, MOST_BINS)
}

fn tiles(elements: u64) -> u64 {
    elements.div_ceil(TILE as u64)
}

/// The first piece that begins at an element or after it.
fn first_piece(sampling: &Sampling, element: u64) -> u64 {
    let (mut low, mut high) = (0, sampling.pieces());
    while low < high {
        let middle = low.midpoint(high);
        if sampling.piece(middle).start < element {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The elements of a tile.
pub(super) fn tile_range(tile: u64, elements: u64) -> Range<u64> {
    let first = tile * TILE as u64;
    first..elements.min(first + TILE as u64)
}

fn count_bracket<T: Real>(
    isa: Isa,
    bracket: &Bracket<T::Key>,
    tile: u64,
    values: &[T],
    counts: &mut Counts,
) {
    let counted = isa.run(Histogram {
        values,
        lowest: bracket.lowest,
        highest: bracket.highest,
        guess: bracket.guess.unwrap_or(T::Key::MAX),
        shift: bracket.shift,
        bins: &mut counts.bins,
    });
    counts.above += counted.above;
    counts.above_guess += counted.above_guess;
    if let Some(ties) = span(&bracket.spans, tile, counts) {
        *ties += counted.equal as u32;
    }
}

fn count_ties<T: Real>(
    isa: Isa,
    key: T::Key,
    spans: &Spans,
    tile: u64,
    values: &[T],
    counts: &mut Counts,
) {
    if let Some(ties) = span(spans, tile, counts) {
        *ties += isa.run(CountEqual { values, key }) as u32;
    }
}

/// Where the elements of a tile that are equal to a key are counted, if they are.
fn span<'a>(spans: &Spans, tile: u64, counts: &'a mut Counts) -> Option<&'a mut u32> {
    let span = spans.position(tile)?;
    counts.ties.get_mut(span)
}
