//! Checkpoints on disk: safetensors headers, model folders, mapped files.

mod blocks;
mod companions;
mod contents;
mod file_head;
mod folder;
mod header;
mod index;
mod lost_pages;
mod mapping;
mod model;
mod regular_file;
mod remote_files;
mod shard_file;
mod unfinished;
mod weight_files;
mod wrappers;

pub use blocks::BlockCache;
pub use companions::is_companion;
pub use contents::{RangeSource, RemoteFile};
pub use folder::{Checkpoint, UnindexedTensor};
pub use header::{Header, HeaderError, HeaderTensor, MAX_HEADER_BYTES};
pub use index::indexed_files;
pub(crate) use regular_file::text_of;
pub use regular_file::{
    MAX_SMALL_FILE_BYTES, MAX_VOCABULARY_BYTES, UnreadableFile, open_regular, read_companion,
    read_companion_text, read_given_text, read_regular, read_regular_text,
};
pub use remote_files::RemoteRead;
pub use shard_file::ShardFile;
pub use unfinished::{MOVING_MARKER, WORKING_FOLDER, refuse_unfinished};
pub use weight_files::WeightFiles;
