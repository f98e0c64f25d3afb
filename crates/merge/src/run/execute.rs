//! A run from start to end.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use super::budget;
use super::error::RunError;
use super::jobs::JobMaker;
use super::prepare::{Preparation, prepare};
use super::reporter::Reporter;
use crate::output::LockedFile;
use crate::plan::Planned;

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

impl From<OutputFile> for LockedFile {
    fn from(file: OutputFile) -> Self {
        let OutputFile {
            name,
            bytes,
            blake3,
        } = file;
        Self {
            name,
            bytes,
            blake3,
        }
    }
}

impl From<LockedFile> for OutputFile {
    fn from(file: LockedFile) -> Self {
        let LockedFile {
            name,
            bytes,
            blake3,
        } = file;
        Self {
            name,
            bytes,
            blake3,
        }
    }
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
    match prepare(planned, out, options, reporter)? {
        Preparation::AlreadyThere(report) => Ok(report),
        Preparation::Ready(mut run) => {
            run.fill(&|_| true)?;
            run.finish()
        }
    }
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
