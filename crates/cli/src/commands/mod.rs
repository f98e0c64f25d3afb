//! The commands, one per file.

mod completions;
mod man;

pub(crate) use completions::run as completions;
pub(crate) use man::run as man;
