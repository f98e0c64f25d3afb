//! Progress of files on their way from or to the hub.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use weightsmith::run::Reporter as _;

use crate::printer::Printer;
use crate::progress::Progress;
use crate::quantities::bytes;

/// One bar for all files, and a line in detail for each that is complete.
#[derive(Debug)]
pub(crate) struct Transfer<'a> {
    printer: &'a Printer,
    progress: Progress<'a>,
    files: Mutex<Vec<(String, u64, u64)>>,
    moved: AtomicU64,
}

impl<'a> Transfer<'a> {
    pub(crate) fn new(printer: &'a Printer, work: &'static str) -> Self {
        Self {
            printer,
            progress: Progress::new(printer, work),
            files: Mutex::default(),
            moved: AtomicU64::new(0),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.progress.finish();
    }

    /// Bytes that came or went.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }
}

impl weightsmith_hub::Progress for Transfer<'_> {
    fn begin(&self, files: &[(String, u64)]) {
        let mut known = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        *known = files
            .iter()
            .map(|(name, size)| (name.clone(), *size, 0))
            .collect();
        self.progress
            .started(files.iter().map(|(_, size)| size).sum(), 0);
    }

    fn advance(&self, file: usize, count: u64) {
        self.moved.fetch_add(count, Ordering::Relaxed);
        self.progress.written(count);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, size, done)) = files.get_mut(file) {
            *done += count;
            if *done == *size && count > 0 {
                self.printer.detail(&format!("{name}: {}", bytes(*size)));
            }
        }
    }

    fn end(&self) {
        self.progress.finish();
    }

    fn note(&self, text: &str) {
        self.printer.note(text);
    }
}
