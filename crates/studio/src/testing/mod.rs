//! What only tests and fuzzing need.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod work;
#[cfg(test)]
mod world;

#[cfg(test)]
pub(crate) use contract::Operation;
#[cfg(test)]
pub(crate) use work::{message, work};
#[cfg(test)]
pub(crate) use world::{Opened, Told, World, copy, fixtures};

/// A model card as the page shows it: a reader of untrusted text that is private otherwise, for fuzzing.
#[cfg(feature = "testing")]
pub fn card_html(markdown: &str) -> String {
    crate::models::card_html(markdown)
}
