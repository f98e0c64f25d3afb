//! How many workers a memory budget allows.

use weightsmith_tensors::HASH_BLOCK;
use weightsmith_tensors::kernels::TILE;

use super::error::RunError;
use crate::plan::{Action, Plan};

/// Memory of the process besides its workers: code, allocator, headers of a small model.
const PROCESS: u64 = 5 << 20;

/// Memory per tensor of the plan: its names, entries in headers, layout and journal.
const PER_TENSOR: u64 = 4 << 10;

/// Number of workers, at most `threads`, whose memory fits the budget.
pub(super) fn workers(plan: &Plan, budget: u64, threads: usize) -> Result<usize, RunError> {
    let inputs: usize = plan.inputs.iter().map(|input| input.tensors).sum();
    let fixed = PROCESS + (plan.tensors.len() + inputs) as u64 * PER_TENSOR;
    let each = worker(plan);
    let fitting = budget.saturating_sub(fixed) / each;
    if fitting == 0 {
        return Err(RunError::Budget {
            budget,
            needed: fixed + each,
        });
    }
    Ok(threads.clamp(1, fitting as usize))
}

/// Memory of one worker: the block that it writes, and a tile of each source and of the result in the widest type.
fn worker(plan: &Plan) -> u64 {
    let sources = plan.tensors.iter().map(|tensor| match &tensor.action {
        Action::Copy { .. } => 1,
        Action::Merge(operation) => operation.sources.len(),
    });
    let tiles = sources.max().unwrap_or(1) + 1;
    (HASH_BLOCK + tiles * TILE * size_of::<f64>()) as u64
}
