//! An HTTP server that speaks OpenAI's protocol for models on disk and for merges that were never written.
//!
//! - [`Server`] listens; [`router`] is its service, for tests and for other listeners.
//! - [`ServedModel`] is a model that is named on the command line: what is known of it before it is loaded, and a function
//!   that loads it. Whoever starts the server brings these functions, so this crate knows no recipes.
//! - [`Settings`] are the limits, the addresses and the keys.
//!
//! # Threads
//!
//! This crate holds the only asynchronous code of the workspace, and it ends at a channel. A connection is a task. It parses
//! a request, asks the [registry](ModelRegistry) for the model, and sends a [`Request`] of tokens to the model's [`Engine`]:
//! a thread of the system that does nothing but steps of the decoder. Tokens come back on a channel of the request, and the
//! task makes text of them. When the client goes away the task is dropped, with it the channel's end, and the engine sees that
//! nobody listens.
//!
//! # A step
//!
//! An engine holds sequences: tokens, and a cache of some of them. What is not in the cache is pending. One pending token means
//! that the sequence is being continued, several that its prompt is being read; nothing else tells the two apart, so a sequence
//! that must be computed anew simply has an empty cache. A step takes the pending token of every sequence that is being
//! continued, and a chunk of prompts, the shortest rest first. The chunk is as large as the machine reads in a quarter of a second,
//! so a prompt of any length delays the others by no more than that, and a short request does not wait for a long one. Every fourth
//! step gives its chunk to the oldest prompt, so that none starves.
//!
//! Chunks end where the position is a multiple of [`CHUNK`], or with the prompt, whatever else is going on. So a sequence is
//! always cut the same way, and its logits do not depend on what was in the batch. What is reused of a cache ends at such
//! a place too.
//!
//! # Models
//!
//! A model is cold, loading, warm, or failed. It is loaded when first asked for, on a thread of its own. Where a memory budget
//! is set, models that nobody uses are unloaded first, the one that was used longest ago before the others.

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
