//! Tensors to files and offsets.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::header;
use crate::checkpoint::{MAX_HEADER_BYTES, bits_of};
use crate::{DType, TensorEntry, TensorInfo};

/// Name of the file that [`ShardLayout::index_json`] belongs in.
pub const INDEX_FILE_NAME: &str = "model.safetensors.index.json";

/// The files of a checkpoint that is to be written.
///
/// Tensors are grouped in the given order: one that would take a file's tensors over the limit begins the next file, so
/// a file exceeds the limit only if it has a single tensor. Within a file they lie as the `safetensors` crate would lay
/// them, by type (descending) and name.
///
/// # Examples
/// ```
/// use weightsmith_tensors::{DType, ShardLayout, TensorEntry, TensorInfo};
///
/// let tensor = |name: &str, rows| TensorEntry {
///     name: name.to_owned(),
///     info: TensorInfo { dtype: DType::BF16, shape: vec![rows, 8] },
/// };
/// let layout = ShardLayout::plan(&[tensor("embed", 100), tensor("head", 50)], Some(2000))?;
/// assert_eq!(layout.shards()[1].file_name, "model-00002-of-00002.safetensors");
/// // the header's length and the header come first
/// assert_eq!(layout.placed(1).offset, layout.shards()[1].start().len() as u64);
/// assert_eq!(layout.tensor_bytes(), 2400);
/// # Ok::<(), weightsmith_tensors::LayoutError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardLayout {
    shards: Vec<Shard>,
    /// For each given tensor: its shard and its position in it.
    places: Vec<(usize, usize)>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// `model.safetensors` or `model-00001-of-00003.safetensors`.
    pub file_name: String,
    /// The header's JSON text with its padding.
    pub header: String,
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
    /// Lays tensors out in files of at most `max_shard_bytes` of tensor data (headers are not counted), or in one.
    ///
    /// # Errors
    /// When the tensors do not make valid files.
    pub fn plan(
        tensors: &[TensorEntry],
        max_shard_bytes: Option<u64>,
    ) -> Result<Self, LayoutError> {
        let sizes = sizes(tensors)?;
        let groups = group(&sizes, max_shard_bytes.unwrap_or(u64::MAX));
        let mut places = vec![(0, 0); tensors.len()];
        let mut shards = Vec::with_capacity(groups.len());
        for (number, group) in groups.iter().enumerate() {
            let shard = Shard::plan(
                tensors,
                &sizes,
                group.clone(),
                file_name(number, groups.len()),
            )?;
            for (position, tensor) in shard.tensors.iter().enumerate() {
                places[tensor.index] = (number, position);
            }
            shards.push(shard);
        }
        Ok(Self { shards, places })
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
            .map(|shard| shard.file_size - shard.data_start())
            .sum()
    }

    /// Bytes of all files.
    pub fn file_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.file_size).sum()
    }

    /// The index of the files, as transformers writes it where there is more than one.
    pub fn index_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Index<'a> {
            metadata: Metadata,
            weight_map: BTreeMap<&'a str, &'a str>,
        }
        #[derive(Serialize)]
        struct Metadata {
            total_size: u64,
        }

        let weight_map = self
            .shards
            .iter()
            .flat_map(|shard| {
                let file = shard.file_name.as_str();
                shard
                    .tensors
                    .iter()
                    .map(move |tensor| (tensor.name.as_str(), file))
            })
            .collect();
        let index = Index {
            metadata: Metadata {
                total_size: self.tensor_bytes(),
            },
            weight_map,
        };
        let mut json = serde_json::to_vec_pretty(&index)
            .expect("strings and numbers always serialise to a vector");
        json.push(b'\n');
        json
    }
}

impl Shard {
    fn plan(
        tensors: &[TensorEntry],
        sizes: &[u64],
        group: Range<usize>,
        file_name: String,
    ) -> Result<Self, LayoutError> {
        let mut order: Vec<usize> = group.collect();
        order.sort_by(|&left, &right| {
            let (left, right) = (&tensors[left], &tensors[right]);
            rank(right.info.dtype)
                .cmp(&rank(left.info.dtype))
                .then_with(|| left.name.cmp(&right.name))
        });
        let mut offset = 0;
        let mut placed: Vec<PlacedTensor> = order
            .into_iter()
            .map(|index| {
                let tensor = PlacedTensor {
                    index,
                    name: tensors[index].name.clone(),
                    info: tensors[index].info.clone(),
                    offset,
                    bytes: sizes[index],
                };
                offset += tensor.bytes;
                tensor
            })
            .collect();
        let header = header::text(&placed);
        if header.len() as u64 > MAX_HEADER_BYTES {
            return Err(LayoutError::HeaderTooLong {
                file: file_name,
                found: header.len() as u64,
            });
        }
        let data_start = 8 + header.len() as u64;
        for tensor in &mut placed {
            tensor.offset += data_start;
        }
        Ok(Self {
            file_name,
            header,
            file_size: data_start + offset,
            tensors: placed,
        })
    }

    /// Where the tensors' bytes begin.
    pub fn data_start(&self) -> u64 {
        8 + self.header.len() as u64
    }

    /// What stands before the tensors' bytes: the header's length and the header.
    pub fn start(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.data_start() as usize);
        bytes.extend((self.header.len() as u64).to_le_bytes());
        bytes.extend(self.header.as_bytes());
        bytes
    }
}

/// Bytes of each tensor, once all are known to be possible.
fn sizes(tensors: &[TensorEntry]) -> Result<Vec<u64>, LayoutError> {
    // room for a header in front, so that no offset can overflow later
    let mut total: u64 = 8 + MAX_HEADER_BYTES;
    let mut names = HashSet::with_capacity(tensors.len());
    let mut sizes = Vec::with_capacity(tensors.len());
    for TensorEntry { name, info } in tensors {
        let tensor = || name.clone();
        if name == "__metadata__" {
            return Err(LayoutError::ReservedName { tensor: tensor() });
        }
        if !names.insert(name) {
            return Err(LayoutError::Duplicate { tensor: tensor() });
        }
        let bits = bits_of(info.dtype, &info.shape)
            .ok_or_else(|| LayoutError::TooLarge { tensor: tensor() })?;
        if bits % 8 != 0 {
            return Err(LayoutError::PartialByte {
                tensor: tensor(),
                dtype: info.dtype,
                shape: info.shape.clone(),
            });
        }
        total = total
            .checked_add(bits / 8)
            .ok_or_else(|| LayoutError::TooLarge { tensor: tensor() })?;
        sizes.push(bits / 8);
    }
    Ok(sizes)
}

/// Consecutive tensors that share a file; one empty group if there are none.
fn group(sizes: &[u64], limit: u64) -> Vec<Range<usize>> {
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

fn file_name(number: usize, of: usize) -> String {
    if of == 1 {
        "model.safetensors".to_owned()
    } else {
        format!("model-{:05}-of-{of:05}.safetensors", number + 1)
    }
}

/// The place of a type in the `safetensors` crate's order.
fn rank(dtype: DType) -> usize {
    dtype as usize
}
