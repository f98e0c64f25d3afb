//! A run from start to end.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use weightsmith_tensors::{BlockHash, TensorSource};

use super::budget;
use super::error::RunError;
use super::executor::{Executor, hashes_in_order};
use super::finished::finished;
use super::finished_files::FinishedFiles;
use super::jobs::JobMaker;
use super::journal::{FinishedBlock, Journal};
use super::memory::{Peak, peak_resident};
use super::output_path;
use super::output_shard::{OutputShard, trusted};
use super::positioned::allocate;
use super::reporter::Reporter;
use super::schedule::{Measuring, Placed, Schedule, ShardMap, schedule};
use super::side_files::SideFiles;
use super::space::require_space;
use super::verification::verify_headers;
use super::work_folder::WorkFolder;
use crate::methods::job::TensorJob;
use crate::plan::{Plan, Planned};

/// What a run depends on besides the plan.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, set by name"
)]
pub struct RunOptions<'a> {
    /// Private memory that the run may use, in bytes.
    pub max_memory: u64,
    /// Number of threads; a small budget may lower it. The result does not depend on it.
    pub threads: usize,
    /// Replace what is at the output path.
    pub force: bool,
    /// Flush everything to the device before the result appears, so that it survives a power cut.
    pub sync: bool,
    /// Go on when an input holds NaN or infinite values or the result overflows.
    pub allow_non_finite: bool,
    /// Begin from nothing even where an earlier run of the same merge can be gone on with.
    pub fresh: bool,
    /// Copy the donor's tokenizer and other files.
    pub copy_companions: bool,
    /// Makes the model card and what belongs to it, where one is wanted.
    pub card: Option<&'a dyn FinishedFiles>,
    /// The recipe's text, which is stored beside the result.
    pub recipe: &'a str,
    /// Set from outside to stop the run; what is done is kept for the next one.
    pub interrupt: &'a AtomicBool,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "MergeReport"))]
pub struct Report {
    /// Whether an earlier run had finished all of it, so that nothing was done.
    pub already_there: bool,
    /// Tensors of the result.
    pub tensors: usize,
    /// Elements of the result.
    pub parameters: u64,
    /// Bytes of tensor data read from the inputs, each pass counted.
    pub bytes_read: u64,
    /// Bytes of weights written.
    pub bytes_written: u64,
    /// Bytes of them that an earlier run had finished.
    pub resumed_bytes: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Largest private memory seen, in bytes, where the system tells.
    pub peak_private: Option<u64>,
    /// Largest resident memory, mapped inputs included, in bytes, where the system tells.
    pub peak_resident: Option<u64>,
    /// Tensors with NaN or infinite values that were allowed, and how many.
    pub non_finite: Vec<(String, u64)>,
    /// The weight files.
    pub files: Vec<OutputFile>,
}

/// A file of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutputFile {
    /// Path inside the result's folder, with `/` between its parts.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// BLAKE3 of its content.
    pub blake3: String,
}

/// Executes a plan: writes the merged model at `out`. The finished result of the same run, where it is there already, stays as it is.
///
/// # Errors
/// [`RunError`]. Nothing new is at `out` then; what was finished is kept beside it where a rerun can use it.
pub fn execute(
    planned: &Planned,
    out: &Path,
    options: &RunOptions<'_>,
    reporter: &dyn Reporter,
) -> Result<Report, RunError> {
    let start = Instant::now();
    let plan = &planned.plan;
    let sources = planned.models.sources();
    let (jobs, threads) = staffed_jobs(plan, &sources, options)?;
    let target = output_path::resolve(out)?;
    output_path::refuse_inputs(&target, planned.models.as_slice())?;
    let side_files = SideFiles::gather(planned, options)?;
    for (file, key) in side_files.dropped() {
        reporter.note(&format!(
            "`{file}`: `{key}` holds a path of this machine and is left out"
        ));
    }
    let folder = match WorkFolder::open(&target, options.force) {
        Err(RunError::OutputExists { path }) => {
            return already_there(planned, &target, options, &side_files)
                .ok_or(RunError::OutputExists { path });
        }
        result => result?,
    };
    let run = Run {
        planned,
        plan,
        jobs: &jobs,
        options,
        reporter,
        folder: &folder,
        threads,
        start,
        peak: &Peak::default(),
    };
    let result = run.all(side_files);
    if let Err(error) = &result
        && !(can_resume(error) && Journal::lists_blocks(&folder.journal()))
        && let Err(left) = folder.remove()
    {
        reporter.note(&format!(
            "the unfinished result could not be removed: {left}"
        ));
    }
    result
}

