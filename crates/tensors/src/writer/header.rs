//! The header of a file to be written.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::PlacedTensor;
use crate::DType;

/// Headers fill whole multiples of this, so that the data behind them is aligned.
const ALIGNMENT: usize = 8;

/// The JSON text, padded with blanks, exactly as the `safetensors` crate writes it.
///
/// The tensors' offsets must count from the start of the data.
pub(super) fn text(tensors: &[PlacedTensor]) -> String {
    let mut text = serde_json::to_string(&Entries(tensors))
        .expect("strings and numbers always serialise to a string");
    let padded = text.len().next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', padded - text.len()));
    text
}

struct Entries<'a>(&'a [PlacedTensor]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("__metadata__", &Metadata { format: "pt" })?;
        for tensor in self.0 {
            map.serialize_entry(&tensor.name, &Entry::of(tensor))?;
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
    fn of(tensor: &'a PlacedTensor) -> Self {
        Self {
            dtype: tensor.info.dtype,
            shape: &tensor.info.shape,
            data_offsets: (tensor.offset, tensor.offset + tensor.bytes),
        }
    }
}
