//! How many workers a memory budget allows.

use weightsmith_tensors::HASH_BLOCK;
use weightsmith_tensors::kernels::REDUCTION_BLOCK;

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
    plan: &Plan,
    jobs: &[TensorJob],
    budget: u64,
    threads: usize,
) -> Result<usize, RunError> {
    let fixed = fixed(plan) + shared(jobs);
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

/// Memory that is needed whatever the number of workers.
fn fixed(plan: &Plan) -> u64 {
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
    PROCESS
        + plan.tensors.len() as u64 * PER_TENSOR
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
    let mut shares: Vec<u64> = jobs.iter().map(|job| job.memory().shared).collect();
    shares.sort_unstable_by_key(|&bytes| std::cmp::Reverse(bytes));
    shares.iter().take(under_way).sum()
}

/// Memory of one worker: the block that it writes, and what the most demanding tensor takes.
fn worker(jobs: &[TensorJob]) -> u64 {
    let largest = jobs.iter().map(|job| job.memory().worker).max();
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
