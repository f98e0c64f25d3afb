//! The arithmetic of a method on one tensor, tile by tile.
//!
//! A kernel is a sequence of stages: first those that [`Measure`] the whole tensor, each knowing what the one before it found, at last
//! one that can [`Apply`]. Most methods need no measuring; SLERP needs the angle, trimming needs thresholds.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::kernels::{RankedScratch, TILE, Tally};
use weightsmith_tensors::{Real, TensorInfo};

/// The arithmetic that makes one output tensor from the tensors of its sources.
///
/// Kernels are pure: their results depend on the operation, the tiles and the statistics alone.
pub trait Kernel<T: Real>: Send + Sync + Debug {
    /// The largest number of stages that measure.
    fn passes(&self) -> usize {
        0
    }

    /// What it keeps in memory besides tiles.
    fn memory(&self, _: &Subject<'_>) -> Memory {
        Memory::default()
    }

    /// What must be seen together.
    fn unit(&self) -> Unit {
        Unit::Element
    }

    /// The first stage for a tensor.
    fn begin(&self, subject: &Subject<'_>) -> Stage<T>;
}

/// The tensor that is made.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type and shape.
    pub info: &'a TensorInfo,
    /// The key of all randomness.
    pub seed: u64,
    /// Bytes that may be used to remember what would have to be found again otherwise.
    pub spare: u64,
}

/// Memory of a kernel in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Of each worker.
    pub worker: u64,
    /// Of all workers together, until the tensor is written.
    pub shared: u64,
}

impl Memory {
    /// Both, one beside the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            worker: self.worker + other.worker,
            shared: self.shared + other.shared,
        }
    }
}

/// A step of the work on a tensor.
#[derive(Debug, Clone)]
pub enum Stage<T: Real> {
    /// The tensor must be measured.
    Measure(Arc<dyn Measure<T>>),
    /// The result can be computed.
    Apply(Arc<dyn Apply<T>>),
    /// There is no result for what the sources hold, and this is why.
    Refuse(Arc<str>),
}

/// A pass over the whole tensor that gathers statistics.
pub trait Measure<T: Real>: Send + Sync + Debug {
    /// How much it gathers.
    fn gathers(&self) -> Gathers;

    /// Empty tallies, for a pass that selects.
    fn tallies(&self) -> Vec<Tally> {
        Vec::new()
    }

    /// What of a block it looks at, in order: all of it, as a rule. A pass that counts per tile must look at all.
    fn parts(&self, block: Range<u64>) -> Vec<Range<u64>> {
        vec![block]
    }

    /// Adds what it finds in a tile.
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>);

    /// The stage that follows, once all tiles were seen.
    fn next(&self, statistic: Statistic) -> Stage<T>;
}

/// The pass that computes the result.
pub trait Apply<T: Real>: Send + Sync + Debug {
    /// The result for a tile; `out` is as long as each source's tile.
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]);
}

/// What must lie in one tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nothing: elements do not know each other.
    Element,
    /// Whole tiles, counted from the start of the tensor: the kernel looks its tile up by number.
    Tile,
    /// Whole rows along the last axis; a tensor of one axis is one row.
    Row,
    /// All that shares an index of the first axis; a tensor of one axis is one such slab.
    Slab,
}

impl Unit {
    /// The elements of a tile of that shape: whole units.
    pub fn tile(self, info: &TensorInfo) -> u64 {
        let unit = self.elements(info);
        (TILE as u64 / unit).max(1) * unit
    }

    /// Its length in elements, for a tensor of that shape.
    pub fn elements(self, info: &TensorInfo) -> u64 {
        match self {
            Self::Element => 1,
            Self::Tile => TILE as u64,
            Self::Row => info.shape.last().copied().unwrap_or(1).max(1),
            Self::Slab => match info.shape.as_slice() {
                [] => 1,
                [only] => (*only).max(1),
                [_, rest @ ..] => rest.iter().product::<u64>().max(1),
            },
        }
    }
}

/// How much a pass gathers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gathers {
    /// Sums over all tiles, added in a fixed order.
    pub sums: usize,
    /// Counts over all tiles.
    pub counts: usize,
    /// Counts that are kept for each tile.
    pub tile_counts: usize,
    /// Words of bits that are kept for each tile.
    pub tile_words: usize,
    /// Sums that are kept for each column.
    pub column_sums: usize,
    /// Number of columns: element `i` of the tensor lies in column `i % columns`.
    pub columns: usize,
}

impl Gathers {
    /// Columns that some elements in a row can touch.
    pub(crate) fn touched(&self, elements: u64) -> usize {
        self.columns
            .min(usize::try_from(elements).unwrap_or(usize::MAX))
    }
}

