//! The crate from the outside.

#![allow(
    clippy::unwrap_used,
    reason = "the exception for tests does not reach the helpers of an integration test"
)]

mod casts;
mod checkpoints;
mod headers;
mod kernels;
mod layouts;
mod malformed;
mod random;
mod selection;
