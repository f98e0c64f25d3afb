//! `inspect`, `diff` and `verify`: commands about checkpoints.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Show the contents of a checkpoint
///
/// Reads the headers and `config.json`: architecture, layers, parameters, types, files, vocabulary,
/// and every tensor with its shape. Tensors that repeat across layers are shown on one line. No
/// tensor data is read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith inspect ./my-model
  weightsmith inspect Qwen/Qwen2.5-0.5B         # from the Hub: headers only
  weightsmith inspect --tensors model.safetensors
  weightsmith inspect --json ./my-model | jq .parameters")]
pub(crate) struct InspectArgs {
    /// The model: a folder, a `.safetensors` file, a name on the Hub, or an address such as
    /// `s3://BUCKET/PREFIX`
    pub(crate) model: OsString,

    /// List every tensor by its full name
    #[arg(long)]
    pub(crate) tensors: bool,

    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}

/// Compare two checkpoints tensor by tensor
///
/// Reads both models in full. Shows for each tensor the share of elements that differ, the largest
/// difference, the norm of the difference relative to A, and the cosine similarity. `--base` names
/// the model that A and B were fine-tuned from, and adds the cosine and the sign conflicts of their
/// task vectors, which show how well they will merge. The exit code is 0 if all tensors are
/// identical, byte for byte, and 1 if not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith diff ./model-a ./model-b
  weightsmith diff --base Qwen/Qwen2.5-0.5B ./instruct ./math   # will these two merge well?
  weightsmith diff --all ./model-a ./model-b                    # all tensors, not just the top 20
  weightsmith diff --json ./model-a ./model-b | jq .summary")]
pub(crate) struct DiffArgs {
    /// The first model: a folder, a `.safetensors` file or a name on the Hub
    pub(crate) a: OsString,

    /// The second model
    pub(crate) b: OsString,

    /// The model that both were fine-tuned from
    #[arg(long, value_name = "MODEL")]
    pub(crate) base: Option<OsString>,

    /// List all tensors that differ, not just the top 20
    #[arg(long)]
    pub(crate) all: bool,

    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Number of threads (default: one per CPU)
    #[arg(short = 'j', long, visible_alias = "num-threads", value_name = "N", env = crate::env_vars::THREADS, hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,

    /// Folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}

/// Verify a merged model against its lock
///
/// Reads every file of the model and compares sizes, hashes and tensors with
/// `weightsmith.lock.json`. The exit code is 0 if the model is intact and 1 if files are damaged,
/// missing or unexpected.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith verify ./merged
  weightsmith verify org/name             # downloads it first
  weightsmith verify --json ./merged")]
pub(crate) struct VerifyArgs {
    /// The folder of a merged model, or its name on the Hub
    pub(crate) out: PathBuf,

    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}
