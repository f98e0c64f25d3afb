//! A checkpoint as a model: what is on disk, or on disk but for its weights.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::folder::{Checkpoint, UnindexedTensor};
use super::shard_file::ShardFile;
use crate::{Companion, CompanionError, Error, ModelFiles, ModelIdentity, ModelSource};

impl ModelFiles for Checkpoint {
    fn path_of(&self, name: &str) -> PathBuf {
        self.folder.path_of(name)
    }

    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.folder.file(name)
    }

    /// The folder of a single file may be any folder, unless there is a `config.json` in it.
    fn companions(&self) -> Result<Vec<Companion>, CompanionError> {
        if self.is_folder() || self.path_of("config.json").is_file() {
            return self.folder.companions();
        }
        Ok(Vec::new())
    }

    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.folder.open_companion(relative)
    }
}

impl ModelSource for Checkpoint {
    fn identity(&self) -> ModelIdentity {
        ModelIdentity::of_files(self.revision.as_deref(), self.files())
    }

    fn origin(&self) -> &Path {
        self.path()
    }

    fn local_paths(&self) -> Vec<PathBuf> {
        let files = self.files().iter().filter(|file| !file.is_remote);
        std::iter::once(self.path.clone())
            .chain(files.map(|file| file.path.clone()))
            .collect()
    }

    fn ensure_unchanged(&self) -> Result<(), Error> {
        Checkpoint::ensure_unchanged(self)
    }

    fn weight_files(&self) -> &[ShardFile] {
        self.files()
    }

    fn file_of(&self, tensor: usize) -> Option<usize> {
        Some(Checkpoint::file_of(self, tensor))
    }

    fn unindexed(&self) -> &[UnindexedTensor] {
        Checkpoint::unindexed(self)
    }

    fn wrappers(&self) -> &[&'static str] {
        Checkpoint::wrappers(self)
    }
}

impl Checkpoint {
    /// Whether the whole folder is the model, not a single file of it.
    fn is_folder(&self) -> bool {
        self.path == self.folder.path()
    }
}
