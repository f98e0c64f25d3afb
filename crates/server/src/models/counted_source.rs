//! A source of tensors that tells how much of it was read.

use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::{Error, TensorEntry, TensorSource};

use super::LoadProgress;

/// Another source, and who is told what is read of it.
#[derive(Debug)]
pub struct CountedSource {
    inner: Arc<dyn TensorSource>,
    progress: LoadProgress,
}

impl CountedSource {
    /// Counts what is read of a source.
    pub fn new(inner: Arc<dyn TensorSource>, progress: LoadProgress) -> Self {
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

    fn ensure_not_rewritten(&self) -> Result<(), Error> {
        self.inner.ensure_not_rewritten()
    }
}
