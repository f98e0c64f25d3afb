//! Text from language models: from a checkpoint on disk, or from a merge that was never written.
//!
//! - [`ModelConfig`] describes a decoder, from its `config.json`.
//! - [`Decoder`] runs it on the tensors of any [`weightsmith_tensors::TensorSource`]: tokens in, logits out, several
//!   sequences at once, each with its own [`KvCache`].
//! - [`Companions`] are the files beside the weights: tokenizer, chat template, defaults.
//! - [`Session`] continues a prompt: an iterator over pieces of text.

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
pub mod generate;
mod linear;
mod parallel;
mod pool;
mod rope;
pub mod text;

pub use cache::{CACHE_BLOCK, CacheType, KvCache};
pub use config::ModelConfig;
pub use decoder::{
    Collected, Control, Decoder, DecoderOptions, MAX_PASS_TOKENS, Observer, SequenceStep, Wants,
};
pub use error::{ConfigError, Error};
pub use generate::{
    Cancel, Finish, Generation, GenerationDefaults, GenerationSettings, Model, Report, Sampler, SamplingSettings, Session,
};
pub use linear::{Linear, NotAMatrix};
pub use pool::Pool;
pub use text::{ChatTemplate, Companions, Message, TemplateOptions, Tokenizer};
