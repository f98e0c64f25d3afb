//! Models in stores, against one in memory.

mod read;
mod upload;
mod world;
