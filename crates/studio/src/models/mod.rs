//! The models that a studio shows: found in folders and in the Hugging Face cache, made here, given at the start, or not
//! written at all.

mod card;
mod card_cache;
mod catalogue;
mod describe;
mod details;
mod discover;
mod facts;
mod files;
mod host;
mod locate;
mod markdown;
mod markup_cost;
mod names;
mod parents;
mod serve;
mod speech;
#[cfg(test)]
mod tests;
mod usage;
mod watch;

pub(crate) use card::card;
#[cfg(feature = "testing")]
pub(crate) use card::card_html;
pub(crate) use card_cache::CardCache;
pub(crate) use catalogue::{Catalogue, Entry, Preview};
pub(crate) use details::{details, recipe};
pub(crate) use facts::{Facts, ParentName, sorted};
pub(crate) use files::{Picture, files, picture, tensors};
pub(crate) use host::host;
pub(crate) use parents::parents_of;
pub use speech::speech;
pub(crate) use usage::Server;
pub(crate) use watch::watch;
