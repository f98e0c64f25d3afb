//! The protocol: routes, requests, answers.

mod admission;
mod brake;
mod caller;
mod chat;
mod completions;
mod cors;
mod door;
mod drained;
mod elsewhere;
mod failure;
mod fields;
mod guard;
mod local_paths;
mod logprobs;
mod messages;
mod metrics;
mod models;
mod openapi;
mod pages;
mod parameters;
mod pieces;
mod polish;
mod prepared;
mod receive;
mod refused;
mod routes;
mod running;
mod session;
mod shares;
mod stream;
mod tokens;

pub(crate) use caller::Connection;
pub use caller::{Caller, StreamPlace};
pub use pages::{Pages, PagesDocument};
pub use receive::{BodyError, Received, receive};
pub use routes::{router, router_with};
