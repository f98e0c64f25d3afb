//! The one thing that folders, models of the Hub and unwritten merges have in common.

use std::path::{Path, PathBuf};

use super::files::ModelFiles;
use super::identity::ModelIdentity;
use crate::{Error, ShardFile, TensorSource, UnindexedTensor};

/// A model: its tensors, its other files, and what tells it from any other.
///
/// A folder, a model of the Hub, one in an object store and a merge that was planned and not written are models. What takes
/// a model takes each of them.
pub trait ModelSource: TensorSource + ModelFiles {
    /// What tells it from any other model, on any machine.
    fn identity(&self) -> ModelIdentity;

    /// What it was opened by: a folder, a file, or a name. For messages and for telling apart models of one process; no part
    /// of what is published.
    fn origin(&self) -> &Path;

    /// The files and folders of this machine that it is read from.
    fn local_paths(&self) -> Vec<PathBuf>;

    /// Checks that what it is read from is what it was when the model was opened.
    ///
    /// # Errors
    /// [`Error::Changed`] for the first that is not.
    fn ensure_unchanged(&self) -> Result<(), Error>;

    /// The files of its weights, by name; none for a model that was not written.
    fn weight_files(&self) -> &[ShardFile] {
        &[]
    }

    /// The file of a tensor, as an index of [`Self::weight_files`].
    fn file_of(&self, _tensor: usize) -> Option<usize> {
        None
    }

    /// Tensors of its files that are no part of it, since its index does not list them.
    fn unindexed(&self) -> &[UnindexedTensor] {
        &[]
    }

    /// What wrappers of the model put into names of tensors, such as `_orig_mod`, and is left out here.
    fn wrappers(&self) -> &[&'static str] {
        &[]
    }
}
