//! The commands, one per file.

mod check;
mod completions;
mod diff;
mod explain;
mod inspect;
mod man;
mod merge;
mod methods;
mod verify;

pub(crate) use check::run as check;
pub(crate) use completions::run as completions;
pub(crate) use diff::run as diff;
pub(crate) use explain::run as explain;
pub(crate) use inspect::run as inspect;
pub(crate) use man::run as man;
pub(crate) use merge::run as merge;
pub(crate) use methods::run as methods;
pub(crate) use verify::run as verify;
