//! Where the tensors of an output go, decided before anything is written.

mod header;
mod layout;

pub use layout::{INDEX_FILE_NAME, LayoutError, PlacedTensor, Shard, ShardLayout};