/// Whether a merge of a plan can run with so much private memory, told from the plan alone.
///
/// # Errors
/// [`RunError::Budget`] with the memory that it takes.
pub fn require_memory(planned: &Planned, max_memory: u64) -> Result<(), RunError> {
    let sources = planned.models.sources();
    let jobs = JobMaker::new(&planned.plan, &sources).jobs(&planned.plan.tensors, 0)?;
    budget::workers((&planned.plan, &sources), &jobs, max_memory, 1).map(|_| ())
}

/// The report of a result that an earlier run has finished, whose remains are removed.
fn already_there(
    planned: &Planned,
    target: &Path,
    options: &RunOptions<'_>,
    side_files: &SideFiles,
) -> Option<Report> {
    if options.fresh {
        return None;
    }
    let report = finished(target, side_files.run(), planned, options)?;
    // the work on another merge that was to replace this one is not given up for it
    if let Ok(folder) = WorkFolder::open(target, true) {
        let key = plan_key(&planned.plan).ok()?;
        if Journal::is_of(&folder.journal(), &key) {
            folder.remove().ok();
        }
    }
    Some(report)
}

/// The jobs, and the number of workers that the memory budget allows: as many as are asked for, with less to remember for each
/// tensor where that takes it.
fn staffed_jobs(
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

/// Whether what was written before the error is of use to a rerun.
fn can_resume(error: &RunError) -> bool {
    matches!(
        error,
        RunError::Interrupted
            | RunError::Io(_)
            | RunError::NoSpace { .. }
            | RunError::OutputExists { .. }
            | RunError::NotAFolder { .. }
    )
}

/// What the parts of a run share.
struct Run<'a> {
    planned: &'a Planned,
    plan: &'a Plan,
    jobs: &'a [TensorJob],
    options: &'a RunOptions<'a>,
    reporter: &'a dyn Reporter,
    folder: &'a WorkFolder,
    threads: usize,
    start: Instant,
    peak: &'a Peak,
}

/// All weight files, written.
struct Weights {
    files: Vec<OutputFile>,
    resumed_bytes: u64,
    non_finite: Vec<(String, u64)>,
}

