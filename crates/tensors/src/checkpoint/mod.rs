//! Checkpoints on disk: safetensors headers, model folders, mapped files.

mod blocks;
mod companions;
mod contents;
mod folder;
mod header;
mod index;
mod mapping;
mod remote_files;
mod unfinished;
mod weight_files;

pub use blocks::BlockCache;
pub use companions::is_companion;
pub use contents::{RangeSource, RemoteFile};
pub use folder::{Checkpoint, ShardFile, UnindexedTensor};
pub(crate) use header::bits_of;
pub use header::{Header, HeaderError, HeaderTensor, MAX_HEADER_BYTES};
pub use index::indexed_files;
pub use remote_files::RemoteRead;
pub use unfinished::{MOVING_MARKER, WORKING_FOLDER, refuse_unfinished};
pub use weight_files::WeightFiles;
