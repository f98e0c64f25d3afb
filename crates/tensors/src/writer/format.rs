//! What a format of checkpoints is to those who write one.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::encoding::Encoding;
use super::layout::{LayoutError, Shard, ShardLayout};
use super::safetensors::Safetensors;
use crate::{DType, Error, TensorEntry};

/// A format in which checkpoints are written.
///
/// A file is its preamble and the encoded tensors, each at the offset that the layout gives it. All of it is decided before anything
/// is written, so any part of a file can be made apart from the others.
pub trait OutputFormat: Debug + Send + Sync {
    /// How the elements of a type are stored.
    fn encoding(&self, dtype: DType) -> Encoding;

    /// Lays tensors out in files of at most `max_file_bytes` of tensor data (preambles are not counted), or in one.
    ///
    /// # Errors
    /// When the tensors do not make valid files.
    fn layout(
        &self,
        tensors: &[TensorEntry],
        max_file_bytes: Option<u64>,
    ) -> Result<ShardLayout, LayoutError>;

    /// What stands before the tensors of a file.
    fn preamble(&self, shard: &Shard) -> Vec<u8>;

    /// Name and content of a file beside the others that says which tensor is where, if a layout needs one.
    fn index(&self, layout: &ShardLayout) -> Option<(&'static str, String)>;

    /// Encodes elements, given one after the other, as they are stored; whole units of the type's [`Self::encoding`].
    fn encode(&self, dtype: DType, elements: &[u8], stored: &mut [u8]);

    /// Reads the headers of what was written and compares them with what was to be.
    ///
    /// # Errors
    /// [`WrittenError`], for the first difference.
    fn verify(
        &self,
        folder: &Path,
        layout: &ShardLayout,
        tensors: &[TensorEntry],
    ) -> Result<(), WrittenError>;
}

/// A format by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatName {
    /// Files of safetensors.
    #[default]
    Safetensors,
}

impl FormatName {
    /// The format.
    pub fn format(self) -> &'static dyn OutputFormat {
        match self {
            Self::Safetensors => &Safetensors,
        }
    }
}

/// Written files that are not what they were to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrittenError {
    /// They cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Error),

    /// Something in them differs.
    #[error("{path}: {what}", path = path.display())]
    Differs {
        /// The file or folder.
        path: PathBuf,
        /// What differs.
        what: String,
    },
}
