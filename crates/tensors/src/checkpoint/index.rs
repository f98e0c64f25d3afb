//! `model.safetensors.index.json`: which file has which tensor.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::Error;

/// The largest accepted index. An index names tensors as headers do, so it shares the format's limit for those.
const MAX_INDEX_BYTES: u64 = super::header::MAX_HEADER_BYTES;

/// A checked index.
#[derive(Debug)]
pub(super) struct Index {
    /// The index file itself.
    pub(super) path: PathBuf,
    /// The files it names, sorted by name, each once, inside of the folder.
    pub(super) files: Vec<String>,
    /// Tensor and file, in the index's order, each tensor once.
    pub(super) weights: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct RawIndex {
    weight_map: WeightMap,
}

/// The pairs as they stand, duplicates included.
struct WeightMap(Vec<(String, String)>);

impl Index {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = read_limited(path)?;
        let raw: RawIndex = crate::json::read(&text).map_err(|source| Error::Index {
            path: path.to_owned(),
            source,
        })?;
        let weights = raw.weight_map.0;
        let mut tensors = HashSet::with_capacity(weights.len());
        let mut files = HashSet::new();
        for (tensor, file) in &weights {
            if !tensors.insert(tensor) {
                return Err(Error::IndexDuplicate {
                    path: path.to_owned(),
                    tensor: tensor.clone(),
                });
            }
            if files.insert(file) && !stays_inside(file) {
                return Err(Error::IndexOutside {
                    path: path.to_owned(),
                    tensor: tensor.clone(),
                    file: file.clone(),
                });
            }
        }
        let mut files: Vec<String> = files.into_iter().cloned().collect();
        files.sort();
        Ok(Self {
            path: path.to_owned(),
            files,
            weights,
        })
    }
}

/// The weight files that an index names, sorted.
///
/// # Errors
/// When the index cannot be read or is not sound.
pub fn indexed_files(index: &Path) -> Result<Vec<String>, Error> {
    Ok(Index::read(index)?.files)
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Error> {
    let file = fs_err::File::open(path)?;
    let found = file.metadata()?.len();
    if found > MAX_INDEX_BYTES {
        return Err(Error::IndexTooLarge {
            path: path.to_owned(),
            found,
            limit: MAX_INDEX_BYTES,
        });
    }
    let mut text = Vec::with_capacity(found as usize);
    file.take(MAX_INDEX_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

/// Judged by the text alone: in the Hugging Face cache the files themselves are links that lead elsewhere.
fn stays_inside(file: &str) -> bool {
    let mut components = Path::new(file).components().peekable();
    components.peek().is_some()
        && components.all(|component| matches!(component, Component::Normal(_)))
        && !file.contains(['\\', '\0'])
}

impl<'de> Deserialize<'de> for WeightMap {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(WeightMapVisitor)
    }
}

struct WeightMapVisitor;

impl<'de> Visitor<'de> for WeightMapVisitor {
    type Value = WeightMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from tensor names to file names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WeightMap, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(WeightMap(pairs))
    }
}
