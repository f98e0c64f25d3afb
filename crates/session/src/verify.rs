//! Whether a merged model is what its run wrote.

use std::path::Path;

use weightsmith::run::Reporter;
use weightsmith::verify::{Verification, verify};

use crate::{Monitor, Progress, Session, SessionError, Work};

impl Session {
    /// Reads a merged model again and compares it with its lock.
    ///
    /// # Errors
    /// When there is no lock, or a file cannot be read.
    pub fn verify(folder: &Path, monitor: Monitor<'_>) -> Result<Verification, SessionError> {
        let _working = monitor.begin(Work::Verifying);
        Ok(verify(folder, &Reading(monitor.progress))?)
    }
}

/// Passes on how much was read.
pub(crate) struct Reading<'a>(pub(crate) &'a dyn Progress);

impl Reporter for Reading<'_> {
    fn started(&self, total: u64, resumed: u64) {
        self.0.expect(total, resumed);
    }

    fn written(&self, bytes: u64) {
        self.0.advance(bytes);
    }

    fn stage(&self, name: &str) {
        self.0.stage(name);
    }
}
