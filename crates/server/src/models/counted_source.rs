//! A model that tells how much of its tensors was read.

use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith_tensors::{
    Companion, CompanionError, ComputedSource, Error, ModelFiles, ModelIdentity, ModelSource,
    ShardFile, TensorEntry, TensorSource, UnindexedTensor,
};

use super::LoadProgress;

/// Another model, and who is told what is read of its tensors.
#[derive(Debug)]
pub struct CountedSource {
    inner: Arc<dyn ModelSource>,
    progress: LoadProgress,
}

impl CountedSource {
    /// Counts what is read of a model.
    pub fn new(inner: Arc<dyn ModelSource>, progress: LoadProgress) -> Self {
        let bytes = inner.tensors().iter().map(|one| one.info.bytes()).sum();
        progress.expect(bytes);
        Self { inner, progress }
    }
}

impl TensorSource for CountedSource {
    fn tensors(&self) -> &[TensorEntry] {
        self.inner.tensors()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.inner.find(name)
    }

    fn read<'a>(
        &'a self,
        tensor: usize,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        let bytes = self.inner.read(tensor, elements, scratch)?;
        self.progress.add(bytes.len() as u64);
        Ok(bytes)
    }

    fn ensure_intact(&self) -> Result<(), Error> {
        self.inner.ensure_intact()
    }

    fn computed(&self) -> Option<&dyn ComputedSource> {
        self.inner.computed()
    }

    fn ensure_not_rewritten(&self) -> Result<(), Error> {
        self.inner.ensure_not_rewritten()
    }
}

impl ModelFiles for CountedSource {
    fn path_of(&self, name: &str) -> PathBuf {
        self.inner.path_of(name)
    }

    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.inner.file(name)
    }

    fn companions(&self) -> Result<Vec<Companion>, CompanionError> {
        self.inner.companions()
    }

    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.inner.open_companion(relative)
    }
}

impl ModelSource for CountedSource {
    fn identity(&self) -> ModelIdentity {
        self.inner.identity()
    }

    fn origin(&self) -> &Path {
        self.inner.origin()
    }

    fn local_paths(&self) -> Vec<PathBuf> {
        self.inner.local_paths()
    }

    fn ensure_unchanged(&self) -> Result<(), Error> {
        self.inner.ensure_unchanged()
    }

    fn weight_files(&self) -> &[ShardFile] {
        self.inner.weight_files()
    }

    fn file_of(&self, tensor: usize) -> Option<usize> {
        self.inner.file_of(tensor)
    }

    fn unindexed(&self) -> &[UnindexedTensor] {
        self.inner.unindexed()
    }

    fn wrappers(&self) -> &[&'static str] {
        self.inner.wrappers()
    }
}
