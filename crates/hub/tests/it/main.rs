//! The hub's client against a hub on loopback.

mod faults;
mod pull;
mod push;
mod remote;
mod world;
