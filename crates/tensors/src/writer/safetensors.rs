//! The safetensors format: a header of JSON, then the tensors' elements as they are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::encoding::Encoding;
use super::format::{OutputFormat, WrittenError};
use super::layout::{LayoutError, PlacedTensor, Shard, ShardLayout, group, sizes};
use crate::checkpoint::MAX_HEADER_BYTES;
use crate::{Checkpoint, DType, Error, TensorEntry, TensorSource};

/// Name of the index that stands beside several files.
pub const INDEX_FILE_NAME: &str = "model.safetensors.index.json";

/// The safetensors format, byte for byte as the `safetensors` crate writes it.
///
/// Within a file tensors lie by type (descending) and name.
///
/// # Examples
/// ```
/// use weightsmith_tensors::{DType, OutputFormat, Safetensors, TensorEntry, TensorInfo};
///
/// let tensor = |name: &str, rows| TensorEntry {
///     name: name.to_owned(),
///     info: TensorInfo { dtype: DType::BF16, shape: vec![rows, 8] },
/// };
/// let layout = Safetensors.layout(&[tensor("embed", 100), tensor("head", 50)], Some(2000))?;
/// let second = &layout.shards()[1];
/// assert_eq!(second.file_name, "model-00002-of-00002.safetensors");
/// // the header's length and the header come first
/// assert_eq!(layout.placed(1).offset, Safetensors.preamble(second).len() as u64);
/// assert_eq!(layout.tensor_bytes(), 2400);
/// # Ok::<(), weightsmith_tensors::LayoutError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Safetensors;

impl OutputFormat for Safetensors {
    fn encoding(&self, dtype: DType) -> Encoding {
        Encoding::plain(dtype)
    }

    fn layout(
        &self,
        tensors: &[TensorEntry],
        max_file_bytes: Option<u64>,
    ) -> Result<ShardLayout, LayoutError> {
        if let Some(reserved) = tensors.iter().find(|one| one.name == METADATA) {
            return Err(LayoutError::ReservedName {
                tensor: reserved.name.clone(),
            });
        }
        let sizes = sizes(tensors, Encoding::plain)?;
        let groups = group(&sizes, max_file_bytes.unwrap_or(u64::MAX));
        let count = groups.len();
        let shards = groups.into_iter().enumerate();
        let shards: Result<Vec<Shard>, LayoutError> = shards
            .map(|(number, group)| shard(tensors, &sizes, group, file_name(number, count)))
            .collect();
        Ok(ShardLayout::new(tensors.len(), shards?))
    }

    fn preamble(&self, shard: &Shard) -> Vec<u8> {
        let header = header(&shard.tensors, shard.preamble_bytes);
        let mut bytes = Vec::with_capacity(LENGTH_BYTES as usize + header.len());
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes
    }

    /// The index as transformers writes it where there is more than one file.
    fn index(&self, layout: &ShardLayout) -> Option<(&'static str, String)> {
        (layout.shards().len() > 1).then(|| (INDEX_FILE_NAME, index_json(layout)))
    }

    fn encode(&self, _: DType, elements: &[u8], stored: &mut [u8]) {
        stored.copy_from_slice(elements);
    }

    fn verify(
        &self,
        folder: &Path,
        layout: &ShardLayout,
        tensors: &[TensorEntry],
    ) -> Result<(), WrittenError> {
        let written = Checkpoint::open(folder)?;
        let differs = |path: &Path, what: String| {
            Err(WrittenError::Differs {
                path: path.to_owned(),
                what,
            })
        };
        let (found, planned) = (written.tensors().len(), tensors.len());
        if found != planned {
            let what = format!("{found} tensors were written, {planned} planned");
            return differs(folder, what);
        }
        for TensorEntry { name, info } in tensors {
            let found = written.find(name);
            let found = found.map(|tensor| &written.tensors()[tensor].info);
            if found != Some(info) {
                let what = format!("tensor `{name}` is {found:?}, planned was {info:?}");
                return differs(folder, what);
            }
        }
        for shard in layout.shards() {
            let path = folder.join(&shard.file_name);
            let found = fs_err::metadata(&path).map_err(Error::from)?.len();
            if found != shard.file_size {
                let what = format!("{found} bytes, planned were {}", shard.file_size);
                return differs(&path, what);
            }
        }
        Ok(())
    }
}

/// Bytes of the header's length.
const LENGTH_BYTES: u64 = 8;

/// The key of what is no tensor in a header.
const METADATA: &str = "__metadata__";

fn file_name(number: usize, of: usize) -> String {
    if of == 1 {
        "model.safetensors".to_owned()
    } else {
        format!("model-{:05}-of-{of:05}.safetensors", number + 1)
    }
}

/// One file with some of the tensors.
fn shard(
    tensors: &[TensorEntry],
    sizes: &[u64],
    group: Range<usize>,
    file_name: String,
) -> Result<Shard, LayoutError> {
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
    let header = header(&placed, 0);
    if header.len() as u64 > MAX_HEADER_BYTES {
        return Err(LayoutError::HeaderTooLong {
            file: file_name,
            found: header.len() as u64,
        });
    }
    let data_start = LENGTH_BYTES + header.len() as u64;
    for tensor in &mut placed {
        tensor.offset += data_start;
    }
    Ok(Shard {
        file_name,
        preamble_bytes: data_start,
        file_size: data_start + offset,
        tensors: placed,
    })
}

/// The place of a type in the `safetensors` crate's order.
fn rank(dtype: DType) -> usize {
    dtype as usize
}

/// The index of the files.
fn index_json(layout: &ShardLayout) -> String {
    #[derive(Serialize)]
    struct Index<'a> {
        metadata: Metadata,
        weight_map: BTreeMap<&'a str, &'a str>,
    }
    #[derive(Serialize)]
    struct Metadata {
        total_size: u64,
    }

    let weight_map = layout
        .shards()
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
            total_size: layout.tensor_bytes(),
        },
        weight_map,
    };
    let mut json = serde_json::to_string_pretty(&index)
        .expect("strings and numbers always serialise to a string");
    json.push('\n');
    json
}

/// Headers fill whole multiples of this, so that the data behind them is aligned.
const ALIGNMENT: usize = 8;

/// The JSON text, padded with blanks, exactly as the `safetensors` crate writes it.
///
/// Its offsets count from the start of the data, which is at `data_start` in the tensors' own.
fn header(tensors: &[PlacedTensor], data_start: u64) -> String {
    let entries = Entries {
        tensors,
        data_start,
    };
    let mut text =
        serde_json::to_string(&entries).expect("strings and numbers always serialise to a string");
    let padded = text.len().next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', padded - text.len()));
    text
}

struct Entries<'a> {
    tensors: &'a [PlacedTensor],
    data_start: u64,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(METADATA, &Metadata { format: "pt" })?;
        for tensor in self.tensors {
            map.serialize_entry(&tensor.name, &Entry::of(tensor, self.data_start))?;
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Metadata {
    format: &'static str,
}

#[derive(serde::Serialize)]
struct Entry<'a> {
    dtype: DType,
    shape: &'a [u64],
    data_offsets: (u64, u64),
}

impl<'a> Entry<'a> {
    fn of(tensor: &'a PlacedTensor, data_start: u64) -> Self {
        let begin = tensor.offset - data_start;
        Self {
            dtype: tensor.info.dtype,
            shape: &tensor.info.shape,
            data_offsets: (begin, begin + tensor.bytes),
        }
    }
}
