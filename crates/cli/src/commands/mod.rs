//! The commands, one per file.

mod chat;
mod check;
mod check_host;
mod completions;
mod diff;
mod eval;
mod explain;
mod generate;
mod inspect;
mod man;
mod merge;
mod methods;
mod pull;
mod push;
mod serve;
mod studio;
mod verify;

pub(crate) use chat::run as chat;
pub(crate) use check::run as check;
pub(crate) use completions::run as completions;
pub(crate) use diff::run as diff;
pub(crate) use eval::run as eval;
pub(crate) use explain::run as explain;
pub(crate) use generate::run as generate;
pub(crate) use inspect::run as inspect;
pub(crate) use man::run as man;
pub(crate) use merge::run as merge;
pub(crate) use methods::run as methods;
pub(crate) use pull::run as pull;
pub(crate) use push::run as push;
pub(crate) use serve::{open_browser_too as studio, run as serve};
pub(crate) use verify::run as verify;
