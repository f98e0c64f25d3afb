//! What can go wrong in a run.

use std::path::PathBuf;
use std::sync::Arc;

use weightsmith_tensors::{CompanionError, WrittenError};

use crate::methods::Refusal;
use crate::methods::job::{Findings, Scratch, TensorJob};

/// A run that could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file could not be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// The donor's tokenizer and other files could not be found.
    #[error(transparent)]
    Companion(Arc<CompanionError>),

    /// The lock could not be made.
    #[error(transparent)]
    Lock(#[from] crate::output::LockError),

    /// An input could not be read.
    #[error(transparent)]
    Tensors(#[from] weightsmith_tensors::Error),

    /// The output folder holds something already.
    #[error("{path} exists and is not empty", path = path.display())]
    OutputExists {
        /// The output folder.
        path: PathBuf,
    },

    /// The output path holds something that no result can replace.
    #[error("{path} exists and is not a folder", path = path.display())]
    NotAFolder {
        /// The output path.
        path: PathBuf,
    },

    /// The output path is empty.
    #[error("the output path is empty, expected the path of a folder")]
    NoOutput,

    /// The output path leads through a link to nothing.
    #[error("{path} is a link to something that does not exist", path = path.display())]
    BrokenLink {
        /// The link.
        path: PathBuf,
    },

    /// Writing the output would replace or change a model that is read.
    #[error("{path} contains the input {input} or is inside it", path = path.display(), input = input.display())]
    OutputIsInput {
        /// The output folder.
        path: PathBuf,
        /// The input's folder.
        input: PathBuf,
    },

    /// Another process writes to the same output.
    #[error("another run is writing {path}", path = path.display())]
    Busy {
        /// The output folder.
        path: PathBuf,
    },

    /// The device has too little room.
    #[error("{path}: {needed} bytes are needed, {available} are free", path = path.display())]
    NoSpace {
        /// The folder that is written to.
        path: PathBuf,
        /// Bytes that the run would write.
        needed: u64,
        /// Bytes that are free.
        available: u64,
    },

    /// The memory budget is too small for one worker.
    #[error("the memory budget of {budget} bytes is too small: one thread needs {needed}")]
    Budget {
        /// The budget.
        budget: u64,
        /// What one thread needs.
        needed: u64,
    },

    /// An input lacks a tensor that was there when the merge was planned.
    #[error("{input}: tensor `{tensor}` no longer exists since the merge was planned")]
    InputChanged {
        /// The model.
        input: String,
        /// The tensor.
        tensor: String,
    },

    /// A run is to be finished before all of its blocks are written.
    #[error("{blocks} blocks of the weight files are not written yet")]
    Unfilled {
        /// How many.
        blocks: usize,
    },

    /// A file that the plan lists was not made.
    #[error("`{file}`, which the plan lists, was not made")]
    Unmade {
        /// The file.
        file: String,
    },

    /// The plan names a method that this version does not have.
    #[error("the plan asks for method `{method}`, which this version does not have")]
    UnknownMethod {
        /// The method.
        method: String,
    },

    /// The method cannot work with what the plan asks for, which planning refuses.
    #[error("tensor `{tensor}`: {objection}")]
    Objection {
        /// The tensor of the result.
        tensor: String,
        /// What the method objects to.
        objection: crate::methods::Objection,
    },

    /// NaN or infinite values in an input.
    #[error("{model}: tensor `{tensor}` holds {count} NaN or infinite values")]
    NonFiniteInput {
        /// The model.
        model: String,
        /// The tensor in that model.
        tensor: String,
        /// How many were met until the run stopped.
        count: u64,
    },

    /// Finite inputs whose result does not fit the type of the result.
    #[error("tensor `{tensor}`: {count} values overflow {dtype}")]
    Overflow {
        /// The tensor of the result.
        tensor: String,
        /// Type of the result.
        dtype: weightsmith_tensors::DType,
        /// How many were met until the run stopped.
        count: u64,
    },

    /// The method has no result for what the inputs hold.
    #[error("tensor `{tensor}`: {reason}")]
    Refused {
        /// The tensor of the result.
        tensor: String,
        /// What was found and what the method needs.
        reason: Refusal,
    },

    /// A buffer that is not merged differs between the inputs.
    #[error(
        "tensor `{tensor}` has {dtype} values, which are copied and not merged, and differs between `{first}` and `{other}`"
    )]
    UnequalBuffers {
        /// The tensor.
        tensor: String,
        /// Its type.
        dtype: weightsmith_tensors::DType,
        /// The input whose values would be copied.
        first: String,
        /// An input that has others.
        other: String,
    },

    /// What was written is not what was planned.
    #[error("{path}: {what}", path = path.display())]
    Verification {
        /// The file.
        path: PathBuf,
        /// What was found and what was planned.
        what: String,
    },

    /// The user interrupted the run.
    #[error("interrupted")]
    Interrupted,
}

