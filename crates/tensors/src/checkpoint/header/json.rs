//! The JSON text of a header as it stands: every entry in its order, duplicates included.
//!
//! What is read is kept in its final form, and its number is bounded: a text of 100 MB takes no multiple of what an honest one
//! of that size takes.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, de};

use super::{HeaderError, MAX_AXES, MAX_METADATA, MAX_NAME_BYTES, MAX_TENSORS};
use crate::DType;

const METADATA: &str = "__metadata__";

/// The longest part of a message of the JSON parser that is shown: it may quote a text of any length.
const SHOWN: usize = 300;

/// A tensor's entry. Keys beyond these are ignored, as the `safetensors` crate does.
#[derive(Debug)]
pub(super) struct RawTensor {
    pub(super) name: String,
    pub(super) dtype: RawType,
    pub(super) shape: Vec<u64>,
    pub(super) data_offsets: (u64, u64),
}

/// A type as it is named.
#[derive(Debug)]
pub(super) enum RawType {
    Known(DType),
    Unknown(String),
}

/// All entries.
#[derive(Debug, Default)]
pub(super) struct RawHeader {
    pub(super) tensors: Vec<RawTensor>,
    pub(super) metadata: Vec<(String, String)>,
}

pub(super) fn parse(text: &str) -> Result<RawHeader, HeaderError> {
    let mut entries = Entries::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = entries.deserialize(&mut json).and_then(|()| json.end());
    if let Err(source) = read {
        return Err(HeaderError::Json {
            key: entries.current,
            source: shortened(source),
        });
    }
    Ok(RawHeader {
        tensors: entries.tensors,
        metadata: metadata(entries.metadata)?,
    })
}

/// The error with a message that can be shown.
fn shortened(error: serde_json::Error) -> serde_json::Error {
    let message = error.to_string();
    if message.len() <= SHOWN {
        return error;
    }
    let start = message.floor_char_boundary(SHOWN);
    let place = format!(" at line {} column {}", error.line(), error.column());
    // the place is taken out of the message again
    serde_json::Error::custom(format!("{}…{place}", &message[..start]))
}

/// At most one `__metadata__`, with distinct keys and strings for values.
fn metadata(found: Vec<Metadata>) -> Result<Vec<(String, String)>, HeaderError> {
    if found.len() > 1 {
        return Err(HeaderError::DuplicateMetadata {
            key: METADATA.to_owned(),
        });
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (key, value) in found.into_iter().flat_map(|metadata| metadata.0) {
        let value = match value {
            MetadataValue::Text(value) => value,
            MetadataValue::Other(found) => {
                return Err(HeaderError::MetadataNotString { key, found });
            }
        };
        if !seen.insert(key.clone()) {
            return Err(HeaderError::DuplicateMetadata { key });
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// What has been read so far; `current` is the key whose value is being read, for the error message.
#[derive(Default)]
struct Entries {
    tensors: Vec<RawTensor>,
    metadata: Vec<Metadata>,
    current: Option<String>,
}

impl Entries {
    fn deserialize<'de, D: Deserializer<'de>>(&mut self, json: D) -> Result<(), D::Error> {
        DeserializeSeed::deserialize(self, json)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Entries {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Entries {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == METADATA {
                self.current = Some(key);
                if self.metadata.len() == 2 {
                    return Err(A::Error::custom("it is there more than twice"));
                }
                self.metadata.push(map.next_value()?);
            } else {
                let name = bounded_name::<A::Error>(key)?;
                if self.tensors.len() == MAX_TENSORS {
                    return Err(A::Error::custom(format_args!(
                        "more than {MAX_TENSORS} tensors"
                    )));
                }
                self.current = Some(name.clone());
                let RawEntry {
                    dtype,
                    shape: Shape(shape),
                    data_offsets,
                } = map.next_value()?;
                self.tensors.push(RawTensor {
                    name,
                    dtype,
                    shape,
                    data_offsets,
                });
            }
            self.current = None;
        }
        Ok(())
    }
}

/// A name that can be shown and kept.
fn bounded_name<E: de::Error>(name: String) -> Result<String, E> {
    if name.len() > MAX_NAME_BYTES {
        return Err(E::custom(format_args!(
            "a tensor's name has {} bytes, at most {MAX_NAME_BYTES} are allowed",
            name.len()
        )));
    }
    Ok(name)
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `dtype`, `shape` and `data_offsets`")]
struct RawEntry {
    dtype: RawType,
    shape: Shape,
    data_offsets: (u64, u64),
}

impl<'de> Deserialize<'de> for RawType {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct TypeVisitor;
        impl Visitor<'_> for TypeVisitor {
            type Value = RawType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<RawType, E> {
                Ok(match name.parse() {
                    Ok(dtype) => RawType::Known(dtype),
                    Err(_) => RawType::Unknown(name[..name.floor_char_boundary(SHOWN)].to_owned()),
                })
            }
        }
        json.deserialize_str(TypeVisitor)
    }
}

/// The sizes of a tensor's axes.
struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct ShapeVisitor;
        impl<'de> Visitor<'de> for ShapeVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sizes: A) -> Result<Shape, A::Error> {
                let mut shape = Vec::new();
                while let Some(size) = sizes.next_element()? {
                    if shape.len() == MAX_AXES {
                        return Err(A::Error::custom(format_args!(
                            "a shape of more than {MAX_AXES} axes"
                        )));
                    }
                    shape.push(size);
                }
                Ok(Shape(shape))
            }
        }
        json.deserialize_seq(ShapeVisitor)
    }
}

/// The pairs of `__metadata__` as they stand.
struct Metadata(Vec<(String, MetadataValue)>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct MetadataVisitor;
        impl<'de> Visitor<'de> for MetadataVisitor {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    if pairs.len() == MAX_METADATA {
                        return Err(A::Error::custom(format_args!(
                            "more than {MAX_METADATA} entries"
                        )));
                    }
                    pairs.push(pair);
                }
                Ok(Metadata(pairs))
            }
        }
        json.deserialize_map(MetadataVisitor)
    }
}

/// A value of `__metadata__`: a string, or the kind of thing that it is.
enum MetadataValue {
    Text(String),
    Other(&'static str),
}

impl<'de> Deserialize<'de> for MetadataValue {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(MetadataValueVisitor)
    }
}

struct MetadataValueVisitor;

impl<'de> Visitor<'de> for MetadataValueVisitor {
    type Value = MetadataValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<MetadataValue, E> {
        Ok(MetadataValue::Text(text.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<MetadataValue, E> {
        Ok(MetadataValue::Other("null"))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<MetadataValue, E> {
        Ok(MetadataValue::Other("a boolean"))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<MetadataValue, E> {
        Ok(MetadataValue::Other("a number"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<MetadataValue, E> {
        Ok(MetadataValue::Other("a number"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<MetadataValue, E> {
        Ok(MetadataValue::Other("a number"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<MetadataValue, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(MetadataValue::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MetadataValue, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(MetadataValue::Other("an object"))
    }
}
