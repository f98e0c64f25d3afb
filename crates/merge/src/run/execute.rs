//! A run from start to end.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::Serialize;
use weightsmith_tensors::BlockHash;

use super::budget;
use super::error::RunError;
use super::executor::{Executor, OpenShard, hashes_in_order, trusted};
use super::journal::{FinishedBlock, Journal};
use super::memory::{Peak, peak_resident};
use super::merged::jobs;
use super::positioned::allocate;
use super::reporter::Reporter;
use super::schedule::{Measuring, Placed, ShardMap, Task, schedule};
use super::side_files::SideFiles;
use super::space::require_space;
use super::tensor_job::TensorJob;
use super::verification::verify_headers;
use super::work_folder::WorkFolder;
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
    /// Write a model card.
    pub card: bool,
    /// The recipe's text, which is stored beside the result.
    pub recipe: &'a str,
    /// Set from outside to stop the run; what is done is kept for the next one.
    pub interrupt: &'a AtomicBool,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputFile {
    /// Path inside the result's folder, with `/` between its parts.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// BLAKE3 of its content.
    pub blake3: String,
}

/// Executes a plan: writes the merged model at `out`.
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
    let jobs = jobs(plan, &sources)?;
    let threads = budget::workers(plan, options.max_memory, options.threads)?;
    let side_files = SideFiles::gather(planned, options)?;
    let folder = WorkFolder::open(out, options.force)?;
    let peak = Peak::default();
    let run = Run {
        plan,
        jobs: &jobs,
        options,
        reporter,
        folder: &folder,
        threads,
        peak: &peak,
    };
    match run.weights(side_files.bytes()) {
        Ok(weights) => {
            reporter.stage("finishing");
            let report = weights.report(plan, start, &peak);
            side_files.write(planned, &folder, &report, options)?;
            verify_headers(plan, folder.path())?;
            peak.sample();
            folder.publish(options.sync)?;
            Ok(Report {
                seconds: start.elapsed().as_secs_f64(),
                ..report
            })
        }
        Err((error, finished)) => {
            if finished == 0 || !can_resume(&error) {
                folder.remove()?;
            }
            Err(error)
        }
    }
}

/// Whether what was written before the error is of use to a rerun.
fn can_resume(error: &RunError) -> bool {
    matches!(error, RunError::Interrupted | RunError::Io(_))
}

/// What the parts of a run share.
struct Run<'a> {
    plan: &'a Plan,
    jobs: &'a [TensorJob],
    options: &'a RunOptions<'a>,
    reporter: &'a dyn Reporter,
    folder: &'a WorkFolder,
    threads: usize,
    peak: &'a Peak,
}

/// All weight files, written.
struct Weights {
    files: Vec<OutputFile>,
    resumed_bytes: u64,
    non_finite: Vec<(String, u64)>,
}

impl Run<'_> {
    /// Writes the weight files. An error comes with the number of blocks that are finished.
    fn weights(&self, other_bytes: u64) -> Result<Weights, (RunError, usize)> {
        let nothing = |error: RunError| (error, 0);
        let maps: Vec<ShardMap> = self.plan.layout.shards().iter().map(shard_map).collect();
        let headers: Vec<Vec<u8>> = self
            .plan
            .layout
            .shards()
            .iter()
            .map(weightsmith_tensors::Shard::start)
            .collect();
        let (journal, listed) = self.journal().map_err(nothing)?;
        require_space(self.folder.path(), self.plan.bytes_written + other_bytes)
            .map_err(nothing)?;
        let shards = self.open(&maps, &headers).map_err(nothing)?;
        let resumed = trusted(&listed, &shards, self.threads).map_err(nothing)?;
        let resumed_bytes = resumed.iter().map(|block| block_bytes(&maps, block)).sum();
        self.reporter
            .started(self.plan.bytes_written, resumed_bytes);
        let tasks = self.tasks(&maps, &resumed);
        let executor = Executor {
            jobs: self.jobs,
            names: self
                .plan
                .tensors
                .iter()
                .map(|tensor| tensor.name.as_str())
                .collect(),
            shards: &shards,
            tasks: &tasks,
            journal: Mutex::new(journal),
            allow_non_finite: self.options.allow_non_finite,
            interrupt: self.options.interrupt,
            reporter: self.reporter,
            peak: self.peak,
        };
        let mut finished = resumed;
        let (written, failure) = executor.run(self.threads);
        finished.extend(written);
        if let Some(error) = failure {
            return Err((error, finished.len()));
        }
        let files = self
            .hashed(&maps, &finished)
            .map_err(|error| (error, finished.len()))?;
        Ok(Weights {
            files,
            resumed_bytes,
            non_finite: self.non_finite(&finished),
        })
    }

    /// Goes on with the journal of an earlier run of the same merge, or begins one in an empty folder.
    fn journal(&self) -> Result<(Journal, Vec<FinishedBlock>), RunError> {
        let key = key(self.plan);
        let path = self.folder.journal();
        if !self.options.fresh
            && let Some(resumed) = Journal::resume(&path, &key)?
        {
            return Ok(resumed);
        }
        if path.exists() && !self.options.fresh {
            self.reporter
                .note("removed what another, unfinished merge had left for this output");
        }
        self.folder.clear()?;
        Ok((Journal::create(&path, &key)?, Vec::new()))
    }

    fn open<'s>(
        &self,
        maps: &'s [ShardMap],
        headers: &'s [Vec<u8>],
    ) -> Result<Vec<OpenShard<'s>>, RunError> {
        let shards = self.plan.layout.shards().iter().zip(maps).zip(headers);
        shards
            .map(|((shard, map), header)| {
                let path = self.folder.path().join(&shard.file_name);
                let file = fs_err::OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(path)?;
                allocate(&file, map.bytes)?;
                Ok(OpenShard { file, header, map })
            })
            .collect()
    }

    fn tasks(&self, maps: &[ShardMap], resumed: &[FinishedBlock]) -> Vec<Task> {
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
fn key(plan: &Plan) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    // a plan holds nothing that cannot be written as JSON
    hasher.update(&serde_json::to_vec(plan).unwrap_or_default());
    hasher.finalize().to_string()
}
