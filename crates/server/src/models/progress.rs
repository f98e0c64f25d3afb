//! How far the loading of a model is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are loaded, of those that will be. A clone counts the same.
#[derive(Debug, Clone, Default)]
pub struct LoadProgress(Arc<Bytes>);

#[derive(Debug, Default)]
struct Bytes {
    done: AtomicU64,
    total: AtomicU64,
}

impl LoadProgress {
    /// Says how many bytes there are.
    pub fn expect(&self, total: u64) {
        self.0.total.store(total, Ordering::Relaxed);
    }

    /// Says that more bytes are done.
    pub fn add(&self, bytes: u64) {
        self.0.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The share that is done, from 0 to 1.
    pub fn share(&self) -> f64 {
        let total = self.0.total.load(Ordering::Relaxed);
        let done = self.0.done.load(Ordering::Relaxed);
        (done as f64 / total.max(1) as f64).min(1.0)
    }
}
