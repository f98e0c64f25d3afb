//! The server's protocol on the trained fixtures, without a network.

mod chats;
mod completions;
mod guards;
mod limits;
mod local_paths;
mod models;
mod pages;
mod same_tokens;
mod tokenizers;
mod world;
