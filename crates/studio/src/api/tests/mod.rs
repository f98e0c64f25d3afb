//! The interface behind the server's guard, asked in memory.

mod events;
mod guard;
mod hub;
mod limits;
mod recipes;
mod runs;
mod service;
mod stores;
