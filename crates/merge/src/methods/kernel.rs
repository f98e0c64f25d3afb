//! The arithmetic of a method on one tensor, tile by tile.

use std::fmt::Debug;

use weightsmith_tensors::Real;

/// Sums over a whole tensor; added up block by block in a fixed order.
pub type Statistic = Vec<f64>;

/// The arithmetic that makes one output tensor from the tensors of its sources.
///
/// A kernel is pure: its results depend on its coefficients, the tiles and the statistics alone. A tensor is worked
/// through in tiles of [`TILE`](weightsmith_tensors::kernels::TILE) elements, first once per statistics pass, then once
/// for the result.
pub trait Kernel<T: Real>: Send + Sync + Debug {
    /// Number of passes over the whole tensor before the result can be computed.
    fn passes(&self) -> usize {
        0
    }

    /// The part of a tile in the statistic of a pass, given the statistics of earlier passes.
    ///
    /// Only called with `pass < self.passes()`.
    fn measure(&self, pass: usize, earlier: &[Statistic], sources: &[&[T]]) -> Statistic {
        let _ = (pass, earlier, sources);
        Statistic::new()
    }

    /// The result for a tile; `out` is as long as each of `sources`.
    fn apply(&self, statistics: &[Statistic], sources: &[&[T]], out: &mut [T]);
}
