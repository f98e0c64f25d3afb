//! What a template may use. Templates come with models from anywhere, so every step, byte and level is counted.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::problem::{Problem, Result};

/// Bytes of a template's source. The largest of real models have 30 KiB.
pub(crate) const MAX_SOURCE: usize = 256 << 10;
/// Levels of blocks, brackets and prefixes in a source. Python's own compiler ends at 20 loops and some 90 brackets.
pub(super) const MAX_NESTING: usize = 64;
/// Levels of lists and mappings in a value; requests have at most 128.
pub(super) const MAX_DEPTH: usize = 200;
/// Levels of evaluation: what is nested in the source, and macros and loops that call themselves.
pub(super) const MAX_RECURSION: usize = 240;
/// Steps of a run: expressions evaluated, values gone through, and one for each [`STEP`] bytes that are written or read
/// through; beside what the conversation's length allows.
const MAX_STEPS: u64 = 5_000_000;
/// Bytes of text that cost a step.
const STEP: u64 = 32;
/// Bytes of the text that a template writes, and of any one value, beside what the conversation's length allows.
const MAX_SIZE: usize = 16 << 20;
/// Bytes of all values that a run makes, those given back included.
const MAX_MADE: usize = 128 << 20;
/// Time of a run. The steps end first, unless the machine is very busy.
const MAX_TIME: Duration = Duration::from_secs(5);

/// Counts what a run uses.
#[derive(Debug)]
pub(super) struct Meter {
    steps: Cell<u64>,
    made: Cell<usize>,
    most_steps: u64,
    size: usize,
    total: usize,
    deadline: Instant,
}

impl Meter {
    /// For a run on a conversation of some bytes.
    pub(super) fn new(input: usize) -> Self {
        Self {
            steps: Cell::new(0),
            made: Cell::new(0),
            most_steps: MAX_STEPS.saturating_add(input as u64),
            size: MAX_SIZE.saturating_add(input.saturating_mul(2)),
            total: MAX_MADE.saturating_add(input.saturating_mul(16)),
            deadline: Instant::now() + MAX_TIME,
        }
    }

    /// Counts steps.
    pub(super) fn work(&self, steps: u64) -> Result<()> {
        let before = self.steps.get();
        let after = before.saturating_add(steps);
        self.steps.set(after);
        if after > self.most_steps {
            return Err(Problem::new(format!(
                "it takes more than {} steps",
                self.most_steps
            )));
        }
        if before >> 12 != after >> 12 && Instant::now() > self.deadline {
            let seconds = MAX_TIME.as_secs();
            return Err(Problem::new(format!("it takes longer than {seconds} s")));
        }
        Ok(())
    }

    /// Counts the reading of bytes.
    pub(super) fn read(&self, bytes: usize) -> Result<()> {
        self.work(bytes as u64 / STEP)
    }

    /// Counts the bytes of a value, before they are allocated.
    pub(super) fn make(&self, bytes: usize) -> Result<()> {
        self.fits(bytes)?;
        let made = self.made.get().saturating_add(bytes);
        self.made.set(made);
        if made > self.total {
            return Err(Problem::new(format!(
                "it makes more than {} MiB of values",
                self.total >> 20
            )));
        }
        self.read(bytes)
    }

    /// Whether a text or value may have so many bytes.
    pub(super) fn fits(&self, bytes: usize) -> Result<()> {
        if bytes > self.size {
            return Err(Problem::new(format!(
                "it makes a text or value of more than {} MiB",
                self.size >> 20
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_bytes_and_sums_are_bounded() {
        let meter = Meter::new(0);
        assert!(meter.work(MAX_STEPS).is_ok());
        assert!(meter.work(1).is_err());
        let meter = Meter::new(0);
        assert!(meter.make(MAX_SIZE + 1).is_err());
        assert!((0..MAX_MADE / MAX_SIZE).all(|_| meter.make(MAX_SIZE).is_ok()));
        assert!(meter.make(1).is_err());
        assert!(Meter::new(1 << 20).make(MAX_SIZE + (2 << 20)).is_ok());
        assert!(Meter::new(0).make(usize::MAX).is_err());
    }
}
