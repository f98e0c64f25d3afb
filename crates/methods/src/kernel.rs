//! The arithmetic of a method on one tensor, tile by tile.
//!
//! A kernel is a sequence of stages: first those that [`Measure`] the whole tensor, each knowing what the one before it found, at last
//! one that can [`Apply`]. Most methods need no measuring; SLERP needs the angle, trimming needs thresholds.

use std::fmt::Debug;
use std::ops::{Deref, Range};
use std::sync::Arc;

use weightsmith_tensors::kernels::{RankedScratch, TILE};
use weightsmith_tensors::{Real, TensorInfo};

use crate::{Pass, Refusal, Statistic};

/// The arithmetic that makes one output tensor from the tensors of its sources.
///
/// Kernels are pure: their results depend on the operation, the tiles and the statistics alone.
pub trait Kernel<T: Real>: Send + Sync + Debug {
    /// The largest number of stages that measure.
    fn passes(&self) -> usize {
        0
    }

    /// What it keeps in memory besides tiles.
    fn memory(&self, _: &OutputTensor<'_>) -> Memory {
        Memory::default()
    }

    /// What must be seen together.
    fn unit(&self) -> Unit {
        Unit::Element
    }

    /// The first stage for a tensor.
    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T>;
}

/// The tensor that is made.
#[derive(Debug, Clone, Copy)]
pub struct OutputTensor<'a> {
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
    Measure(Pass<T>),
    /// The result can be computed.
    Apply(Arc<dyn Apply<T>>),
    /// There is no result for what the sources hold, and this is why.
    Refuse(Refusal),
    /// The tensor is written, and what was known of it is forgotten.
    Released,
}

impl<T: Real> Stage<T> {
    /// A stage that measures.
    pub fn measure(measure: impl Measure<T>) -> Self {
        Self::Measure(Pass::new(measure))
    }

    /// A stage that computes the result.
    pub fn apply(apply: impl Apply<T> + 'static) -> Self {
        Self::Apply(Arc::new(apply))
    }
}

/// A pass over the whole tensor that finds something.
///
/// A tensor is measured in blocks, each by one worker, tile by tile. What is found in the blocks is merged in a way that
/// depends on neither workers nor time.
pub trait Measure<T: Real>: Send + Sync + Debug + 'static {
    /// What it finds.
    type Found: Statistic;

    /// What it has found before any block; the blocks are merged into it.
    fn total(&self) -> Self::Found;

    /// What it has found in a block before the first tile of it. Made once for each block, so that tiles need no memory of
    /// their own.
    fn block(&self, _: Range<u64>) -> Self::Found {
        self.total()
    }

    /// What of a block it looks at, in order: all of it, as a rule. A pass that keeps something of each tile must look at all.
    fn parts(&self, block: Range<u64>) -> Vec<Range<u64>> {
        vec![block]
    }

    /// Adds what it finds in a tile.
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Self::Found);

    /// The stage that follows, once all blocks were merged.
    fn next(&self, found: Self::Found) -> Stage<T>;
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

/// Sources whose tiles are listed without allocating memory: each tile lists them anew.
const FEW: usize = 8;

/// The tiles of several sources.
#[derive(Debug)]
pub struct Several<'a, T> {
    few: [&'a [T]; FEW],
    /// How many of the few there are.
    count: usize,
    /// All of them where they are not few.
    many: Vec<&'a [T]>,
}

impl<'a, T> Deref for Several<'a, T> {
    type Target = [&'a [T]];

    fn deref(&self) -> &[&'a [T]] {
        if self.many.is_empty() {
            &self.few[..self.count]
        } else {
            &self.many
        }
    }
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

    /// The elements of several sources.
    pub fn several(&self, positions: &[usize]) -> Several<'a, T> {
        let positions = positions.iter();
        let sources = positions.map(|position| self.source(*position));
        if sources.len() > FEW {
            return Several {
                few: [&[] as &[T]; FEW],
                count: 0,
                many: sources.collect(),
            };
        }
        let (mut few, count) = ([&[] as &[T]; FEW], sources.len());
        for (place, source) in few.iter_mut().zip(sources) {
            *place = source;
        }
        Several {
            few,
            count,
            many: Vec::new(),
        }
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
    fn several_sources_are_few_or_many() {
        let buffer: Vec<f32> = (0..30).map(|i| i as f32).collect();
        let tiles = Tiles::new(&buffer, 3, 2, 0);
        for count in [0, 1, FEW, FEW + 2] {
            let positions: Vec<usize> = (0..count).rev().collect();
            let expected: Vec<&[f32]> = positions.iter().map(|at| tiles.source(*at)).collect();
            assert_eq!(*tiles.several(&positions), *expected);
        }
    }
}
