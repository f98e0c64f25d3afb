//! The protocol: routes, requests, answers.

mod admission;
mod body;
mod chat;
mod completions;
mod failure;
mod fields;
mod guard;
mod logprobs;
mod metrics;
mod models;
mod openapi;
mod parameters;
mod pieces;
mod routes;
mod running;
mod stream;
mod tokens;

pub use routes::router;
