//! Text from language models: from a checkpoint on disk, or from a merge that was never written.
//!
//! - [`ModelConfig`] describes a decoder, from its `config.json`.
//! - [`Decoder`] runs it on the tensors of any [`weightsmith_tensors::TensorSource`]: tokens in, logits out, several
//!   sequences at once, each with its own [`KvCache`].

#![allow(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

mod activation;
mod attention;
mod cache;
pub mod config;
mod decoder;
mod error;
mod exponential;
mod linear;
mod parallel;
mod pool;
mod rope;

pub use cache::{CACHE_BLOCK, CacheType, KvCache};
pub use config::ModelConfig;
pub use decoder::{
    Collected, Control, Decoder, DecoderOptions, MAX_PASS_TOKENS, Observer, SequenceStep, Wants,
};
pub use error::{ConfigError, Error};
pub use linear::{Linear, NotAMatrix};
pub use pool::Pool;
