//! Randomness that depends on what it is for and not on who draws it or when.
//!
//! Element i of a tensor has a random word of its own, a function of the seed, the tensor's name, the input's position and
//! i: word i mod 4 of Philox4x32-10 with the counter (i / 4, stream) and the key (seed).

mod bernoulli;
mod philox;
mod ranked;
mod stream;

pub use bernoulli::{bernoulli_keep, bernoulli_keep_on};
pub use philox::philox4x32;
pub use ranked::{
    Places, RankedScratch, keep_by_rank, keep_by_rank_at, keep_by_rank_at_on, keep_by_rank_on,
};
pub use stream::Stream;
