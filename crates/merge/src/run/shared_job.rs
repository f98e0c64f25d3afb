//! A job whose tensor several threads read, and measure together.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use weightsmith_tensors::Error;

use crate::methods::job::{Scratch, TensorJob};

/// A job that is measured once, by all who wait for it.
///
/// Who measures a block waits for nobody but those who measure blocks of its sources, so that two can never wait for each
/// other.
#[derive(Debug)]
pub(super) struct SharedJob {
    job: TensorJob,
    handed: Mutex<Handed>,
    changed: Condvar,
}

/// Which blocks of the pass under way are in somebody's hand, or done.
#[derive(Debug, Default)]
struct Handed {
    pass: usize,
    /// Those before were handed out.
    next: u64,
    /// Handed out, and not measured by who had them.
    returned: Vec<u64>,
}

impl Handed {
    /// A block that nobody has, of so many.
    fn another(&mut self, blocks: u64) -> Option<u64> {
        if let Some(block) = self.returned.pop() {
            return Some(block);
        }
        let block = self.next;
        self.next += u64::from(block < blocks);
        (block < blocks).then_some(block)
    }
}

/// A block in somebody's hand.
struct InHand<'a> {
    of: &'a SharedJob,
    pass: usize,
    block: u64,
    measured: bool,
}

impl SharedJob {
    pub(super) fn new(job: TensorJob) -> Self {
        Self {
            job,
            handed: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// What is measured.
    pub(super) fn job(&self) -> &TensorJob {
        &self.job
    }

    /// Measures what is left to measure, with others who want the same; returns when nothing is.
    pub(super) fn measure(&self, scratch: &mut Scratch) -> Result<(), Error> {
        while let Some(mut block) = self.take() {
            self.job.measure(block.pass, block.block, scratch)?;
            block.measured = true;
        }
        Ok(())
    }

    /// A block that nobody has, once there is one; nothing when all is measured.
    fn take(&self) -> Option<InHand<'_>> {
        let mut handed = self.lock();
        loop {
            if self.job.is_ready() {
                return None;
            }
            while handed.pass < self.job.passes() && self.job.is_measured(handed.pass) {
                handed.pass += 1;
                handed.next = 0;
                handed.returned.clear();
            }
            if handed.pass >= self.job.passes() {
                return None;
            }
            if let Some(block) = handed.another(self.job.blocks()) {
                return Some(InHand {
                    of: self,
                    pass: handed.pass,
                    block,
                    measured: false,
                });
            }
            handed = self
                .changed
                .wait(handed)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Handed> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InHand<'_> {
    /// What was not measured, because of an error or a panic, is somebody else's.
    fn drop(&mut self) {
        let mut handed = self.of.lock();
        if !self.measured && handed.pass == self.pass {
            handed.returned.push(self.block);
        }
        drop(handed);
        self.of.changed.notify_all();
    }
}
