//! How many workers a memory budget allows.

use std::sync::Arc;

use weightsmith_tensors::kernels::REDUCTION_BLOCK;
use weightsmith_tensors::{ComputedSource, HASH_BLOCK, ReadMemory, TensorSource};

use super::error::RunError;
use super::schedule::SPREAD;
use crate::methods::job::TensorJob;
use crate::plan::{Action, Plan};

/// Memory of the process besides its workers: code, allocator, headers of a small model.
const PROCESS: u64 = 5 << 20;

// Measured with two and four inputs of 100,165 tensors each: 3.0 and 5.2 KB for each tensor of the result, all told.

/// Memory per tensor of the plan: its names, its entries in layout, header and index, and its job.
const PER_TENSOR: u64 = 1 << 10;

/// Memory per source of a tensor: its name, its parameters, its part in the job.
const PER_SOURCE: u64 = 1 << 10;

/// Memory per tensor of an input: its entry in the checkpoint.
const PER_INPUT_TENSOR: u64 = 384;

/// Memory per block of the output files: its task and its hash, with room for lists to grow.
const PER_BLOCK: u64 = 256;

/// Memory per reduction block: its task and its partial sums.
const PER_REDUCTION_BLOCK: u64 = 96;

/// Number of workers, at most `threads`, whose memory fits the budget.
pub(super) fn workers(
    (plan, inputs): (&Plan, &[Arc<dyn TensorSource>]),
    jobs: &[TensorJob],
    budget: u64,
    threads: usize,
) -> Result<usize, RunError> {
    let fixed = PROCESS + of_plan(plan) + of_inputs(inputs) + shared(jobs);
    let each = worker(jobs);
    let fitting = budget.saturating_sub(fixed) / each;
    if fitting == 0 {
        return Err(RunError::Budget {
            budget,
            needed: fixed + each,
        });
    }
    Ok(threads.clamp(1, fitting as usize))
}

/// Memory that inputs take which are computed when they are read, each counted once.
pub(super) fn of_inputs(inputs: &[Arc<dyn TensorSource>]) -> u64 {
    let computed = inputs.iter().filter_map(|input| input.computed());
    computed.map(ComputedSource::fixed_memory).sum()
}

/// Memory that reading the sources of a job takes where they are computed, for ranges of at most so many elements: what
/// they are read into, and what computing them takes.
pub(super) fn of_sources(job: &TensorJob, elements: u64) -> ReadMemory {
    let at_once = job.elements_at_once(elements);
    let mut all = ReadMemory::default();
    let mut deepest = 0;
    for source in job.sources() {
        if let Some(computed) = source.source.computed() {
            let ReadMemory { worker, shared } = computed.read_memory(source.tensor, at_once);
            all.worker += (at_once * source.info().dtype.bits()).div_ceil(8);
            all.shared += shared;
            deepest = deepest.max(worker);
        }
    }
    all.worker += deepest;
    all
}

/// As [`of_sources`], for the ranges of a block of output.
fn of_block(job: &TensorJob) -> ReadMemory {
    let elements = HASH_BLOCK as u64 * 8 / job.info().dtype.bits();
    of_sources(job, elements.min(job.info().elements()))
}

/// Memory that a plan takes, with the jobs of its tensors, whatever the number of workers.
pub(super) fn of_plan(plan: &Plan) -> u64 {
    let inputs: usize = plan.inputs.iter().map(|input| input.tensors).sum();
    let sources: usize = plan
        .tensors
        .iter()
        .map(|tensor| sources(&tensor.action))
        .sum();
    let reduction_blocks: u64 = plan
        .tensors
        .iter()
        .map(|tensor| tensor.info.elements().div_ceil(REDUCTION_BLOCK))
        .sum();
    plan.tensors.len() as u64 * PER_TENSOR
        + sources as u64 * PER_SOURCE
        + inputs as u64 * PER_INPUT_TENSOR
        + plan.bytes_written.div_ceil(HASH_BLOCK as u64) * PER_BLOCK
        + reduction_blocks * PER_REDUCTION_BLOCK
}

/// What is known of the tensors under way: as many as [`schedule`](super::schedule::schedule) has a tensor's first pass ahead of its
/// blocks, that tensor, and one whose last block another worker has in hand.
fn shared(jobs: &[TensorJob]) -> u64 {
    let passes = jobs.iter().map(TensorJob::passes).max();
    let under_way = passes.unwrap_or(0).min(SPREAD) + 2;
    let share = |job: &TensorJob| job.memory().shared + of_block(job).shared;
    let mut shares: Vec<u64> = jobs.iter().map(share).collect();
    shares.sort_unstable_by_key(|&bytes| std::cmp::Reverse(bytes));
    shares.iter().take(under_way).sum()
}

/// Memory of one worker: the block that it writes, and what the most demanding tensor takes. What is known of tensors that
/// are computed when they are read is counted for each worker too: without passes, all have different tensors in hand.
fn worker(jobs: &[TensorJob]) -> u64 {
    let largest = jobs.iter().map(|job| {
        let ReadMemory { worker, shared } = of_block(job);
        job.memory().worker + worker + shared
    });
    let largest = largest.max();
    HASH_BLOCK as u64 + largest.unwrap_or(0)
}

/// Number of sources that a plan names for a tensor.
fn sources(action: &Action) -> usize {
    match action {
        Action::Copy {
            equal, operation, ..
        } => {
            let of_operation = operation.as_ref().map_or(0, |o| o.sources.len());
            1 + equal.len() + of_operation
        }
        Action::Merge(operation) => operation.sources.len(),
    }
}
