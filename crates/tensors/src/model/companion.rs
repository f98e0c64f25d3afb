//! Files of a model that come along to what is made of it.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

/// A file of a model that comes along to what is made of it: tokenizer, templates, settings, code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Companion {
    /// Its path below the model's folder.
    pub relative: PathBuf,
    /// Where it is; for messages only where the file was never written.
    pub source: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was last written to, where that is known.
    pub modified: Option<SystemTime>,
}

/// The files of a model cannot be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompanionError {
    /// A file or folder could not be read. The message names the path.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// A link to a file that may be somebody's own.
    #[error(
        "`{}` is a link to `{}`, outside the model's folder, and would be copied into the result",
        path.display(), target.display()
    )]
    ForeignLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },

    /// A link to a file that is not there.
    #[error("`{}` is a link to a file that does not exist", path.display())]
    BrokenLink {
        /// The link.
        path: PathBuf,
    },
}
