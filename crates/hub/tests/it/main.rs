//! The hub's client against a hub on loopback.

#![allow(
    clippy::unwrap_used,
    reason = "what the tests set up with is a test too"
)]

mod faults;
mod liar;
mod lies;
mod planted;
mod pull;
mod push;
mod remote;
mod search;
mod world;
