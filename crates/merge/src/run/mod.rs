//! The run: executes a plan. It never sees the recipe's YAML but to store it beside the result.
//!
//! Work is done in blocks of the output files, in any order, by all cores; what is written is the same for any number of
//! threads and any memory budget. A result appears at its path when it is complete, or not at all.

mod budget;
mod discard;
mod encoding;
mod error;
mod execute;
mod executor;
mod fill;
mod finish;
mod finished;
mod jobs;
mod journal;
mod keys;
mod memory;
mod merged;
mod merged_model;
mod mount_point;
mod moving;
mod output_path;
mod output_shard;
mod positioned;
mod prepare;
mod publishing;
mod readers;
mod reporter;
mod schedule;
mod shared_job;
mod side_files;
mod space;
mod work_folder;

pub use discard::discard;
pub use error::RunError;
pub use execute::{OutputFile, Report, RunOptions, execute, require_memory};
pub use fill::BlockId;
#[cfg(feature = "testing")]
pub(crate) use journal::journal_blocks;
pub use merged::MergedSource;
pub use merged_model::MergedModel;
pub use prepare::{Preparation, PreparedRun, prepare};
pub use reporter::{Reporter, Silent};
