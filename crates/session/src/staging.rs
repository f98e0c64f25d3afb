//! A folder here for a model whose place is elsewhere: merged there, then sent, and kept until all of it has gone.

use std::path::{Path, PathBuf};

use fs_err::File;
use serde::Serialize as _;
use weightsmith::output::Lock;
use weightsmith::plan::Plan;

use crate::{DestinationError, MergeOptions, SessionError};

/// The file whose lock says that the folder is in use.
const IN_USE: &str = "in-use";

/// A staging folder that no other process uses while this is held.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    /// The destination's last part: cards have it as their title.
    name: String,
    _lock: File,
}

impl Staging {
    /// The folder for a destination, under `base`.
    pub(crate) fn open(base: &Path, destination: &str) -> Result<Self, SessionError> {
        let hash = blake3::hash(destination.as_bytes()).to_hex();
        let name = destination.rsplit('/').next().unwrap_or_default();
        let folder = base.join(format!("{name}-{}", &hash[..16]));
        loop {
            fs_err::create_dir_all(folder.join("model"))?;
            let path = folder.join(IN_USE);
            let lock = File::create(&path)?;
            if lock.file().try_lock().is_err() {
                return Err(DestinationError::Busy {
                    destination: destination.to_owned(),
                    folder,
                }
                .into());
            }
            // whoever had it may have removed it meanwhile
            if is_at(&lock, &path) {
                return Ok(Self {
                    folder,
                    name: name.to_owned(),
                    _lock: lock,
                });
            }
        }
    }

    /// Where the model is merged.
    pub(crate) fn model(&self) -> PathBuf {
        self.folder.join("model").join(&self.name)
    }

    /// Where an upload keeps what it needs to go on.
    pub(crate) fn record(&self) -> PathBuf {
        self.folder.join("upload.json")
    }

    /// Whether the model of this plan is there, complete.
    pub(crate) fn has(&self, key: &str) -> bool {
        fs_err::read_to_string(self.key()).is_ok_and(|known| known == key)
            && Lock::read(&self.model()).is_ok()
    }

    /// Says that the model is none from now on.
    pub(crate) fn begin(&self) -> Result<(), SessionError> {
        match fs_err::remove_file(self.key()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Says that the model of this plan is complete.
    pub(crate) fn complete(&self, key: &str) -> Result<(), SessionError> {
        Ok(fs_err::write(self.key(), key)?)
    }

    /// Removes it: what was in it has arrived.
    pub(crate) fn remove(&self) -> Result<(), SessionError> {
        Ok(fs_err::remove_dir_all(&self.folder)?)
    }

    /// Whether nothing was begun in it.
    fn is_empty(&self) -> bool {
        let models = fs_err::read_dir(self.folder.join("model"));
        models.is_ok_and(|mut models| models.next().is_none())
            && !self.key().exists()
            && !self.record().exists()
    }

    fn key(&self) -> PathBuf {
        self.folder.join("merged")
    }
}

/// A folder in which nothing was begun goes.
impl Drop for Staging {
    fn drop(&mut self) {
        if self.is_empty() {
            // an empty folder does no harm
            let _ = self.remove();
        }
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let number = |found: std::io::Result<std::fs::Metadata>| found.ok().map(|found| found.ino());
    let open = number(file.metadata());
    open.is_some() && open == number(fs_err::metadata(path))
}

/// Elsewhere open files cannot be removed.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

/// Stands for everything that a merged model depends on: the plan with the times and versions of its inputs, the recipe's text and
/// the options that change what is written.
pub(crate) fn key(
    plan: &Plan,
    recipe: &str,
    options: &MergeOptions,
) -> Result<String, SessionError> {
    let mut hasher = blake3::Hasher::new();
    plan.serialize(&mut serde_json::Serializer::new(&mut hasher))
        .map_err(std::io::Error::from)?;
    let MergeOptions {
        allow_non_finite, ..
    } = options;
    let rest = (env!("CARGO_PKG_VERSION"), recipe, allow_non_finite);
    rest.serialize(&mut serde_json::Serializer::new(&mut hasher))
        .map_err(std::io::Error::from)?;
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_of_one_process_and_goes_when_it_holds_nothing() {
        let base = tempfile::tempdir().expect("a folder");
        let open = |name: &str| Staging::open(base.path(), name);
        let first = open("s3://bucket/out").expect("free");
        assert!(first.model().ends_with("model/out"));
        assert!(open("s3://bucket/out").is_err());
        let other = open("s3://other/out").expect("another folder");
        drop(first);
        assert_eq!(fs_err::read_dir(base.path()).expect("there").count(), 1);
        other.complete("key").expect("written");
        drop(other);
        assert_eq!(fs_err::read_dir(base.path()).expect("there").count(), 1);
        let again = open("s3://bucket/out").expect("free again");
        assert!(!again.has("key"));
    }
}
