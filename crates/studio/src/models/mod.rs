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
mod plan;
mod serve;
mod sources;
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
pub(crate) use describe::{describe, published, status};
pub(crate) use details::details;
pub(crate) use facts::{Facts, ParentName};
pub(crate) use files::{Picture, files, picture, tensors};
pub(crate) use host::host;
pub(crate) use locate::locate;
pub(crate) use plan::{explanation, parents_of};
pub(crate) use sources::{fingerprint, source};
pub use speech::speech;
pub(crate) use usage::Server;
pub(crate) use watch::watch;