/// What a pass finds in a tile is added here.
#[derive(Debug)]
pub struct Gathered<'a> {
    /// See [`Gathers::sums`].
    pub sums: &'a mut [f64],
    /// See [`Gathers::counts`].
    pub counts: &'a mut [u64],
    /// See [`Gathers::tile_counts`]: those of this tile, zero before.
    pub tile_counts: &'a mut [u32],
    /// See [`Gathers::tile_words`]: those of this tile, zero before.
    pub tile_words: &'a mut [u64],
    /// See [`Measure::tallies`].
    pub tallies: &'a mut [Tally],
    /// See [`Gathers::column_sums`].
    pub column_sums: ColumnSums<'a>,
}

/// The sums of the columns that a block touches, seen from a tile of it.
///
/// A block of a million elements holds sums for no more than a million columns, however many the tensor has.
#[derive(Debug)]
pub struct ColumnSums<'a> {
    /// The first sum of each column, the second of each and so on; the block's first element is in the first column.
    sums: &'a mut [f64],
    /// Number of columns.
    width: usize,
    /// Place of the tile's first element in the block.
    first: usize,
}

impl<'a> ColumnSums<'a> {
    /// Views the sums of `width` columns from a tile that begins at element `first` of its block.
    pub fn new(sums: &'a mut [f64], width: usize, first: usize) -> Self {
        Self { sums, width, first }
    }

    /// Calls `visit` with each range of the tile's `len` elements that lie in different columns, and the `N` sums for each
    /// of them.
    pub fn for_each_run<const N: usize>(
        &mut self,
        len: usize,
        mut visit: impl FnMut(Range<usize>, [&mut [f64]; N]),
    ) {
        let mut start = 0;
        while start < len && self.width > 0 {
            let column = (self.first + start) % self.width;
            let run = (self.width - column).min(len - start);
            let mut sums = self.sums.chunks_exact_mut(self.width);
            let sums = std::array::from_fn(|_| match sums.next() {
                Some(sums) => &mut sums[column..column + run],
                None => &mut [],
            });
            visit(start..start + run, sums);
            start += run;
        }
    }
}

/// What a pass found in the whole tensor.
#[derive(Debug, Clone, Default)]
pub struct Statistic {
    /// See [`Gathers::sums`].
    pub sums: Vec<f64>,
    /// See [`Gathers::counts`].
    pub counts: Vec<u64>,
    /// See [`Gathers::tile_counts`]: those of the first tile, of the second and so on.
    pub tile_counts: Vec<u32>,
    /// See [`Gathers::tile_words`]: those of the first tile, of the second and so on.
    pub tile_words: Vec<u64>,
    /// See [`Measure::tallies`]: merged.
    pub tallies: Vec<Tally>,
    /// See [`Gathers::column_sums`]: the first sum of each column, the second of each and so on.
    pub column_sums: Vec<f64>,
}

/// Memory of a worker that kernels may use; what it holds at the start of a call is undefined.
#[derive(Debug, Default)]
pub struct Workspace<T> {
    /// Numbers.
    pub values: Vec<T>,
    /// More numbers.
    pub others: Vec<T>,
    /// Numbers that need more precision.
    pub wide: Vec<f64>,
    /// For ranking rows.
    pub ranked: RankedScratch,
}

/// The same range of elements of every source, widened for arithmetic.
#[derive(Debug, Clone, Copy)]
pub struct Tiles<'a, T> {
    buffer: &'a [T],
    stride: usize,
    len: usize,
    first: u64,
}

impl<'a, T> Tiles<'a, T> {
    /// Views `buffer` as tiles that begin every `stride` elements, of which the first `len` count; they begin at
    /// element `first` of the tensor.
    pub fn new(buffer: &'a [T], stride: usize, len: usize, first: u64) -> Self {
        Self {
            buffer,
            stride,
            len,
            first,
        }
    }

    /// The elements of a source.
    pub fn source(&self, position: usize) -> &'a [T] {
        &self.buffer[position * self.stride..][..self.len]
    }

    /// The elements of that range alone, counted from the tile's first.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        Self {
            buffer: &self.buffer[range.start..],
            stride: self.stride,
            len: range.len(),
            first: self.first + range.start as u64,
        }
    }

    /// Number of elements of each source.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Index in the tensor of the first element.
    pub fn first(&self) -> u64 {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_columns_begin_again() {
        // 3 columns with 2 sums each; a tile of 7 elements that begins at element 4 of its block
        let mut sums = [0.0; 6];
        let mut runs = Vec::new();
        ColumnSums::new(&mut sums, 3, 4).for_each_run(7, |range, [first, second]| {
            for (one, other) in first.iter_mut().zip(second) {
                *one += 1.0;
                *other += 0.5;
            }
            runs.push(range);
        });
        assert_eq!(runs, [0..2, 2..5, 5..7]);
        assert_eq!(sums, [2.0, 3.0, 2.0, 1.0, 1.5, 1.0]);
    }

    #[test]
    fn a_block_touches_no_more_columns_than_it_has_elements() {
        let gathers = Gathers {
            columns: 5000,
            ..Gathers::default()
        };
        assert_eq!((gathers.touched(100), gathers.touched(9000)), (100, 5000));
    }
}
