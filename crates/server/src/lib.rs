//! An OpenAI-compatible HTTP server for models on disk and unmerged recipes.
//!
//! - [`Server`] listens; [`router`] is its service, for tests and other listeners.
//! - [`ServedModel`] is a model to serve: its facts before loading, and a function that loads it. The caller provides these
//!   functions, so this crate has no notion of recipes.
//! - [`Settings`] are the limits, addresses and keys.
//!
//! # Threads
//!
//! This crate has almost all of the workspace's asynchronous code, which ends at a channel. Each connection is a task. It
//! parses a request, gets the model from the [registry](ModelRegistry), and sends a [`Request`] of tokens to the model's
//! [`Engine`], an OS thread that only runs decoder steps. Tokens return on the request's channel, and the task converts them
//! to text. When the client disconnects, the task and its end of the channel are dropped, and the engine drops the sequence.
//!
//! # Steps
//!
//! An engine holds sequences: their tokens, and a cache of some of them. Tokens that are not cached are pending. A sequence
//! with one pending token is decoding; one with several is still processing its prompt. Nothing else distinguishes the two, so
//! a sequence that must be recomputed simply has an empty cache. A step processes the pending token of every decoding sequence
//! and a chunk of prompts, starting with the shortest remainder. The chunk is as large as the machine can process in a quarter
//! of a second, so prompts of any length delay other sequences by no more than that, and short requests do not wait for long
//! ones. Every fourth step gives its chunk to the oldest prompt, so that none starves.
//!
//! Chunks end where the position is a multiple of [`CHUNK`], or at the end of the prompt, regardless of load. A sequence is
//! therefore always cut the same way, and its logits do not depend on the rest of the batch. Reused cache prefixes end at such
//! positions too.
//!
//! # Models
//!
//! A model is cold, loading, warm, or failed. It is loaded on first use, on a thread of its own. With a memory budget, idle
//! models are unloaded first, least recently used first.

mod descriptors;
mod engine;
mod error;
mod http;
mod listen;
mod models;
mod patient;
mod places;
mod settings;

pub use engine::{
    CHUNK, Ending, Engine, EngineSettings, Event, Request, Statistics, TokenLogprobs,
};
pub use error::ServerError;
pub use http::{
    BodyError, Caller, Pages, PagesDocument, Received, StreamPlace, receive, router, router_with,
};
pub use listen::Server;
pub use models::{CountedSource, LoadProgress, ModelFacts, ModelRegistry, ModelState, ServedModel};
pub use settings::Settings;
