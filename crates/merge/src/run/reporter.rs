//! How a run tells what it does.

/// Receives the progress of a run, from any of its threads.
///
/// The command line draws a bar from it, a server sends events, tests record.
pub trait Reporter: Send + Sync {
    /// The run begins: so many bytes are to be written, so many of them were found finished by an earlier run.
    fn started(&self, total: u64, resumed: u64) {
        let _ = (total, resumed);
    }

    /// That many more bytes of the result are finished.
    fn written(&self, bytes: u64) {
        let _ = bytes;
    }

    /// A next stage begins, such as `verifying`.
    fn stage(&self, name: &str) {
        let _ = name;
    }

    /// Something that the user should know and that is no error.
    fn note(&self, message: &str) {
        let _ = message;
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {}
