//! How the work of a run tells how far it is.

use std::fmt::Debug;

use weightsmith_session::{Cancel, Monitor, Note, Progress, SessionError};

use crate::error::Refusal;

/// What the work of a run is given: it tells its progress there, and looks whether it should stop.
pub(crate) trait RunProgress: Progress + Debug + Send + Sync {
    /// A line for the run's log.
    fn log(&self, text: &str);

    /// Cancelled when the run should stop.
    fn cancel(&self) -> &Cancel;
}

/// For calls of a session.
pub(crate) fn monitor(progress: &dyn RunProgress) -> Monitor<'_> {
    Monitor {
        progress,
        cancel: progress.cancel(),
    }
}

/// What a note adds to a run's log.
pub(crate) fn lines(note: &Note<'_>) -> Vec<String> {
    match note {
        Note::FilesLeftOut(names) => names
            .iter()
            .map(|name| format!("`{name}` is not part of the model, so it is not published"))
            .collect(),
        Note::Checked(outcome) => outcome.told().iter().map(ToString::to_string).collect(),
        note => vec![note.to_string()],
    }
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

impl From<SessionError> for RunFailure {
    fn from(error: SessionError) -> Self {
        if error.is_interrupted() {
            return Self::Stopped;
        }
        if let SessionError::Recipe(outcome) = &error {
            return crate::recipes::refusal(outcome).into();
        }
        let failure = Self::caused(&error);
        error.hints().into_iter().fold(failure, Self::hint)
    }
}

impl From<Refusal> for RunFailure {
    fn from(refusal: Refusal) -> Self {
        Self::Failed {
            message: refusal.message,
            hints: refusal.hints,
        }
    }
}
