//! Threads that share work: plain stand-in.

/// Threads that share work.
#[derive(Debug)]
pub struct Pool;

impl Pool {
    /// A pool.
    pub fn new(_threads: usize) -> Self {
        Self
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        1
    }

    /// Runs all parts.
    pub fn run(&self, parts: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..parts).for_each(work);
    }
}
