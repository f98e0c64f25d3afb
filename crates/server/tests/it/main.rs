//! The server's protocol on the trained fixtures, without a network.

mod chats;
mod completions;
mod connections;
mod guards;
mod limits;
mod local_paths;
mod models;
mod pages;
mod panics;
mod same_tokens;
mod tokenizers;
mod world;
