//! What can go wrong with a checkpoint.

use std::path::PathBuf;

use crate::cast::CastError;
use crate::checkpoint::HeaderError;
use crate::writer::LayoutError;

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

    /// The file is not a sound safetensors file.
    #[error("{path}: {problem}", path = path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Box<HeaderError>,
    },

    /// A Git LFS pointer lies where the weights should be: the repository was cloned without its large files.
    #[error("{path}: a Git LFS pointer of {found} bytes, not the weights themselves", path = path.display())]
    GitLfsPointer {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
    },

    /// The file is something else: a download that went wrong, or weights of another kind under this name.
    #[error("{path}: {content}, not safetensors weights", path = path.display())]
    OtherContent {
        /// The file.
        path: PathBuf,
        /// What it is.
        content: &'static str,
    },

    /// The path is neither a folder nor a regular file.
    #[error("{path}: neither a folder nor a regular file", path = path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },

    /// A merge was about to take its place in the folder.
    #[error(
        "{path}: incomplete: a merge is moving its files here, or was stopped; run its command again to complete it",
        path = path.display()
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },

    /// A folder without safetensors weights, or a file of another kind of weights.
    #[error("{path}: no safetensors weights{found}", path = path.display(), found = listed(found))]
    NoWeights {
        /// The folder or file.
        path: PathBuf,
        /// Names of the files in it that look like weights of another kind, sorted.
        found: Vec<String>,
    },

    /// Several index files and none of them is `model.safetensors.index.json`.
    #[error("{path}: several index files{found}", path = path.display(), found = listed(found))]
    SeveralIndexes {
        /// The folder.
        path: PathBuf,
        /// Their names, sorted.
        found: Vec<String>,
    },

    /// The index is not JSON of the expected form.
    #[error("{path}: not a weight index: {source}", path = path.display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// What the JSON parser says, with line and column.
        source: serde_json::Error,
    },

    /// The index is larger than any real one.
    #[error("{path}: {found} bytes, the limit for an index is {limit}", path = path.display())]
    IndexTooLarge {
        /// The index file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The largest accepted size.
        limit: u64,
    },

    /// The headers of all files take more than those of any real model.
    #[error("{path}: headers of {found} bytes in total, the limit is {limit}", path = path.display())]
    HeadersTooLarge {
        /// The checkpoint.
        path: PathBuf,
        /// Bytes of the headers up to the one that was too much.
        found: u64,
        /// The most that is read.
        limit: u64,
    },

    /// The index lists a tensor twice.
    #[error("{path}: tensor `{tensor}` is listed twice", path = path.display())]
    IndexDuplicate {
        /// The index file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },

    /// The index names a file outside of the model's folder.
    #[error("{path}: tensor `{tensor}` is listed in `{file}`, outside the model's folder", path = path.display())]
    IndexOutside {
        /// The index file.
        path: PathBuf,
        /// The first tensor that is said to be there.
        tensor: String,
        /// The path as the index has it.
        file: String,
    },

    /// A file that the index names (or that the numbering `00001-of-00003` implies) does not exist.
    #[error("{path}: missing; {wanted_by} lists it", path = path.display(), wanted_by = wanted_by.display())]
    MissingShard {
        /// The file that is not there.
        path: PathBuf,
        /// The index, or the file whose numbering implies it.
        wanted_by: PathBuf,
    },

    /// The index names a file that does not have the tensor.
    #[error("{path}: no tensor `{tensor}`; {index} says it is here", path = path.display(), index = index.display())]
    NotInShard {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The index.
        index: PathBuf,
    },

    /// Two files of a folder without an index have a tensor of the same name.
    #[error("tensor `{tensor}` is in both {first} and {second}", first = first.display(), second = second.display())]
    DuplicateTensor {
        /// The tensor.
        tensor: String,
        /// The file that has it first.
        first: PathBuf,
        /// The file that has it too.
        second: PathBuf,
    },

    /// A file became shorter while it was read.
    #[error("{path}: shrank while it was read: {expected} bytes when opened, now {found}", path = path.display())]
    Shortened {
        /// The file.
        path: PathBuf,
        /// Its size now.
        found: u64,
        /// Its size when it was opened.
        expected: u64,
    },

    /// Bytes of a mapped file could not be had, though it has its size: its disk failed, or it was cut and restored.
    #[error("{path}: could not be read completely: the disk or network failed, or the file changed", path = path.display())]
    Lost {
        /// The file.
        path: PathBuf,
    },

    /// A file was replaced, cut or written to while it was open.
    #[error("{path}: changed while it was in use: {now}", path = path.display(), now = sizes(*expected, *found))]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size now.
        found: u64,
        /// Its size when it was opened.
        expected: u64,
    },

    /// No cast between these types.
    #[error(transparent)]
    Cast(#[from] CastError),

    /// Tensors cannot be laid out in files.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// What a change did to a file's size.
fn sizes(expected: u64, found: u64) -> String {
    if expected == found {
        return "it was written to".to_owned();
    }
    format!("{expected} bytes when opened, now {found}")
}

/// `: a, b, c`, or nothing.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; found `{}`", names.join("`, `"))
    }
}
