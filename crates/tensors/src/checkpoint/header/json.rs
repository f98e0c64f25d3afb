//! The JSON text of a header as it stands: every entry in its order, duplicates included.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::HeaderError;

const METADATA: &str = "__metadata__";

/// A tensor's entry. Keys beyond these are ignored, as the `safetensors` crate does.
#[derive(Debug, Deserialize)]
pub(super) struct RawTensor {
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
    pub(super) data_offsets: (u64, u64),
}

/// All entries.
#[derive(Debug, Default)]
pub(super) struct RawHeader {
    pub(super) tensors: Vec<(String, RawTensor)>,
    pub(super) metadata: Vec<(String, String)>,
}

pub(super) fn parse(text: &str) -> Result<RawHeader, HeaderError> {
    let mut entries = Entries::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = entries.deserialize(&mut json).and_then(|()| json.end());
    if let Err(source) = read {
        return Err(HeaderError::Json {
            key: entries.current,
            source,
        });
    }
    Ok(RawHeader {
        tensors: entries.tensors,
        metadata: metadata(entries.metadata)?,
    })
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
        let Value::String(value) = value else {
            return Err(HeaderError::MetadataNotString {
                found: kind(&value),
                key,
            });
        };
        if !seen.insert(key.clone()) {
            return Err(HeaderError::DuplicateMetadata { key });
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What has been read so far; `current` is the key whose value is being read, for the error message.
#[derive(Default)]
struct Entries {
    tensors: Vec<(String, RawTensor)>,
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
            self.current = Some(key.clone());
            if key == METADATA {
                self.metadata.push(map.next_value()?);
            } else {
                self.tensors.push((key, map.next_value()?));
            }
            self.current = None;
        }
        Ok(())
    }
}

/// The pairs of `__metadata__` as they stand.
struct Metadata(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Metadata(pairs))
    }
}
