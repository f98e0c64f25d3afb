//! What can go wrong with a checkpoint.

use std::path::PathBuf;

/// An error of this crate. Paths, names, found and expected values are data, so that callers can match on them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written. The message of `fs_err` names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A source that is not a checkpoint (an unwritten merge) could not give a tensor.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),

    /// The file's header says more than the file holds.
    #[error("{path}: truncated: {found} bytes, the header asks for {expected}", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The size its header asks for.
        expected: u64,
    },
}
