//! Who still reads the tensors of unwritten merges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::methods::job::{JobSource, TensorJob};

/// For each tensor of an input that is computed when it is read, how many tensors of the result are still to be made from it.
/// After the last one, what is remembered of it is forgotten.
#[derive(Debug, Default)]
pub(super) struct Readers(BTreeMap<(usize, usize), AtomicU64>);

impl Readers {
    /// Those of some jobs.
    pub(super) fn of<'a>(jobs: impl IntoIterator<Item = &'a TensorJob>) -> Self {
        let mut readers = Self::default();
        for source in jobs.into_iter().flat_map(TensorJob::sources) {
            if source.source.computed().is_some() {
                *readers.0.entry(key(source)).or_default().get_mut() += 1;
            }
        }
        readers
    }

    /// A job of them reads nothing any more.
    pub(super) fn finished(&self, job: &TensorJob) {
        for source in job.sources() {
            let left = self.0.get(&key(source));
            if left.is_some_and(|left| left.fetch_sub(1, Ordering::AcqRel) == 1)
                && let Some(computed) = source.source.computed()
            {
                computed.forget(source.tensor);
            }
        }
    }
}

/// One source is one place in memory as long as somebody reads it.
fn key(source: &JobSource) -> (usize, usize) {
    (
        Arc::as_ptr(&source.source).cast::<()>() as usize,
        source.tensor,
    )
}
