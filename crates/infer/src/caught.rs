//! Panics in code of others that reads data of others, as errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// A panic of this thread is caught, and told by who catches it.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Does something; a panic is an error with its message, and is not reported on the standard error.
///
/// What the work had borrowed mutably is not to be used after a panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                others(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    outcome.map_err(|payload| message(payload.as_ref()))
}

/// What a panic says, on one line.
fn message(payload: &(dyn Any + Send)) -> String {
    const MOST: usize = 200;
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic");
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert_eq!(caught(|| 5), Ok(5));
        let nothing: Vec<u8> = Vec::new();
        let message = caught(|| nothing[nothing.len() + 3]).unwrap_err();
        assert_eq!(
            message,
            "index out of bounds: the len is 0 but the index is 3"
        );
        assert!(!QUIET.get());
    }
}