impl Run<'_> {
    /// Writes everything and puts it in its place.
    fn all(&self, side_files: SideFiles) -> Result<Report, RunError> {
        let weights = self.weights(side_files.bytes())?;
        self.reporter.stage("finishing");
        for model in self.planned.models.as_slice() {
            model.source.ensure_unchanged()?;
        }
        let report = weights.report(self.plan, self.start, self.peak);
        side_files.write(self.planned, self.folder, &report, self.options)?;
        verify_headers(self.plan, self.folder.path())?;
        self.peak.sample();
        self.folder.publish(self.options.sync)?;
        if let Err(error) = self.folder.remove() {
            self.reporter.note(&format!(
                "the model is complete, but what was worked with could not be removed: {error}"
            ));
        }
        Ok(Report {
            seconds: self.start.elapsed().as_secs_f64(),
            ..report
        })
    }

    /// Writes the weight files.
    fn weights(&self, other_bytes: u64) -> Result<Weights, RunError> {
        let shards = self.plan.layout.shards();
        let maps: Vec<ShardMap> = shards.iter().map(shard_map).collect();
        let (journal, listed) = self.journal()?;
        require_space(self.folder.path(), self.plan.bytes_written + other_bytes)?;
        let files = self.allocate(&maps)?;
        let mut finished = trusted(&listed, &files, self.threads, self.options.interrupt)?;
        let resumed_bytes = finished.iter().map(|block| block_bytes(&maps, block)).sum();
        self.reporter
            .started(self.plan.bytes_written, resumed_bytes);
        let tasks = self.tasks(&maps, &finished);
        let executor = Executor {
            jobs: self.jobs,
            tensors: &self.plan.tensors,
            shards: &files,
            tasks: &tasks,
            journal: Mutex::new(journal),
            allow_non_finite: self.options.allow_non_finite,
            interrupt: self.options.interrupt,
            reporter: self.reporter,
            peak: self.peak,
        };
        finished.extend(executor.run(self.threads)?);
        Ok(Weights {
            files: self.hashed(&maps, &finished)?,
            resumed_bytes,
            non_finite: self.non_finite(&finished),
        })
    }

    /// Goes on with the journal of an earlier run of the same merge, or begins one in an empty folder.
    fn journal(&self) -> Result<(Journal, Vec<FinishedBlock>), RunError> {
        let key = plan_key(self.plan)?;
        let path = self.folder.journal();
        if !self.options.fresh
            && let Some((journal, mut blocks)) = Journal::resume(&path, &key)?
        {
            // other files may be those of a run with other options
            let shards = self.plan.layout.shards().iter();
            let names: Vec<&str> = shards.map(|shard| shard.file_name.as_str()).collect();
            self.folder.clear_but(&names)?;
            // what an earlier run allowed is computed again, and found again, where it is not allowed
            blocks.retain(|block| self.allows(block));
            return Ok((journal, blocks));
        }
        if path.exists() && !self.options.fresh {
            self.reporter
                .note("removed what another, unfinished merge had left for this output");
        }
        self.folder.clear()?;
        Ok((Journal::create(&path, &key)?, Vec::new()))
    }

    /// Whether a block of an earlier run may be part of the result as far as its values go.
    fn allows(&self, block: &FinishedBlock) -> bool {
        let mut tensors = block.non_finite.iter().map(|(tensor, _)| *tensor);
        block.non_finite.is_empty()
            || (self.options.allow_non_finite
                && tensors.all(|tensor| tensor < self.plan.tensors.len()))
    }

    /// Creates the weight files in their full size.
    fn allocate<'s>(&'s self, maps: &'s [ShardMap]) -> Result<Vec<OutputShard<'s>>, RunError> {
        let shards = self.plan.layout.shards().iter().zip(maps);
        shards
            .map(|(shard, map)| {
                let path = self.folder.path().join(&shard.file_name);
                let file = fs_err::OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(&path)?;
                allocate(&file, map.bytes)?;
                Ok(OutputShard::new(path, shard, map))
            })
            .collect()
    }

    fn tasks(&self, maps: &[ShardMap], resumed: &[FinishedBlock]) -> Schedule {
        let mut done: Vec<Vec<bool>> = maps
            .iter()
            .map(|map| vec![false; map.blocks() as usize])
            .collect();
        for block in resumed {
            done[block.shard][block.block as usize] = true;
        }
        let measuring = |tensor: usize| Measuring {
            passes: self.jobs[tensor].passes(),
            blocks: self.jobs[tensor].blocks(),
        };
        schedule(maps, measuring, |shard, block| done[shard][block as usize])
    }

    fn hashed(
        &self,
        maps: &[ShardMap],
        finished: &[FinishedBlock],
    ) -> Result<Vec<OutputFile>, RunError> {
        let shards = self.plan.layout.shards().iter().zip(maps).enumerate();
        shards
            .map(|(index, (shard, map))| {
                let blocks: Vec<BlockHash> = hashes_in_order(index, map, finished);
                let root = map
                    .file()
                    .root(&blocks)
                    .map_err(|error| RunError::Verification {
                        path: self.folder.path().join(&shard.file_name),
                        what: error.to_string(),
                    })?;
                Ok(OutputFile {
                    name: shard.file_name.clone(),
                    bytes: map.bytes,
                    blake3: root.to_string(),
                })
            })
            .collect()
    }

    fn non_finite(&self, finished: &[FinishedBlock]) -> Vec<(String, u64)> {
        let mut counts = std::collections::BTreeMap::<usize, u64>::new();
        for (tensor, count) in finished.iter().flat_map(|block| &block.non_finite) {
            *counts.entry(*tensor).or_default() += count;
        }
        counts
            .into_iter()
            .map(|(tensor, count)| (self.plan.tensors[tensor].name.clone(), count))
            .collect()
    }
}

impl Weights {
    fn report(self, plan: &Plan, start: Instant, peak: &Peak) -> Report {
        Report {
            already_there: false,
            tensors: plan.tensors.len(),
            parameters: plan
                .tensors
                .iter()
                .map(|tensor| tensor.info.elements())
                .sum(),
            bytes_read: plan.bytes_read,
            bytes_written: plan.bytes_written,
            resumed_bytes: self.resumed_bytes,
            seconds: start.elapsed().as_secs_f64(),
            peak_private: peak.private(),
            peak_resident: peak_resident(),
            non_finite: self.non_finite,
            files: self.files,
        }
    }
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

fn block_bytes(maps: &[ShardMap], block: &FinishedBlock) -> u64 {
    let range = maps[block.shard].range(block.block);
    range.end - range.start
}

/// What a journal must be about to be of use: the whole plan, input files included, and this version's arithmetic.
pub(super) fn plan_key(plan: &Plan) -> Result<String, RunError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    serde_json::to_writer(&mut hasher, plan).map_err(std::io::Error::from)?;
    // a plan shows paths that are not UTF-8 with a replacement for what cannot be shown
    for input in &plan.inputs {
        hasher.update(input.path.as_os_str().as_encoded_bytes());
    }
    Ok(hasher.finalize().to_string())
}
