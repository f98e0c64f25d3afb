//! Runs: merges, evaluations, comparisons, downloads and uploads, one after the other, and their history.

mod lookup;
mod progress;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use progress::{RunFailure, RunProgress};

use crate::app::App;
use crate::{StudioError, StudioSettings};

/// All runs.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    closing: AtomicBool,
}

impl Runs {
    /// Opens the history.
    pub(crate) fn open(_settings: &StudioSettings) -> Result<Self, StudioError> {
        Ok(Self::default())
    }

    /// Starts the threads that work.
    pub(crate) fn start(_app: &Arc<App>) {}

    /// Ends what runs; it can be gone on with.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}
