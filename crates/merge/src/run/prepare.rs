//! The beginning of a run: its folder, its journal and its files in their full size.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use weightsmith_tensors::TensorSource;

use super::budget;
use super::error::RunError;
use super::execute::{Report, RunOptions};
use super::finished::finished;
use super::jobs::JobMaker;
use super::journal::{FinishedBlock, Journal};
use super::keys::RunKeys;
use super::memory::Peak;
use super::output_path;
use super::output_shard::{OutputShard, trusted};
use super::positioned::allocate;
use super::reporter::Reporter;
use super::schedule::{Placed, ShardMap};
use super::side_files;
use super::space::require_space;
use super::work_folder::WorkFolder;
use crate::methods::job::TensorJob;
use crate::plan::{Plan, Planned};

/// What there is to do about a plan at an output path.
#[derive(Debug)]
pub enum Preparation<'a> {
    /// Nothing: an earlier run has written the same result.
    AlreadyThere(Report),
    /// Blocks are to be written.
    Ready(Box<PreparedRun<'a>>),
}

/// A run whose files have their full size and whose blocks can be filled, in any order and any parts, and then be finished.
pub struct PreparedRun<'a> {
    pub(super) planned: &'a Planned,
    pub(super) options: &'a RunOptions<'a>,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) folder: WorkFolder,
    pub(super) journal: Mutex<Journal>,
    /// Those of [`Plan::layout`].
    pub(super) maps: Vec<ShardMap>,
    /// Jobs that no block was filled with yet.
    pub(super) jobs: Option<Vec<TensorJob>>,
    pub(super) threads: usize,
    /// Blocks that are written.
    pub(super) finished: Vec<FinishedBlock>,
    pub(super) resumed_bytes: u64,
    /// Keys of the result, for its lock.
    pub(super) keys: RunKeys,
    pub(super) start: Instant,
    pub(super) peak: Peak,
}

impl fmt::Debug for PreparedRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRun")
            .field("folder", &self.folder)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// Makes a plan ready to be written at `out`: takes the working folder, goes on with the journal of an earlier run of the same merge
/// or begins one, and allocates the files.
///
/// # Errors
/// [`RunError`]. Nothing new is at `out` then.
pub fn prepare<'a>(
    planned: &'a Planned,
    out: &Path,
    options: &'a RunOptions<'a>,
    reporter: &'a dyn Reporter,
) -> Result<Preparation<'a>, RunError> {
    let start = Instant::now();
    let plan = &planned.plan;
    let (jobs, threads) = staffed_jobs(plan, &planned.models.sources(), options)?;
    let target = output_path::resolve(out)?;
    output_path::refuse_inputs(&target, planned.models.as_slice())?;
    if let Some(error) = &planned.companion_error {
        return Err(RunError::Companion(Arc::clone(error)));
    }
    let keys = RunKeys::of_result(planned)?;
    for file in &plan.files {
        for key in file.left_out() {
            reporter.note(&format!(
                "`{}`: `{key}` contains a local path and is removed",
                file.name
            ));
        }
    }
    let folder = match WorkFolder::open(&target, options.force) {
        Err(RunError::OutputExists { path }) => {
            return already_there(planned, &target, options, &keys)
                .map(Preparation::AlreadyThere)
                .ok_or(RunError::OutputExists { path });
        }
        result => result?,
    };
    let maps: Vec<ShardMap> = plan.layout.shards().iter().map(shard_map).collect();
    let begun = begin(planned, &maps, &folder, threads, options, reporter);
    let (journal, finished) = begun.inspect_err(|error| clean_up(&folder, error, reporter))?;
    let resumed_bytes = finished.iter().map(|block| block_bytes(&maps, block)).sum();
    reporter.started(plan.bytes_written, resumed_bytes);
    Ok(Preparation::Ready(Box::new(PreparedRun {
        planned,
        options,
        reporter,
        folder,
        journal: Mutex::new(journal),
        maps,
        jobs: Some(jobs),
        threads,
        finished,
        resumed_bytes,
        keys,
        start,
        peak: Peak::default(),
    })))
}

/// Opens the journal and creates the files; gives the blocks of an earlier run that are as they should be.
fn begin(
    planned: &Planned,
    maps: &[ShardMap],
    folder: &WorkFolder,
    threads: usize,
    options: &RunOptions<'_>,
    reporter: &dyn Reporter,
) -> Result<(Journal, Vec<FinishedBlock>), RunError> {
    let plan = &planned.plan;
    let (journal, listed) = open_journal(planned, folder, options, reporter)?;
    require_space(
        folder.path(),
        plan.bytes_written + side_files::bytes(&plan.files),
    )?;
    let shards = output_shards(plan, maps, folder);
    for shard in &shards {
        let file = fs_err::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(shard.path())?;
        allocate(&file, shard.map.bytes)?;
    }
    let finished = trusted(&listed, &shards, threads, options.interrupt)?;
    Ok((journal, finished))
}

