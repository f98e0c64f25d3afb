//! Where the tensors of an output go, decided before anything is written.

mod encoding;
mod format;
mod layout;
mod safetensors;

pub use encoding::{Encoding, NoSize};
pub use format::{FormatName, OutputFormat, WrittenError};
pub use layout::{LayoutError, PlacedTensor, Shard, ShardLayout};
pub use safetensors::{INDEX_FILE_NAME, Safetensors};
