//! The header of a safetensors file, read as untrusted input.
//!
//! The format: <https://github.com/huggingface/safetensors#format>. Eight bytes give the length of a JSON text, which
//! maps tensor names to type, shape and the range of their bytes behind it.

mod json;

use std::collections::HashSet;

use crate::{DType, TensorInfo};

/// The longest header that the format allows (`MAX_HEADER_SIZE` of the `safetensors` crate).
pub const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The most tensors of a file, and of an index. A mixture of 384 experts over 60 layers, with scales, has some 200,000.
pub(super) const MAX_TENSORS: usize = 1_000_000;

/// The most axes of a tensor: PyTorch and NumPy have no more.
const MAX_AXES: usize = 64;

/// The longest name of a tensor, in bytes. Real ones have fewer than 300.
const MAX_NAME_BYTES: usize = 4096;

/// The most entries of `__metadata__`. Trainers that write each setting as one have some 200.
const MAX_METADATA: usize = 100_000;

/// Bytes in front of the JSON text: its length as a little-endian `u64`.
const LENGTH_BYTES: u64 = 8;

/// What is wrong with a safetensors header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields say in words what the message says")]
pub enum HeaderError {
    /// The file ends before its header or its data do.
    #[error("truncated: {found} bytes, the header asks for {expected}")]
    Truncated { found: u64, expected: u64 },

    /// The first eight bytes give a length above [`MAX_HEADER_BYTES`]: most likely not a safetensors file.
    #[error(
        "not a safetensors file: a header of {found} bytes, at most {MAX_HEADER_BYTES} are allowed"
    )]
    TooLong { found: u64 },

    /// The header is empty or its first byte is not `{`.
    #[error("not a safetensors file: the header starts with {}, not with `{{`", first_byte(*.found))]
    NoBrace { found: Option<u8> },

    /// The header is not UTF-8.
    #[error("the header is not UTF-8 at byte {position}")]
    Utf8 { position: usize },

    /// The header is not JSON of the expected form.
    #[error("the header is not valid{}: {source}", at_key(.key.as_deref()))]
    Json {
        /// The tensor (or `__metadata__`) whose entry was being read.
        key: Option<String>,
        /// What the JSON parser says, with line and column within the header.
        source: serde_json::Error,
    },

    /// Two tensors have the same name.
    #[error("tensor `{tensor}` is in the header twice")]
    DuplicateTensor { tensor: String },

    /// A key of `__metadata__`, or `__metadata__` itself, is there twice.
    #[error("key `{key}` is in the header's metadata twice")]
    DuplicateMetadata { key: String },

    /// A value of `__metadata__` is not a string.
    #[error("metadata `{key}` is {found}, not a string")]
    MetadataNotString { key: String, found: &'static str },

    /// An element type that the format does not have.
    #[error("tensor `{tensor}`: `{found}` is not a safetensors element type")]
    UnknownDType { tensor: String, found: String },

    /// The number of elements or bits of a shape does not fit 64 bits.
    #[error("tensor `{tensor}`: the size of {dtype}{shape:?} does not fit 64 bits")]
    SizeOverflow {
        tensor: String,
        dtype: DType,
        shape: Vec<u64>,
    },

    /// The elements of a packed type do not fill whole bytes.
    #[error("tensor `{tensor}`: {dtype}{shape:?} has {bits} bits, which do not fill whole bytes")]
    PartialByte {
        tensor: String,
        dtype: DType,
        shape: Vec<u64>,
        bits: u64,
    },

    /// The range of bytes ends before it begins.
    #[error("tensor `{tensor}`: its bytes end at {end}, before they begin at {begin}")]
    ReversedOffsets {
        tensor: String,
        begin: u64,
        end: u64,
    },

    /// The range of bytes has another size than type and shape.
    #[error("tensor `{tensor}`: {found} bytes, {dtype}{shape:?} takes {expected}")]
    SizeMismatch {
        tensor: String,
        dtype: DType,
        shape: Vec<u64>,
        found: u64,
        expected: u64,
    },

    /// The range of bytes ends where no file can.
    #[error("tensor `{tensor}`: its bytes end at {end}, out of any file's bounds")]
    OutOfBounds { tensor: String, end: u64 },

    /// A tensor begins before the tensor in front of it ends.
    #[error("tensor `{tensor}` begins at byte {begin}, before `{other}` ends at {end}")]
    Overlap {
        tensor: String,
        begin: u64,
        other: String,
        end: u64,
    },

    /// Bytes between two tensors belong to none.
    #[error(
        "tensor `{tensor}` begins at byte {begin}, where {expected} was expected: the bytes between belong to no tensor"
    )]
    Hole {
        tensor: String,
        begin: u64,
        expected: u64,
    },

    /// Bytes behind the last tensor belong to none.
    #[error("{found} bytes, the header accounts for {expected}")]
    TrailingBytes { found: u64, expected: u64 },
}

