//! What is told while files are on their way.

/// Hears how far a download or an upload is.
pub trait Progress: Sync {
    /// The files that will come or go, with their sizes; those after it are counted from 0 again.
    fn begin(&self, _files: &[(String, u64)]) {}

    /// That many bytes of a file are there from before: they neither come nor go.
    fn already(&self, file: usize, bytes: u64) {
        self.advance(file, bytes);
    }

    /// That many more bytes of a file are done.
    fn advance(&self, _file: usize, _bytes: u64) {}

    /// Everything is done.
    fn end(&self) {}

    /// Whether to stop before the next piece; what has come stays.
    fn is_stopped(&self) -> bool {
        false
    }

    /// Something to know meanwhile.
    fn note(&self, _text: &str) {}
}

/// Nobody listens.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {}
