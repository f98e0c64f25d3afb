//! Fuzz targets: everything that reads what others wrote, given bytes that nobody would write.
//!
//! A target is a function of bytes that must return: no panic, no abort, no more than [`MOST_SECONDS`] and
//! [`MOST_BYTES`] for one input. Two drivers feed them:
//!
//! - `weightsmith-fuzz run`, on any toolchain: mutations of the committed corpus, each a function of target, seed and
//!   number, so that a failure is found again from those three (`weightsmith-fuzz show`);
//! - `cargo +nightly fuzz run TARGET --features libfuzzer`, guided by coverage.

mod mutation;
mod random;
pub mod targets;

use std::path::PathBuf;

pub use mutation::Mutator;
pub use random::Random;
pub use targets::{TARGETS, Target};

/// The longest time for one input. Debug builds on a busy machine are slow; what fails here takes minutes.
pub const MOST_SECONDS: u64 = 20;

/// The most memory allocated at one moment for one input of at most [`MOST_INPUT`] bytes.
pub const MOST_BYTES: usize = 512 << 20;

/// The longest input.
pub const MOST_INPUT: usize = 256 << 10;

/// Where a target's corpus is.
pub fn corpus(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "corpus", target]
        .iter()
        .collect()
}
