//! Text generation with language models, from a checkpoint on disk or an unmerged recipe.
//!
//! - [`DecoderConfig`] describes a decoder, from its `config.json`.
//! - [`Decoder`] runs it on the tensors of any [`weightsmith_tensors::TensorSource`]: tokens in, logits out, several
//!   sequences at once, each with its own [`KvCache`].
//! - [`Companions`] are the files other than weights: tokenizer, chat template, defaults.
//! - [`Session`] completes a prompt: an iterator over pieces of text.
//! - [`evaluate`] measures perplexity, divergence, exact match and multiple choice.

//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//! use weightsmith_infer::{Cancel, DecoderOptions, Message, Model, Pool, Session, TemplateOptions};
//!
//! # fn main() -> Result<(), weightsmith_infer::Error> {
//! # let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2/instruct");
//! # let folder = folder.as_path();
//! let model = Model::open(folder, Arc::new(Pool::new(2)), DecoderOptions::default())?;
//! let options = TemplateOptions { generation_prompt: true, ..TemplateOptions::default() };
//! let messages = [Message::new("user", "Where does Anna live?")];
//! let text = model.companions.template()?.render(&messages, &options)?;
//! let prompt = model.companions.tokenizer.encode(&text, false)?;
//!
//! let mut session = Session::new(&model);
//! let settings = model.companions.defaults.settings();
//! for piece in session.generate(&prompt, &settings, Cancel::default())? {
//!     print!("{}", piece?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is computed
//!
//! Activations, sums and the softmax are `f32` (norms sum in `f64`). Weights stay in their type. Keys and values are kept
//! in `bf16`, or in `f32` in [exact mode](DecoderOptions::exact), in blocks of [`CACHE_BLOCK`] positions. Attention goes
//! through the cache tile by tile, so memory grows with the length of a sequence, never with its square.
//!
//! A sequence's logits do not depend on what else is in a step nor on the number of threads. Cut differently into steps they
//! differ by rounding only, but for two rotary embeddings that look at the length of the whole sequence: with LongRoPE a
//! [`Session`] computes a sequence anew when it outgrows the original context; with dynamic NTK scaling, keys that are in
//! the cache stay as they were turned, as in transformers.

#![allow(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

mod activation;
mod attention;
mod cache;
mod caught;
pub mod config;
mod decoder;
mod error;
pub mod evaluate;
mod exponential;
mod fused;
pub mod generate;
mod linear;
mod model;
mod parallel;
mod pool;
mod rope;
pub mod text;

pub use cache::{CACHE_BLOCK, CacheType, KvCache};
pub use config::DecoderConfig;
pub use decoder::{
    Collected, Control, Decoder, DecoderOptions, MAX_PASS_TOKENS, Observer, SequenceStep, Wants,
    expected_tensors,
};
pub use error::{ConfigError, Error};
pub use generate::{
    Finish, Generation, GenerationDefaults, GenerationSettings, Report, Sampler, SamplingSettings,
    Session,
};
pub use linear::{Linear, NotAMatrix};
pub use model::Model;
pub use pool::Pool;
pub use text::{ChatTemplate, Companions, Message, TemplateOptions, Tokenizer};
pub use weightsmith_tensors::Cancel;
