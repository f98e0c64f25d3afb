//! The loops of a merge, on slices.
//!
//! Every function has a twin in [`Isa`]-explicit form (`_on`), for tests and benchmarks; the plain one uses
//! [`Isa::detected`]. All give the same bytes on every instruction set: no fused multiply-add, and sums go through
//! [`LANES`] accumulators whatever the width of the registers.

mod combine;
mod difference;
mod divergence;
mod dot;
mod exponential;
mod gram;
mod group;
mod isa;
mod kept;
mod magnitude;
mod random;
mod rank;
mod selection;
mod sums;

pub use combine::{
    add_scaled, add_scaled_on, count_non_finite, count_non_finite_on, lerp_pair, lerp_pair_on,
    scale, scale_on,
};
pub use difference::{
    add_scaled_difference, add_scaled_difference_on, scale_difference, scale_difference_on,
};
pub use divergence::{divergence, divergence_on};
pub use dot::{LANES, add_pairwise, dot3, dot3_on};
pub use gram::{add_products, add_products_on, pair, square_of_sum, square_of_sum_on};
pub use group::{load, store};
pub use isa::{Isa, Kernel};
pub use kept::{keep_noted, keep_noted_on, kept_words, note_kept, note_kept_on};
pub use magnitude::{Key, Magnitude};
pub use random::{
    Places, RankedScratch, Stream, bernoulli_keep, bernoulli_keep_on, keep_by_rank,
    keep_by_rank_at, keep_by_rank_at_on, keep_by_rank_on, philox4x32,
};
pub use rank::{RankScratch, ranks};
pub use selection::{Cut, Search, Tally, keep, keep_between, keep_between_on, keep_on};
pub use sums::{sum_abs, sum_abs_on};

/// Elements that are worked on at once. Two inputs and a result as `f32` and as bytes of a 16-bit type take 36 KiB then,
/// which stays in a first-level cache of 48 KiB; 4096 elements do not, and cost a lerp of BF16 a third of its speed.
pub const TILE: usize = 2048;

/// Elements that are summed up by themselves before the partial sums are added, in order.
///
/// A reduction over a tensor is the sum, block by block, of the sums over its blocks; each of those is the sum, tile by
/// tile in order, of [`dot3`] (or the like) over its tiles. Blocks are counted from the tensor's first element, so the
/// result does not depend on how the work was cut up or who did it.
pub const REDUCTION_BLOCK: u64 = 1 << 20;
