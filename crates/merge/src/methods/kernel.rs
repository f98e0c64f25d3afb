//! The arithmetic of a method on one tensor, tile by tile.

use std::fmt::Debug;

use weightsmith_tensors::Real;

/// Sums over a whole tensor, added up tile by tile and block by block in a fixed order.
pub type Statistic = Vec<f64>;

/// The arithmetic that makes one output tensor from the tensors of its sources.
///
/// A kernel is pure: its results depend on its parameters, the tiles and the statistics alone. A tensor is worked
/// through in tiles of at most [`TILE`](weightsmith_tensors::kernels::TILE) elements: once for each statistics pass, then
/// once for the result.
pub trait Kernel<T: Real>: Send + Sync + Debug {
    /// For each pass over the whole tensor that must come before the result: how many sums it takes.
    fn passes(&self) -> &'static [usize] {
        &[]
    }

    /// Adds a tile's part to the sums of a pass, given the statistics of earlier passes.
    fn measure(&self, pass: usize, earlier: &[Statistic], tiles: &Tiles<'_, T>, sums: &mut [f64]) {
        let _ = (pass, earlier, tiles, sums);
    }

    /// What [`Kernel::apply`] needs to know of the whole tensor, from the statistics of all passes.
    fn conclude(&self, statistics: &[Statistic]) -> Vec<f64> {
        let _ = statistics;
        Vec::new()
    }

    /// The result for a tile, given what [`Kernel::conclude`] returned.
    fn apply(&self, conclusion: &[f64], tiles: &Tiles<'_, T>, out: &mut [T]);
}

/// The same range of elements of every source, widened for arithmetic.
#[derive(Debug, Clone, Copy)]
pub struct Tiles<'a, T> {
    buffer: &'a [T],
    stride: usize,
    len: usize,
}

impl<'a, T> Tiles<'a, T> {
    /// Views `buffer` as tiles that begin every `stride` elements, of which the first `len` count.
    pub fn new(buffer: &'a [T], stride: usize, len: usize) -> Self {
        Self {
            buffer,
            stride,
            len,
        }
    }

    /// The elements of a source.
    pub fn source(&self, position: usize) -> &'a [T] {
        &self.buffer[position * self.stride..][..self.len]
    }
}
