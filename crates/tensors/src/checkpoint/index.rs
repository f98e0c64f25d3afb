//! `model.safetensors.index.json`: which file has which tensor.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::header::MAX_TENSORS;
use super::regular_file::open_regular;
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
    /// Tensor and file (an index of `files`), in the index's order, each tensor once.
    pub(super) weights: Vec<(String, usize)>,
}

#[derive(Deserialize)]
struct RawIndex {
    weight_map: WeightMap,
}

/// The pairs as they stand, duplicates included. Files, which have many tensors each, are kept once.
struct WeightMap {
    files: Vec<String>,
    pairs: Vec<(String, usize)>,
}

impl Index {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = read_limited(path)?;
        let raw: RawIndex = crate::json::read(&text).map_err(|source| Error::Index {
            path: path.to_owned(),
            source,
        })?;
        let WeightMap { files, mut pairs } = raw.weight_map;
        ensure_unique(path, &pairs)?;
        let inside = files
            .iter()
            .enumerate()
            .map(|(number, file)| {
                within_folder(file).ok_or_else(|| Error::IndexOutside {
                    path: path.to_owned(),
                    tensor: first_in(&pairs, number),
                    file: file.clone(),
                })
            })
            .collect::<Result<Vec<String>, Error>>()?;
        // several spellings may name one file
        let sorted: BTreeSet<&String> = inside.iter().collect();
        let sorted: Vec<&String> = sorted.into_iter().collect();
        let places: Vec<usize> = inside
            .iter()
            .map(|file| sorted.partition_point(|other| *other < file))
            .collect();
        for (_, file) in &mut pairs {
            *file = places[*file];
        }
        Ok(Self {
            path: path.to_owned(),
            files: sorted.into_iter().cloned().collect(),
            weights: pairs,
        })
    }

    /// The file of each tensor, as an index of `files`.
    pub(super) fn files_of_tensors(&self) -> HashMap<&str, usize> {
        let pairs = self.weights.iter();
        pairs
            .map(|(tensor, file)| (tensor.as_str(), *file))
            .collect()
    }
}

fn ensure_unique(path: &Path, pairs: &[(String, usize)]) -> Result<(), Error> {
    let mut tensors = HashSet::with_capacity(pairs.len());
    match pairs.iter().find(|(tensor, _)| !tensors.insert(tensor)) {
        Some((tensor, _)) => Err(Error::IndexDuplicate {
            path: path.to_owned(),
            tensor: tensor.clone(),
        }),
        None => Ok(()),
    }
}

/// The first tensor that is said to be in a file.
fn first_in(pairs: &[(String, usize)], file: usize) -> String {
    let mut found = pairs.iter().filter(|(_, other)| *other == file);
    found
        .next()
        .map_or_else(String::new, |(tensor, _)| tensor.clone())
}

/// The weight files that an index names, sorted.
///
/// # Errors
/// When the index cannot be read or is not sound.
pub fn indexed_files(index: &Path) -> Result<Vec<String>, Error> {
    Ok(Index::read(index)?.files)
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Error> {
    let file = open_regular(path)?;
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

/// A file's path with `/` between its parts and no `.` among them; nothing if it leads out of the folder. Judged by the text
/// alone: in the Hugging Face cache the files themselves are links that lead elsewhere. Windows' separators are taken too.
fn within_folder(file: &str) -> Option<String> {
    let file = file.replace('\\', "/");
    let has_drive = file.as_bytes().get(1) == Some(&b':');
    if file.starts_with('/') || file.contains('\0') || has_drive {
        return None;
    }
    let mut parts = Vec::new();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
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
        let mut files = BTreeMap::new();
        let mut pairs = Vec::new();
        while let Some(tensor) = map.next_key()? {
            if pairs.len() == MAX_TENSORS {
                return Err(A::Error::custom(format_args!(
                    "more than {MAX_TENSORS} tensors"
                )));
            }
            let file = map.next_value_seed(FileName(&mut files))?;
            pairs.push((tensor, file));
        }
        let mut named: Vec<(usize, String)> = files
            .into_iter()
            .map(|(name, number)| (number, name))
            .collect();
        named.sort();
        Ok(WeightMap {
            files: named.into_iter().map(|(_, name)| name).collect(),
            pairs,
        })
    }
}

/// Reads a file's name as its number among those that were read before.
struct FileName<'a>(&'a mut BTreeMap<String, usize>);

impl<'de> DeserializeSeed<'de> for FileName<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<usize, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for FileName<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<usize, E> {
        if let Some(number) = self.0.get(name) {
            return Ok(*number);
        }
        let number = self.0.len();
        self.0.insert(name.to_owned(), number);
        Ok(number)
    }
}
