//! Ctrl-C: the first asks the run to stop where it can be resumed, the second stops at once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit_code::ExitCode;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The flag that Ctrl-C or a termination signal sets from now on.
///
/// # Errors
/// When the system does not let a handler be set.
pub(crate) fn flag() -> Result<&'static AtomicBool, ctrlc::Error> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            stop();
        }
    })?;
    Ok(&INTERRUPTED)
}

#[expect(
    clippy::exit,
    reason = "whoever presses Ctrl-C twice wants to wait for nothing; what is on disk can be resumed"
)]
fn stop() {
    std::process::exit(ExitCode::Interrupted.number().into());
}
