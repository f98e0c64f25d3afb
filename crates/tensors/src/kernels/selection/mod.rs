//! The k elements of largest magnitude, exactly and without sorting.
//!
//! The order is total: larger magnitude first, and of equal magnitudes the lower index first. −0 is equal to 0; NaN comes
//! before infinity. [`Search`] finds where the first k elements of this order end, a [`Cut`], in a few passes over the
//! tensor; [`keep`] and its like apply it tile by tile.
//!
//! # Examples
//! ```
//! use weightsmith_tensors::kernels::{Search, TILE, keep};
//!
//! let tensor = [0.5_f32, -3.0, 1.0, 3.0, -0.5];
//! let mut search = Search::<f32>::new(tensor.len() as u64, &[3]);
//! while search.pieces() > 0 {
//!     // each worker would have a tally and some of the pieces, in any order
//!     let mut tally = search.tally();
//!     for piece in 0..search.pieces() {
//!         let range = search.piece(piece);
//!         search.count(range.start, &tensor[range.start as usize..range.end as usize], &mut tally);
//!     }
//!     search.advance(tally);
//! }
//! let mut values = tensor;
//! let cut = search.cuts().unwrap()[0];
//! for (tile, values) in values.chunks_mut(TILE).enumerate() {
//!     keep(&cut, tile as u64, values);
//! }
//! assert_eq!(values, [0.0, -3.0, 1.0, 3.0, 0.0]);
//! ```

mod bracket;
mod count;
mod cut;
mod keep;
mod sample;
mod search;
mod tally;
mod wanted;

pub use cut::Cut;
pub use keep::{keep, keep_between, keep_between_on, keep_on};
pub use search::Search;
pub use tally::Tally;
