//! The protocol: routes, requests, answers.

mod admission;
mod body;
mod chat;
mod completions;
mod failure;
mod fields;
mod guard;
mod local_paths;
mod logprobs;
mod metrics;
mod models;
mod openapi;
mod pages;
mod parameters;
mod pieces;
mod routes;
mod running;
mod session;
mod stream;
mod tokens;

pub use pages::Pages;
pub use routes::{router, router_with};
