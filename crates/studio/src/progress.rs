//! How the work of a run tells how far it is.

use std::fmt::Debug;
use std::sync::atomic::AtomicBool;

/// What the work of a run is given: it tells its progress there, and looks whether it should stop.
pub(crate) trait RunProgress: Debug + Send + Sync {
    /// The work begins, or begins anew: so much there is in all, and so much of it was done before.
    fn expect(&self, total: u64, done: u64);

    /// That much more is done.
    fn advance(&self, amount: u64);

    /// That many tensors of so many are done.
    fn tensors(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// What is done now, such as `merging`.
    fn stage(&self, name: &str);

    /// A line for the run's log.
    fn log(&self, text: &str);

    /// Set when the run should stop.
    fn interrupt(&self) -> &AtomicBool;
}

/// Why a run has no result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RunFailure {
    /// It was asked to stop; what is done is kept where that is possible.
    Stopped,
    /// Something went wrong.
    Failed {
        /// What.
        message: String,
        /// What to do about it.
        hints: Vec<String>,
    },
}

impl RunFailure {
    /// Something went wrong.
    pub(crate) fn of(message: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// An error with what caused it.
    pub(crate) fn caused(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // many errors have their cause in their own words
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = inner.source();
        }
        Self::of(message)
    }

    /// With something to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Failed { hints, .. } = &mut self {
            hints.push(hint.into());
        }
        self
    }
}
