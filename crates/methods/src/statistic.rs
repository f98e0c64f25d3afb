//! What a pass finds, block by block, as a state of its own that is merged.

use std::any::Any;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::Tally;

use crate::{Measure, Stage, Tiles, Workspace};

/// What is found in a part of a tensor.
pub trait Statistic: Debug + Send + 'static {
    /// Whether the order of merging counts, as it does for sums of floats and for lists.
    ///
    /// Blocks are merged in their order then, and those that were measured early wait. Counts are merged at once.
    const IN_ORDER: bool = true;

    /// Adds what was found in a block, which comes after all that were added if the order counts.
    fn merge(&mut self, block: Self);
}

/// Sums.
impl<const N: usize> Statistic for [f64; N] {
    fn merge(&mut self, block: Self) {
        for (sum, part) in self.iter_mut().zip(block) {
            *sum += part;
        }
    }
}

/// Sums, as many as there are models or pairs of them.
#[derive(Debug)]
pub(crate) struct Sums(pub(crate) Vec<f64>);

impl Sums {
    /// So many sums of nothing.
    pub(crate) fn zeros(count: usize) -> Self {
        Self(vec![0.0; count])
    }
}

impl Statistic for Sums {
    fn merge(&mut self, block: Self) {
        for (sum, part) in self.0.iter_mut().zip(block.0) {
            *sum += part;
        }
    }
}

/// The tallies of searches.
#[derive(Debug)]
pub(crate) struct Tallies(pub(crate) Vec<Tally>);

impl Statistic for Tallies {
    const IN_ORDER: bool = false;

    fn merge(&mut self, block: Self) {
        for (total, tally) in self.0.iter_mut().zip(block.0) {
            total.merge(tally);
        }
    }
}

/// A pass over the whole tensor, whatever it finds.
#[derive(Debug, Clone)]
pub struct Pass<T: Real>(Arc<dyn AnyMeasure<T>>);

/// What a [`Pass`] found in a part of the tensor; only that pass knows what it is.
pub(crate) type AnyFound = Box<dyn Any + Send>;

impl<T: Real> Pass<T> {
    /// A pass that measures.
    pub fn new(measure: impl Measure<T>) -> Self {
        Self(Arc::new(Erased(measure)))
    }

    /// See [`Statistic::IN_ORDER`].
    pub(crate) fn is_in_order(&self) -> bool {
        self.0.is_in_order()
    }

    /// See [`Measure::total`].
    pub(crate) fn total(&self) -> AnyFound {
        self.0.total()
    }

    /// See [`Measure::block`].
    pub(crate) fn block(&self, block: Range<u64>) -> AnyFound {
        self.0.block(block)
    }

    /// See [`Measure::parts`].
    pub(crate) fn parts(&self, block: Range<u64>) -> Vec<Range<u64>> {
        self.0.parts(block)
    }

    /// See [`Measure::tile`].
    pub(crate) fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut AnyFound) {
        self.0.tile(tiles, room, found);
    }

    /// See [`Statistic::merge`].
    pub(crate) fn merge(&self, total: &mut AnyFound, block: AnyFound) {
        self.0.merge(total, block);
    }

    /// See [`Measure::next`].
    pub(crate) fn next(&self, total: AnyFound) -> Stage<T> {
        self.0.next(total)
    }
}

/// A [`Measure`] with any type of findings.
trait AnyMeasure<T: Real>: Debug + Send + Sync {
    fn is_in_order(&self) -> bool;
    fn total(&self) -> AnyFound;
    fn block(&self, block: Range<u64>) -> AnyFound;
    fn parts(&self, block: Range<u64>) -> Vec<Range<u64>>;
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut AnyFound);
    fn merge(&self, total: &mut AnyFound, block: AnyFound);
    fn next(&self, total: AnyFound) -> Stage<T>;
}

/// Findings of a pass go back to that pass alone.
const FOREIGN: &str = "a pass is given what it found itself";

#[derive(Debug)]
struct Erased<M>(M);

impl<T: Real, M: Measure<T>> AnyMeasure<T> for Erased<M> {
    fn is_in_order(&self) -> bool {
        M::Found::IN_ORDER
    }

    fn total(&self) -> AnyFound {
        Box::new(self.0.total())
    }

    fn block(&self, block: Range<u64>) -> AnyFound {
        Box::new(self.0.block(block))
    }

    fn parts(&self, block: Range<u64>) -> Vec<Range<u64>> {
        self.0.parts(block)
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut AnyFound) {
        let found = found.downcast_mut().expect(FOREIGN);
        self.0.tile(tiles, room, found);
    }

    fn merge(&self, total: &mut AnyFound, block: AnyFound) {
        let total: &mut M::Found = total.downcast_mut().expect(FOREIGN);
        total.merge(*block.downcast().expect(FOREIGN));
    }

    fn next(&self, total: AnyFound) -> Stage<T> {
        self.0.next(*total.downcast().expect(FOREIGN))
    }
}