/// `byte 0x3c`, or `nothing`.
fn first_byte(found: Option<u8>) -> String {
    found.map_or_else(|| "nothing".to_owned(), |byte| format!("byte {byte:#04x}"))
}

/// ` at tensor ...`, or nothing.
fn at_key(key: Option<&str>) -> String {
    key.map_or_else(String::new, |key| format!(" at `{key}`"))
}

/// A tensor as a header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderTensor {
    /// The tensor's name.
    pub name: String,
    /// Type and shape.
    pub info: TensorInfo,
    /// Where its bytes begin, counted from the start of the file. Their number is [`TensorInfo::bytes`].
    pub offset: u64,
}

/// A header that has passed every check: its tensors fill the file's data without overlap or hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The tensors by their place in the file; the order in the JSON text does not matter.
    pub tensors: Vec<HeaderTensor>,
    /// The entries of `__metadata__`, in the header's order.
    pub metadata: Vec<(String, String)>,
    /// Where the tensors' bytes begin, counted from the start of the file.
    pub data_start: u64,
    /// BLAKE3 of the JSON text with its padding, in hexadecimal.
    pub hash: String,
}

impl Header {
    /// Length of the JSON text, from the first eight bytes of a file and the file's size.
    ///
    /// # Errors
    /// [`HeaderError::Truncated`] or [`HeaderError::TooLong`].
    pub fn json_length(start: &[u8], file_size: u64) -> Result<u64, HeaderError> {
        let Some(length) = start.first_chunk::<8>() else {
            return Err(HeaderError::Truncated {
                found: file_size.min(start.len() as u64),
                expected: LENGTH_BYTES,
            });
        };
        let length = u64::from_le_bytes(*length);
        if length > MAX_HEADER_BYTES {
            return Err(HeaderError::TooLong { found: length });
        }
        if file_size < LENGTH_BYTES + length {
            return Err(HeaderError::Truncated {
                found: file_size,
                expected: LENGTH_BYTES + length,
            });
        }
        Ok(length)
    }

    /// Reads the header from the start of a file (all of it or at least the header) and checks it against the file's size.
    ///
    /// # Errors
    /// Whatever is wrong with it first.
    pub fn parse(start: &[u8], file_size: u64) -> Result<Self, HeaderError> {
        let length = Self::json_length(start, file_size)?;
        let data_start = LENGTH_BYTES + length;
        let json = start
            .get(LENGTH_BYTES as usize..data_start as usize)
            .ok_or(HeaderError::Truncated {
                found: start.len() as u64,
                expected: data_start,
            })?;
        if json.first() != Some(&b'{') {
            return Err(HeaderError::NoBrace {
                found: json.first().copied(),
            });
        }
        let text = std::str::from_utf8(json).map_err(|error| HeaderError::Utf8 {
            position: error.valid_up_to(),
        })?;
        let raw = json::parse(text)?;
        Ok(Self {
            tensors: place(raw.tensors, data_start, file_size)?,
            metadata: raw.metadata,
            data_start,
            hash: blake3::hash(json).to_hex().to_string(),
        })
    }
}