impl RunError {
    /// The error for a tensor that the method refuses to compute.
    pub(super) fn refused(tensor: &str, reason: Refusal) -> Self {
        Self::Refused {
            tensor: tensor.to_owned(),
            reason,
        }
    }

    /// The error for values that a result must not have.
    ///
    /// # Errors
    /// When the inputs cannot be read, which may be necessary to tell.
    pub(super) fn values(
        tensor: &str,
        job: &TensorJob,
        findings: &Findings,
        scratch: &mut Scratch,
    ) -> Result<Self, weightsmith_tensors::Error> {
        let tensor = tensor.to_owned();
        let dtype = job.info().dtype;
        if let Some(other) = findings.unequal {
            let model = |position: usize| job.sources()[position].model.clone();
            return Ok(Self::UnequalBuffers {
                tensor,
                dtype,
                first: model(0),
                other: model(other),
            });
        }
        let mut sources = findings.sources.clone();
        if sources.iter().all(|count| *count == 0) && job.passes() > 0 {
            // through a statistic a value spoils the whole tensor, also where its neighbours are sound
            sources = job.non_finite_sources(scratch)?;
        }
        let spoilt = sources
            .into_iter()
            .enumerate()
            .find(|(_, count)| *count > 0);
        Ok(match spoilt {
            Some((position, count)) => {
                let source = &job.sources()[position];
                let tensor = source.source.tensors()[source.tensor].name.clone();
                Self::NonFiniteInput {
                    model: source.model.clone(),
                    tensor,
                    count,
                }
            }
            None => Self::Overflow {
                tensor,
                dtype,
                count: findings.non_finite,
            },
        })
    }

    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Companion(error) if matches!(**error, CompanionError::ForeignLink { .. }) => vec![
                "replace the link with a copy, or skip the donor's files with `--no-copy-tokenizer`".into(),
            ],
            Self::OutputExists { .. } => vec!["choose another folder, or replace it with `--force`".into()],
            Self::NotAFolder { .. } | Self::OutputIsInput { .. } => {
                vec!["choose another folder for the result".into()]
            }
            Self::BrokenLink { .. } => vec!["remove the link, or create its target".into()],
            Self::Busy { .. } => vec!["wait for it, or choose another folder".into()],
            Self::NoSpace { .. } => vec!["free some space or write to another device".into()],
            Self::Budget { needed, .. } => vec![format!("use at least `--max-memory {}MiB`", needed.div_ceil(1 << 20))],
            Self::NonFiniteInput { .. } => vec![
                "the input is damaged or its training diverged; use `--allow-non-finite` to merge it anyway".into(),
            ],
            Self::Overflow { .. } => vec![
                "set `out_dtype: bfloat16` or `float32`, or allow infinities with `--allow-non-finite`".into(),
            ],
            Self::Interrupted => vec!["run the same command again to resume".into()],
            _ => Vec::new(),
        }
    }
}

impl From<WrittenError> for RunError {
    fn from(error: WrittenError) -> Self {
        match error {
            WrittenError::Unreadable(error) => Self::Tensors(error),
            WrittenError::Differs { path, what } => Self::Verification { path, what },
            other => Self::Io(std::io::Error::other(other)),
        }
    }
}
