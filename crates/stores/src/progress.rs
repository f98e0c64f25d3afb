//! What is told while files are on their way.

/// Hears how far an upload is.
pub trait Progress: Sync {
    /// The files that will go, with their sizes.
    fn begin(&self, _files: &[(String, u64)]) {}

    /// That many more bytes of a file are done.
    fn advance(&self, _file: usize, _bytes: u64) {}

    /// Everything is done.
    fn end(&self) {}

    /// Something to know meanwhile.
    fn note(&self, _text: &str) {}
}

/// Nobody listens.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {}
