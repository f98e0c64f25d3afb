//! What an engine counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the classes of durations, in seconds.
pub(crate) const BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Counts of an engine since it began, and its sizes now.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Sequences that are being computed.
    pub running: AtomicU64,
    /// Requests that wait for their turn.
    pub waiting: AtomicU64,
    /// Bytes of keys and values, those that are kept included.
    pub cache_bytes: AtomicU64,
    /// Prompt tokens computed.
    pub prompt_tokens: AtomicU64,
    /// Tokens of prompts that were in a cache.
    pub reused_tokens: AtomicU64,
    /// Tokens generated.
    pub generated_tokens: AtomicU64,
    /// Sequences whose client disconnected.
    pub cancelled: AtomicU64,
    /// Steps.
    pub steps: Durations,
    /// Time from a request's arrival to its first token.
    pub first_token: Durations,
}

/// Durations, counted by class.
#[derive(Debug, Default)]
pub struct Durations {
    classes: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub(crate) fn record(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        for (class, bound) in self.classes.iter().zip(BOUNDS) {
            if seconds <= bound {
                add(class, 1);
            }
        }
        add(&self.count, 1);
        add(&self.micros, duration.as_micros() as usize);
    }

    /// How many are within each bound.
    pub(crate) fn classes(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS.into_iter().zip(self.classes.iter().map(get))
    }

    /// How many in all.
    pub(crate) fn count(&self) -> u64 {
        get(&self.count)
    }

    /// Their sum in seconds.
    pub(crate) fn sum(&self) -> f64 {
        get(&self.micros) as f64 / 1e6
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(more as u64, Ordering::Relaxed);
}

/// Sets a size.
pub(crate) fn set(gauge: &AtomicU64, value: u64) {
    gauge.store(value, Ordering::Relaxed);
}

/// Reads a counter.
pub(crate) fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    add(counter, 1);
}
