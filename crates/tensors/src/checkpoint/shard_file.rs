//! A file of a checkpoint as it was when it was opened, and whether it still is that.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::Error;

/// One file of a checkpoint, as it was when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its path relative to the checkpoint's folder: what an index calls it.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was last written to; of a remote file the beginning of time.
    pub modified: SystemTime,
    /// Whether it is read from elsewhere; not found: `path` then.
    pub is_remote: bool,
    /// BLAKE3 of the header's JSON text, in hexadecimal.
    pub header_hash: String,
    /// The entries of the header's `__metadata__`.
    pub metadata: Vec<(String, String)>,
    /// Which file of the system it is, where that can be told.
    pub(super) identity: Option<Identity>,
}

/// A file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    number: u64,
}

impl Identity {
    #[cfg(unix)]
    #[expect(
        clippy::unnecessary_wraps,
        reason = "other systems do not tell which file it is"
    )]
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self {
            device: metadata.dev(),
            number: metadata.ino(),
        })
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Option<Self> {
        None
    }
}

impl ShardFile {
    /// Checks that the file at the path has the size and time of the opening. Remote files are of one commit.
    pub(super) fn ensure_unchanged(&self) -> Result<(), Error> {
        if self.is_remote {
            return Ok(());
        }
        self.compare(&fs_err::metadata(&self.path)?)
    }

    /// Checks that nobody wrote to the file that was opened. Where it was deleted or replaced, it is still there for who
    /// has it mapped.
    pub(super) fn ensure_not_rewritten(&self) -> Result<(), Error> {
        if self.is_remote {
            return Ok(());
        }
        match fs_err::metadata(&self.path) {
            Ok(now) if Identity::of(&now) == self.identity => self.compare(&now),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Why bytes of the mapped file are gone.
    pub(super) fn loss(&self) -> Error {
        let path = self.path.clone();
        match fs_err::metadata(&self.path).map_err(Error::from) {
            Ok(now) if now.len() < self.size => Error::Shortened {
                path,
                found: now.len(),
                expected: self.size,
            },
            Ok(now) => self.compare(&now).err().unwrap_or(Error::Lost { path }),
            Err(_) => Error::Lost { path },
        }
    }

    fn compare(&self, now: &Metadata) -> Result<(), Error> {
        if now.len() == self.size && modified(&self.path, now)? == self.modified {
            return Ok(());
        }
        Err(Error::Changed {
            path: self.path.clone(),
            found: now.len(),
            expected: self.size,
        })
    }
}

/// When a file was last written to.
pub(super) fn modified(path: &Path, metadata: &Metadata) -> io::Result<SystemTime> {
    metadata.modified().map_err(|error| naming(path, &error))
}

/// An error of the system that does not say which file it is about.
pub(super) fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
