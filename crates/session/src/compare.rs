//! How models differ.

use weightsmith_report::diff::{DiffOptions, Difference, diff};
use weightsmith_tensors::TensorSource;

use crate::verify::Reading;
use crate::{Monitor, Session, SessionError, Work};

impl Session {
    /// Compares two models tensor by tensor; with a base, as two trainings of it.
    ///
    /// # Errors
    /// When a tensor cannot be read, or it was cancelled.
    pub fn compare(
        a: &dyn TensorSource,
        b: &dyn TensorSource,
        base: Option<&dyn TensorSource>,
        threads: usize,
        monitor: Monitor<'_>,
    ) -> Result<Difference, SessionError> {
        let options = DiffOptions {
            threads,
            interrupt: monitor.cancel.flag(),
        };
        let _working = monitor.begin(Work::Comparing);
        Ok(diff(a, b, base, &options, &Reading(monitor.progress))?)
    }
}
