//! `inspect`, `diff` and `verify`: commands about checkpoints.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Show what is in a checkpoint
///
/// Reads the headers and `config.json`: architecture, layers, parameters, types, files, vocabulary, and every
/// tensor with its shape, layers folded into one line. No tensor data is read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith inspect ./my-model
  weightsmith inspect Qwen/Qwen2.5-0.5B         # from the hub: headers only
  weightsmith inspect --tensors model.safetensors
  weightsmith inspect --json ./my-model | jq .parameters")]
pub(crate) struct InspectArgs {
    /// The model: a folder, a `.safetensors` file, a name on the hub, or an address such as `s3://BUCKET/PREFIX`
    pub(crate) model: OsString,

    /// List every tensor by its full name
    #[arg(long)]
    pub(crate) tensors: bool,

    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}

/// Show how two checkpoints differ, tensor by tensor
///
/// Reads both models in full and measures for every tensor which share of its elements differs, the largest
/// difference, the length of the difference relative to A, and the cosine between both. With `--base`, A and B
/// are taken as two trainings of one model: the cosine of what they learnt and the share of elements that they
/// pull in opposite directions say how well they will merge. The exit code is 0 when all tensors are the same,
/// byte for byte, and 1 when not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith diff ./model-a ./model-b
  weightsmith diff --base Qwen/Qwen2.5-0.5B ./instruct ./math   # will these two merge well?
  weightsmith diff --all ./model-a ./model-b                    # every tensor, not the 20 that differ most
  weightsmith diff --json ./model-a ./model-b | jq .summary")]
pub(crate) struct DiffArgs {
    /// The first model: a folder, a `.safetensors` file, or a name on the hub, which is downloaded
    pub(crate) a: OsString,

    /// The second model
    pub(crate) b: OsString,

    /// The model that both were trained from
    #[arg(long, value_name = "MODEL")]
    pub(crate) base: Option<OsString>,

    /// List every tensor that differs, not only the 20 that differ most
    #[arg(long)]
    pub(crate) all: bool,

    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Number of threads; without it, one per processor
    #[arg(short = 'j', long, visible_alias = "num-threads", value_name = "N", env = crate::env_vars::THREADS, hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,

    /// The folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}

/// Check that a merged model is what its run wrote
///
/// Reads every file of the model again and compares it with `weightsmith.lock.json`: sizes, hashes, tensors.
/// The exit code is 0 when everything is intact and 1 when something is damaged, missing or extra.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith verify ./merged
  weightsmith verify org/name             # on the hub: downloaded, then verified
  weightsmith verify --json ./merged")]
pub(crate) struct VerifyArgs {
    /// The folder of a model that `weightsmith merge` wrote, or the name of one on the hub
    pub(crate) out: PathBuf,

    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// The folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}