/// Goes on with the journal of an earlier run of the same merge, or begins one in an empty folder.
fn open_journal(
    planned: &Planned,
    folder: &WorkFolder,
    options: &RunOptions<'_>,
    reporter: &dyn Reporter,
) -> Result<(Journal, Vec<FinishedBlock>), RunError> {
    let plan = &planned.plan;
    let keys = RunKeys::of_weights(plan, planned.models.as_slice())?;
    let path = folder.journal();
    if !options.fresh
        && let Some((journal, mut blocks)) = Journal::resume(&path, &keys)?
    {
        // other files may be those of a run with other options
        let shards = plan.layout.shards().iter();
        let names: Vec<&str> = shards.map(|shard| shard.file_name.as_str()).collect();
        folder.clear_but(&names)?;
        // what an earlier run allowed is computed again, and found again, where it is not allowed
        blocks.retain(|block| allows(plan, options, block));
        return Ok((journal, blocks));
    }
    if path.exists() && !options.fresh {
        reporter.note("removed the leftovers of another unfinished merge to this output");
    }
    folder.clear()?;
    Ok((Journal::create(&path, &keys)?, Vec::new()))
}

/// Whether a block of an earlier run may be part of the result as far as its values go.
fn allows(plan: &Plan, options: &RunOptions<'_>, block: &FinishedBlock) -> bool {
    let mut tensors = block.non_finite.iter().map(|(tensor, _)| *tensor);
    block.non_finite.is_empty()
        || (options.allow_non_finite && tensors.all(|tensor| tensor < plan.tensors.len()))
}

/// The weight files as they are written.
pub(super) fn output_shards<'s>(
    plan: &'s Plan,
    maps: &'s [ShardMap],
    folder: &WorkFolder,
) -> Vec<OutputShard<'s>> {
    let shards = plan.layout.shards().iter().zip(maps);
    shards
        .map(|(shard, map)| {
            let path = folder.path().join(&shard.file_name);
            OutputShard::new(path, plan.format.format(), shard, map)
        })
        .collect()
}

/// The report of a result that an earlier run has finished, whose remains are removed.
fn already_there(
    planned: &Planned,
    target: &Path,
    options: &RunOptions<'_>,
    keys: &RunKeys,
) -> Option<Report> {
    if options.fresh {
        return None;
    }
    let report = finished(target, keys, planned, options)?;
    // the work on another merge that was to replace this one is not given up for it
    if let Ok(folder) = WorkFolder::open(target, true) {
        let keys = RunKeys::of_weights(&planned.plan, planned.models.as_slice()).ok()?;
        if Journal::is_of(&folder.journal(), &keys) {
            folder.remove().ok();
        }
    }
    Some(report)
}

/// The jobs, and the number of workers that the memory budget allows: as many as are asked for, with less to remember for each
/// tensor where that takes it.
pub(super) fn staffed_jobs(
    plan: &Plan,
    sources: &[Arc<dyn TensorSource>],
    options: &RunOptions<'_>,
) -> Result<(Vec<TensorJob>, usize), RunError> {
    let budget = options.max_memory;
    let maker = JobMaker::new(plan, sources);
    let remembering = maker.jobs(&plan.tensors, budget / REMEMBERED)?;
    if let Ok(threads) = budget::workers((plan, sources), &remembering, budget, options.threads)
        && threads == options.threads
    {
        return Ok((remembering, threads));
    }
    let jobs = maker.jobs(&plan.tensors, 0)?;
    let threads = budget::workers((plan, sources), &jobs, budget, options.threads)?;
    Ok((jobs, threads))
}

/// The share of the budget that a tensor may use to remember what was found: three are under way at least.
const REMEMBERED: u64 = 4;

/// Removes what a run has written, unless a rerun can use it.
pub(super) fn clean_up(folder: &WorkFolder, error: &RunError, reporter: &dyn Reporter) {
    if !(can_resume(error) && Journal::lists_blocks(&folder.journal()))
        && let Err(left) = folder.remove()
    {
        reporter.note(&format!(
            "the unfinished result could not be removed: {left}"
        ));
    }
}

/// Whether what was written before the error is of use to a rerun.
fn can_resume(error: &RunError) -> bool {
    matches!(
        error,
        RunError::Interrupted
            | RunError::Io(_)
            | RunError::NoSpace { .. }
            | RunError::OutputExists { .. }
            | RunError::NotAFolder { .. }
            | RunError::Unfilled { .. }
    )
}

fn shard_map(shard: &weightsmith_tensors::Shard) -> ShardMap {
    let tensors = shard
        .tensors
        .iter()
        .map(|placed| Placed {
            tensor: placed.index,
            offset: placed.offset,
            bytes: placed.bytes,
        })
        .collect();
    ShardMap {
        bytes: shard.file_size,
        tensors,
    }
}

pub(super) fn block_bytes(maps: &[ShardMap], block: &FinishedBlock) -> u64 {
    let range = maps[block.shard].range(block.block);
    range.end - range.start
}
