//! Checkpoints as bytes and as typed tensors.
//!
//! - [`Checkpoint`] opens a model folder or a safetensors file from its headers and provides the tensors' bytes.
//! - [`ModelSource`] is a model: its tensors, its other files and its identity; a [`Checkpoint`] is one.
//! - [`widen_f32`], [`narrow_f32`] and similar functions convert bytes to numbers exactly, and back with one rounding.
//! - [`kernels`] are the loops of a merge, with identical results on every CPU.
//! - [`OutputFormat`] determines how a checkpoint is written, and [`ShardLayout`] where each tensor goes.
//! - [`json`] parses the JSON files of models.
//! - [`FileBlocks`] hashes a file from blocks in any order.

#![allow(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

mod block_hash;
mod cancel;
pub mod cast;
mod checkpoint;
mod dtype;
mod error;
pub mod json;
pub mod kernels;
mod main_dtype;
mod model;
mod real;
mod size;
mod source;
#[cfg(feature = "testing")]
pub mod testing;
mod writer;

pub use block_hash::{BlockHash, FileBlocks, HASH_BLOCK, HashError, ParseHashError};
pub use cancel::Cancel;
pub use cast::{
    CastError, can_narrow, can_widen, narrow_f32, narrow_f64, non_finite_in, widen_f32, widen_f64,
};
pub use checkpoint::{
    BlockCache, Checkpoint, Header, HeaderError, HeaderTensor, MAX_HEADER_BYTES,
    MAX_SMALL_FILE_BYTES, MAX_VOCABULARY_BYTES, MOVING_MARKER, RangeSource, RemoteFile, RemoteRead,
    ShardFile, UnindexedTensor, UnreadableFile, WORKING_FOLDER, WeightFiles, indexed_files,
    is_companion, open_regular, read_companion, read_companion_text, read_given_text, read_regular,
    read_regular_text, refuse_unfinished,
};
pub use dtype::{DType, UnknownDType};
pub use error::Error;
pub use main_dtype::{elements_by_dtype, main_dtype};
pub use model::{
    Companion, CompanionError, ModelFiles, ModelFolder, ModelIdentity, ModelSource, comes_along,
    foreign_target,
};
pub use real::Real;
pub use size::{SizeError, parse_size};
pub use source::{ComputedSource, ReadMemory, TensorEntry, TensorInfo, TensorSource};
pub use writer::{
    Encoding, FormatName, INDEX_FILE_NAME, LayoutError, NoSize, OutputFormat, PlacedTensor,
    Safetensors, Shard, ShardLayout, WrittenError,
};
