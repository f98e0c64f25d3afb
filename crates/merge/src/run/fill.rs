//! The middle of a run: blocks of the weight files.

use super::error::RunError;
use super::executor::Executor;
use super::prepare::{PreparedRun, clean_up, output_shards, staffed_jobs};
use super::schedule::{Measuring, Schedule, schedule};
use crate::methods::job::TensorJob;

/// A block of a weight file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// Index of the file in the plan's layout.
    pub shard: usize,
    /// Index of the block in the file.
    pub block: u64,
}

impl PreparedRun<'_> {
    /// The blocks that are still to be written.
    pub fn missing(&self) -> Vec<BlockId> {
        let done = self.done();
        let shards = done.iter().enumerate();
        shards
            .flat_map(|(shard, done)| {
                let blocks = (0u64..).zip(done);
                blocks.filter_map(move |(block, done)| (!done).then_some(BlockId { shard, block }))
            })
            .collect()
    }

    /// Fills those blocks that are wanted and still to be written.
    ///
    /// # Errors
    /// What stopped the work; blocks that were finished before are in the journal.
    pub fn fill(&mut self, wanted: &dyn Fn(BlockId) -> bool) -> Result<(), RunError> {
        let result = self.fill_blocks(wanted);
        result.inspect_err(|error| clean_up(&self.folder, error, self.reporter))
    }

    fn fill_blocks(&mut self, wanted: &dyn Fn(BlockId) -> bool) -> Result<(), RunError> {
        let plan = &self.planned.plan;
        // what a job knew of its tensor is gone with the last block that was wanted of it
        let jobs = match self.jobs.take() {
            Some(jobs) => jobs,
            None => staffed_jobs(plan, &self.planned.models.sources(), self.options)?.0,
        };
        let tasks = self.tasks(&jobs, wanted);
        let shards = output_shards(plan, &self.maps, &self.folder);
        let executor = Executor {
            format: plan.format.format(),
            jobs: &jobs,
            tensors: &plan.tensors,
            shards: &shards,
            tasks: &tasks,
            journal: &self.journal,
            allow_non_finite: self.options.allow_non_finite,
            interrupt: self.options.interrupt,
            reporter: self.reporter,
            peak: &self.peak,
        };
        let finished = executor.run(self.threads)?;
        self.finished.extend(finished);
        Ok(())
    }

    fn tasks(&self, jobs: &[TensorJob], wanted: &dyn Fn(BlockId) -> bool) -> Schedule {
        let done = self.done();
        let measuring = |tensor: usize| Measuring {
            passes: jobs[tensor].passes(),
            blocks: jobs[tensor].blocks(),
        };
        schedule(&self.maps, measuring, |shard, block| {
            done[shard][block as usize] || !wanted(BlockId { shard, block })
        })
    }

    /// Whether each block of each file is written.
    fn done(&self) -> Vec<Vec<bool>> {
        let maps = self.maps.iter();
        let mut done: Vec<Vec<bool>> = maps.map(|map| vec![false; map.blocks() as usize]).collect();
        for block in &self.finished {
            done[block.shard][block.block as usize] = true;
        }
        done
    }
}
