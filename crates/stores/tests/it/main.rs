//! Models in stores, against one in memory.

#![allow(
    clippy::unwrap_used,
    reason = "what the tests set up with is a test too"
)]

mod read;
mod upload;
mod world;
