//! Ctrl-C: the first asks the run to stop where it can be resumed or what was measured can be shown, the second stops at once. A text that is being generated
//! ends, and what comes after it goes on.

use std::sync::{LazyLock, Mutex, PoisonError};

use weightsmith_session::Cancel;

use crate::exit_code::ExitCode;

static INTERRUPTED: LazyLock<Cancel> = LazyLock::new(Cancel::default);

/// From now on Ctrl-C or a termination signal cancels what runs with [`cancel`], and the second one ends the process.
///
/// # Errors
/// When the system does not let a handler be set.
pub(crate) fn listen() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.cancel_again() {
            stop();
        }
    })
}

/// What Ctrl-C cancels, once somebody listens.
pub(crate) fn cancel() -> &'static Cancel {
    &INTERRUPTED
}

/// What Ctrl-C ends at the moment.
static GENERATION: Mutex<Option<Cancel>> = Mutex::new(None);

/// From now on Ctrl-C ends what [`generation`] announces, and the process while there is nothing like that.
///
/// # Errors
/// When the system does not let a handler be set.
pub(crate) fn end_generations() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        let running = GENERATION.lock().unwrap_or_else(PoisonError::into_inner);
        match &*running {
            Some(cancel) if !cancel.is_cancelled() => cancel.cancel(),
            _ => stop(),
        }
    })
}

/// A generation for Ctrl-C to end, until this is dropped.
#[derive(Debug)]
pub(crate) struct Generating {
    pub(crate) cancel: Cancel,
}

/// Announces a generation.
pub(crate) fn generation() -> Generating {
    let cancel = Cancel::default();
    *GENERATION.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel.clone());
    Generating { cancel }
}

impl Drop for Generating {
    fn drop(&mut self) {
        *GENERATION.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[expect(
    clippy::exit,
    reason = "whoever presses Ctrl-C twice wants to wait for nothing; what is on disk can be resumed"
)]
fn stop() {
    std::process::exit(ExitCode::Interrupted.number().into());
}
