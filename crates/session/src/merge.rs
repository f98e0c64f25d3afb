//! Merges that are written.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use weightsmith::plan::{Plan, Planned};
use weightsmith::run::{Report, Reporter, RunOptions, execute, require_memory};

use crate::destination::Place;
use crate::{Monitor, Note, Progress, Session, SessionError, Target, Work, staging};

/// How a merge is run.
#[derive(Debug, Clone)]
pub struct MergeOptions {
    /// Private memory that the run may use, in bytes.
    pub max_memory: u64,
    /// Number of threads; a small budget may lower it. The result does not depend on it.
    pub threads: usize,
    /// Flush everything to the device before the result appears.
    pub sync: bool,
    /// Go on when an input holds NaN or infinite values or the result overflows.
    pub allow_non_finite: bool,
    /// Begin from nothing even where an earlier run can be gone on with.
    pub fresh: bool,
}

/// A merge that is written, here or in the folder from which it will be sent.
#[derive(Debug)]
pub enum Merged {
    /// This run wrote it, or found it complete.
    Written(Report),
    /// An earlier run did, and sent it in part or not at all.
    Before,
}

impl Session {
    /// Says before any work whether a merge can be done with so much memory.
    ///
    /// # Errors
    /// When it cannot.
    pub fn require_memory(planned: &Planned, max_memory: u64) -> Result<(), SessionError> {
        Ok(require_memory(planned, max_memory)?)
    }

    /// Writes a merge: to its folder, or into the one from which [`Self::deliver`] sends it. `recipe` is the recipe's text.
    ///
    /// # Errors
    /// When it cannot be finished. What was finished is kept where a rerun can use it.
    pub fn merge(
        &self,
        target: &Target,
        planned: &Planned,
        recipe: &str,
        options: &MergeOptions,
        monitor: Monitor<'_>,
    ) -> Result<Merged, SessionError> {
        target.refuse_inputs(planned)?;
        let staging = match &target.place {
            Place::Folder(out) => {
                let force = target.force;
                let report = write(out, planned, options, force, monitor)?;
                return Ok(Merged::Written(report));
            }
            Place::Elsewhere { staging, .. } => staging,
        };
        let key = staging::key(&planned.plan, recipe, options)?;
        if staging.has(&key) && !options.fresh {
            monitor.note(&Note::MergedBefore);
            return Ok(Merged::Before);
        }
        staging.begin()?;
        // what lies there is an older merge for the same place
        let report = write(&staging.model(), planned, options, true, monitor)?;
        staging.complete(&key)?;
        Ok(Merged::Written(report))
    }
}

fn write(
    out: &Path,
    planned: &Planned,
    options: &MergeOptions,
    force: bool,
    monitor: Monitor<'_>,
) -> Result<Report, SessionError> {
    let options = RunOptions {
        max_memory: options.max_memory,
        threads: options.threads,
        force,
        sync: options.sync,
        allow_non_finite: options.allow_non_finite,
        fresh: options.fresh,
        interrupt: monitor.cancel.flag(),
    };
    let _working = monitor.begin(Work::Merging);
    let merging = Merging::new(&planned.plan, monitor.progress);
    Ok(execute(planned, out, &options, &merging)?)
}

/// Passes on what a run tells, and counts its tensors.
struct Merging<'a> {
    progress: &'a dyn Progress,
    /// How many bytes are written when each tensor is, in the order of the files.
    ends: Vec<u64>,
    written: AtomicU64,
}

impl<'a> Merging<'a> {
    fn new(plan: &Plan, progress: &'a dyn Progress) -> Self {
        let mut written = 0;
        let mut ends = Vec::with_capacity(plan.tensors.len());
        for shard in plan.layout.shards() {
            ends.extend(
                shard
                    .tensors
                    .iter()
                    .map(|one| written + one.offset + one.bytes),
            );
            written += shard.file_size;
        }
        Self {
            progress,
            ends,
            written: AtomicU64::new(0),
        }
    }

    /// Blocks are finished nearly in order, so this is how many tensors are done but for a few.
    fn tell_tensors(&self, written: u64) {
        let done = self.ends.partition_point(|end| *end <= written);
        self.progress.tensors(done as u64, self.ends.len() as u64);
    }
}

impl Reporter for Merging<'_> {
    fn started(&self, total: u64, resumed: u64) {
        self.progress.expect(total, resumed);
        self.written.store(resumed, Ordering::Relaxed);
        self.tell_tensors(resumed);
    }

    fn written(&self, bytes: u64) {
        let written = self.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.advance(bytes);
        self.tell_tensors(written);
    }

    fn stage(&self, name: &str) {
        self.progress.stage(name);
    }

    fn note(&self, message: &str) {
        self.progress.note(&Note::Text(message));
    }
}
