//! A file's bytes: in memory, or on disk where they are many.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::Digest as _;

/// Pieces in which files are read.
const PIECE: usize = 1 << 20;

/// Bytes that can be sent.
#[derive(Debug, Clone)]
pub enum Content {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file, which must not change.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
}

impl Content {
    /// A file's content, left where it is.
    pub fn file(path: &Path) -> io::Result<Self> {
        let size = fs_err::metadata(path)?.len();
        Ok(Self::File {
            path: path.to_owned(),
            size,
        })
    }

    /// The number of bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }

    /// All bytes.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        self.pieces(0..self.size(), &mut |piece| {
            all.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(all)
    }

    /// Hands out a range, piece by piece.
    pub fn pieces(
        &self,
        range: Range<u64>,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => bytes[range.start as usize..range.end as usize]
                .chunks(PIECE)
                .try_for_each(take),
            Self::File { path, .. } => {
                let mut file = fs_err::File::open(path)?;
                file.seek(SeekFrom::Start(range.start))?;
                let mut left = range.end - range.start;
                let mut buffer = vec![0; PIECE];
                while left > 0 {
                    let piece = &mut buffer[..left.min(PIECE as u64) as usize];
                    file.read_exact(piece)?;
                    take(piece)?;
                    left -= piece.len() as u64;
                }
                Ok(())
            }
        }
    }

    /// SHA-256 in hexadecimal.
    pub fn sha256(&self) -> io::Result<String> {
        let mut hasher = sha2::Sha256::new();
        self.pieces(0..self.size(), &mut |piece| {
            hasher.update(piece);
            Ok(())
        })?;
        Ok(crate::hash::hexadecimal(&hasher.finalize()))
    }

    /// The name that git gives to a file with these bytes.
    pub fn git_oid(&self) -> io::Result<String> {
        let mut hasher = sha1::Sha1::new();
        hasher.update(format!("blob {}\0", self.size()));
        self.pieces(0..self.size(), &mut |piece| {
            hasher.update(piece);
            Ok(())
        })?;
        Ok(crate::hash::hexadecimal(&hasher.finalize()))
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().into())
    }
}
