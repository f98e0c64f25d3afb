//! What is known of an upload that is not finished, beside the files that it sends.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{Address, StoreError};

/// An upload's number, and what it has sent.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
    pub(crate) content: Content,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The destination.
    pub(crate) address: String,
    /// A number that no other upload has.
    pub(crate) upload: String,
    /// The objects that were written.
    pub(crate) sent: BTreeMap<String, Sent>,
    /// Uploads in parts that were begun: object and number.
    pub(crate) open: Vec<(String, String)>,
}

/// An object as the store described it when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    pub(crate) size: u64,
    /// BLAKE3 of the bytes that were sent.
    pub(crate) blake3: String,
    /// The store's tag of the object.
    pub(crate) tag: String,
}

impl Record {
    /// The record at a path, or a new one where there is none of that destination.
    pub(crate) fn open(path: &Path, address: &Address) -> Result<Self, StoreError> {
        let record = Self {
            path: path.to_owned(),
            content: known(path, address)?.unwrap_or_else(|| Content {
                upload: new_number(),
                address: address.to_string(),
                ..Content::default()
            }),
        };
        record.save()?;
        Ok(record)
    }

    /// The number of the upload that a path has the record of.
    pub(crate) fn number(path: &Path, address: &Address) -> Result<Option<String>, StoreError> {
        Ok(known(path, address)?.map(|content| content.upload))
    }

    /// Removes it: the upload is over.
    pub(crate) fn forget(self) -> Result<(), StoreError> {
        Ok(fs_err::remove_file(&self.path)?)
    }

    /// Writes it down.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        let new = self.path.with_extension("new");
        let json = serde_json::to_vec_pretty(&self.content).map_err(std::io::Error::other)?;
        fs_err::write(&new, json)?;
        Ok(fs_err::rename(&new, &self.path)?)
    }
}

/// What the file at a path says, if it is about that destination.
fn known(path: &Path, address: &Address) -> Result<Option<Content>, StoreError> {
    let json = match fs_err::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let content = serde_json::from_slice::<Content>(&json).ok();
    let address = address.to_string();
    Ok(content.filter(|content| content.address == address))
}

/// 32 hexadecimal digits.
fn new_number() -> String {
    let mut hasher = blake3::Hasher::new();
    let time = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos());
    hasher.update(&time.to_le_bytes());
    hasher.update(&std::process::id().to_le_bytes());
    // seeded by the system
    for _ in 0..4 {
        hasher.update(&RandomState::new().hash_one(time).to_le_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_of_one_destination() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("upload.json");
        let (a, b) = ("s3://b/a".parse().unwrap(), "s3://b/b".parse().unwrap());
        let first = Record::open(&path, &a).unwrap().content.upload;
        assert_eq!(first.len(), 32);
        assert_eq!(Record::open(&path, &a).unwrap().content.upload, first);
        let other = Record::open(&path, &b).unwrap().content.upload;
        assert_ne!(other, first);
        fs_err::write(&path, "torn").unwrap();
        assert_ne!(Record::open(&path, &b).unwrap().content.upload, other);
    }
}
