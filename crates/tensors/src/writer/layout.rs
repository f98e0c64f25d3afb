//! Tensors to files and offsets.

use std::collections::HashSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::encoding::{Encoding, NoSize};
use crate::checkpoint::MAX_HEADER_BYTES;
use crate::{DType, TensorEntry, TensorInfo};

/// The files of a checkpoint that is to be written, as an [`OutputFormat`](super::OutputFormat) lays them out.
///
/// Tensors are grouped in the given order: one that would take a file's tensors over the limit begins the next file, so
/// a file exceeds the limit only if it has a single tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardLayout {
    shards: Vec<Shard>,
    /// For each given tensor: its shard and its position in it.
    places: Vec<(usize, usize)>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Its name.
    pub file_name: String,
    /// Bytes of what stands before the tensors.
    pub preamble_bytes: u64,
    /// The tensors by their place in the file.
    pub tensors: Vec<PlacedTensor>,
    /// Size of the file.
    pub file_size: u64,
}

/// A tensor in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedTensor {
    /// Its index among the tensors that were given.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Type and shape.
    pub info: TensorInfo,
    /// Where its bytes begin in the file.
    pub offset: u64,
    /// Their number.
    pub bytes: u64,
}

/// Tensors cannot be laid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields say in words what the message says")]
pub enum LayoutError {
    /// Two tensors have the same name.
    #[error("two tensors are named `{tensor}`")]
    Duplicate { tensor: String },
    /// `__metadata__` is no tensor in a safetensors file.
    #[error("a tensor cannot be named `{tensor}` in a safetensors file")]
    ReservedName { tensor: String },
    /// The size of a tensor, or of all, does not fit 64 bits.
    #[error("tensor `{tensor}`: the size up to here does not fit 64 bits")]
    TooLarge { tensor: String },
    /// The elements of a packed type do not fill whole bytes.
    #[error("tensor `{tensor}`: {dtype}{shape:?} does not fill whole bytes")]
    PartialByte {
        tensor: String,
        dtype: DType,
        shape: Vec<u64>,
    },
    /// More and longer names than a header may hold.
    #[error(
        "`{file}` needs a header of {found} bytes, the limit is {MAX_HEADER_BYTES}; use smaller shards"
    )]
    HeaderTooLong { file: String, found: u64 },
}

impl ShardLayout {
    /// The layout of files that hold these shards of `tensors` tensors, each once.
    pub(super) fn new(tensors: usize, shards: Vec<Shard>) -> Self {
        let mut places = vec![(0, 0); tensors];
        for (number, shard) in shards.iter().enumerate() {
            for (position, tensor) in shard.tensors.iter().enumerate() {
                places[tensor.index] = (number, position);
            }
        }
        Self { shards, places }
    }

    /// The files, in order; at least one.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The file of a given tensor, as an index of [`Self::shards`].
    ///
    /// # Panics
    /// When there is no such tensor.
    pub fn shard_of(&self, tensor: usize) -> usize {
        self.places[tensor].0
    }

    /// Where a given tensor goes.
    ///
    /// # Panics
    /// When there is no such tensor.
    pub fn placed(&self, tensor: usize) -> &PlacedTensor {
        let (shard, position) = self.places[tensor];
        &self.shards[shard].tensors[position]
    }

    /// Bytes of all tensors, headers not counted.
    pub fn tensor_bytes(&self) -> u64 {
        self.shards
            .iter()
            .map(|shard| shard.file_size - shard.preamble_bytes)
            .sum()
    }

    /// Bytes of all files.
    pub fn file_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.file_size).sum()
    }
}

/// Bytes of each tensor, once all are known to be possible.
pub(super) fn sizes(
    tensors: &[TensorEntry],
    encoding: impl Fn(DType) -> Encoding,
) -> Result<Vec<u64>, LayoutError> {
    // room for a header in front, so that no offset can overflow later
    let mut total: u64 = 8 + MAX_HEADER_BYTES;
    let mut names = HashSet::with_capacity(tensors.len());
    let mut sizes = Vec::with_capacity(tensors.len());
    for TensorEntry { name, info } in tensors {
        let tensor = || name.clone();
        if !names.insert(name) {
            return Err(LayoutError::Duplicate { tensor: tensor() });
        }
        let size = match encoding(info.dtype).bytes_of(&info.shape) {
            Ok(size) => size,
            Err(NoSize::TooLarge) => return Err(LayoutError::TooLarge { tensor: tensor() }),
            Err(NoSize::PartialUnit) => {
                return Err(LayoutError::PartialByte {
                    tensor: tensor(),
                    dtype: info.dtype,
                    shape: info.shape.clone(),
                });
            }
        };
        total = total
            .checked_add(size)
            .ok_or_else(|| LayoutError::TooLarge { tensor: tensor() })?;
        sizes.push(size);
    }
    Ok(sizes)
}

/// Consecutive tensors that share a file; one empty group if there are none.
pub(super) fn group(sizes: &[u64], limit: u64) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, size) in sizes.iter().enumerate() {
        if index > start && bytes + size > limit {
            groups.push(start..index);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    groups.push(start..sizes.len());
    groups
}
