//! For tests and fuzzing: plans made by hand, and readers of untrusted files that are private otherwise.

pub mod example_plans;

/// The number of finished blocks that a journal of the key `key` lists.
#[cfg(feature = "testing")]
pub fn journal_blocks(bytes: &[u8]) -> usize {
    crate::run::journal_blocks(bytes)
}