/// Checks every tensor and that together they fill the data, and sorts them by offset.
fn place(
    raw: Vec<json::RawTensor>,
    data_start: u64,
    file_size: u64,
) -> Result<Vec<HeaderTensor>, HeaderError> {
    ensure_unique(&raw)?;
    let mut placed = raw
        .into_iter()
        .map(|tensor| {
            let offsets = tensor.data_offsets;
            let (name, info) = tensor_info(tensor)?;
            Ok((offsets, name, info))
        })
        .collect::<Result<Vec<_>, HeaderError>>()?;
    // equal offsets are those of empty tensors, which stay in the order of the text
    placed.sort_by_key(|(offsets, ..)| *offsets);

    let mut tensors: Vec<HeaderTensor> = Vec::with_capacity(placed.len());
    let mut position = 0;
    for ((begin, end), name, info) in placed {
        if begin < position {
            return Err(HeaderError::Overlap {
                tensor: name,
                begin,
                other: tensors.pop().map_or_else(String::new, |last| last.name),
                end: position,
            });
        }
        if begin > position {
            return Err(HeaderError::Hole {
                tensor: name,
                begin,
                expected: position,
            });
        }
        if end.checked_add(data_start).is_none() {
            return Err(HeaderError::OutOfBounds { tensor: name, end });
        }
        position = end;
        tensors.push(HeaderTensor {
            name,
            info,
            offset: data_start + begin,
        });
    }

    let expected = data_start + position;
    match file_size.cmp(&expected) {
        std::cmp::Ordering::Less => Err(HeaderError::Truncated {
            found: file_size,
            expected,
        }),
        std::cmp::Ordering::Greater => Err(HeaderError::TrailingBytes {
            found: file_size,
            expected,
        }),
        std::cmp::Ordering::Equal => Ok(tensors),
    }
}

fn ensure_unique(raw: &[json::RawTensor]) -> Result<(), HeaderError> {
    let mut seen = HashSet::with_capacity(raw.len());
    match raw.iter().find(|tensor| !seen.insert(&tensor.name)) {
        Some(twice) => Err(HeaderError::DuplicateTensor {
            tensor: twice.name.clone(),
        }),
        None => Ok(()),
    }
}

/// Name, type and shape of one tensor, once they agree with its range of bytes.
fn tensor_info(raw: json::RawTensor) -> Result<(String, TensorInfo), HeaderError> {
    let (tensor, shape) = (raw.name, raw.shape);
    let dtype = match raw.dtype {
        json::RawType::Known(dtype) => dtype,
        json::RawType::Unknown(found) => return Err(HeaderError::UnknownDType { tensor, found }),
    };
    let Some(bits) = bits_of(dtype, &shape) else {
        return Err(HeaderError::SizeOverflow {
            tensor,
            dtype,
            shape,
        });
    };
    if bits % 8 != 0 {
        return Err(HeaderError::PartialByte {
            tensor,
            dtype,
            shape,
            bits,
        });
    }
    let (begin, end) = raw.data_offsets;
    let Some(found) = end.checked_sub(begin) else {
        return Err(HeaderError::ReversedOffsets { tensor, begin, end });
    };
    if found != bits / 8 {
        return Err(HeaderError::SizeMismatch {
            tensor,
            dtype,
            shape,
            found,
            expected: bits / 8,
        });
    }
    Ok((tensor, TensorInfo { dtype, shape }))
}

/// Size of a tensor in bits, unless it overflows; a zero among the sizes does not excuse an overflow before it.
fn bits_of(dtype: DType, shape: &[u64]) -> Option<u64> {
    shape
        .iter()
        .try_fold(1_u64, |product, &size| product.checked_mul(size))?
        .checked_mul(dtype.bits())
}
