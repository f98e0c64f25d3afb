//! Files on their way, as libraries tell of them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Monitor, Note};

/// Passes on what the Hub and stores tell, and counts what came or went.
#[derive(Debug)]
pub(crate) struct Moving<'a> {
    monitor: Monitor<'a>,
    moved: AtomicU64,
}

impl<'a> Moving<'a> {
    pub(crate) fn new(monitor: Monitor<'a>) -> Self {
        Self {
            monitor,
            moved: AtomicU64::new(0),
        }
    }

    /// Bytes that came or went.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    fn advanced(&self, file: usize, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.monitor.progress.file_advance(file, bytes);
    }
}

impl weightsmith_hub::Progress for Moving<'_> {
    fn begin(&self, files: &[(String, u64)]) {
        self.monitor.progress.files(files);
    }

    fn already(&self, file: usize, bytes: u64) {
        self.monitor.progress.file_found(file, bytes);
    }

    fn advance(&self, file: usize, bytes: u64) {
        self.advanced(file, bytes);
    }

    fn is_stopped(&self) -> bool {
        self.monitor.cancel.is_cancelled()
    }

    fn note(&self, text: &str) {
        self.monitor.note(&Note::Text(text));
    }
}

impl weightsmith_stores::Progress for Moving<'_> {
    fn begin(&self, files: &[(String, u64)]) {
        self.monitor.progress.files(files);
    }

    fn advance(&self, file: usize, bytes: u64) {
        self.advanced(file, bytes);
    }

    fn note(&self, text: &str) {
        self.monitor.note(&Note::Text(text));
    }
}
