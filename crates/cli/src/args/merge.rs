//! `merge`.

use std::path::PathBuf;

use clap::Args;

use super::{PlanArgs, UnneededArgs};

/// Run a merge: read a recipe, write a model folder
///
/// Takes the recipes of mergekit, and all options of `mergekit-yaml`. The recipe is checked in full before anything
/// is read or written. The model is written beside OUT and moved there in one step when it is complete and checked, so OUT never
/// holds half a model. Run the same command again to resume a run that was stopped, by Ctrl-C or otherwise; where the result is there already, it
/// does nothing. Models that are not on this machine are downloaded from the hub first, into the cache that all Hugging Face
/// tools share; with `--stream` their weights are read while merging, and only the result is kept.
///
/// If OUT is itself a mount point, such as a container's volume, its files are moved in one by one. A run that is killed in that moment leaves OUT
/// without a `config.json`, and every command refuses it until the same command, given again, completes it. A folder inside of the volume as OUT
/// has no such moment.
///
/// The tokenizer and other files come from one of the models. Settings in them that hold paths of this machine are left out. A link that leads out of that
/// model's folder is an error (weights excepted): it would copy a file into the result that is not the model's.
///
/// Models may be in object stores, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` and `az://CONTAINER/PREFIX`, and so may OUT: the model is merged
/// into a folder here and then sent, its lock last. `hf://ACCOUNT/NAME` as OUT publishes the model on the hub, as `push` does. Credentials
/// come from the environment: AWS_ACCESS_KEY_ID and so on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith merge recipe.yml ./merged
  weightsmith merge --dry-run recipe.yml ./merged     # what would be read and written
  weightsmith merge --force recipe.yml ./merged       # replace what is there
  weightsmith merge --max-memory 64MiB recipe.yml ./merged
  weightsmith merge --out-shard-size 2GB recipe.yml ./merged
  weightsmith merge --stream recipe.yml ./merged      # download nothing but what is merged
  weightsmith merge recipe.yml s3://bucket/models/merged")]
pub(crate) struct MergeArgs {
    /// The recipe, a YAML file; `-` reads it from standard input
    pub(crate) recipe: PathBuf,

    /// The folder of the merged model; must not exist or be empty, unless `--force` is given.
    /// Or a place elsewhere: `s3://BUCKET/PREFIX`, `gs://…`, `az://…`, `hf://ACCOUNT/NAME`
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,

    #[command(flatten)]
    pub(crate) unneeded: Box<UnneededArgs>,
}

/// Options that say what is written.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[command(next_help_heading = "Options for the output")]
pub(crate) struct OutputArgs {
    /// Replace what is at OUT; the old content is there until the new is complete
    #[arg(long)]
    pub(crate) force: bool,

    /// Largest size of a file of weights: `5B` is 5,000,000,000 bytes as in mergekit, `2GB` and `2GiB` are what they say
    #[arg(long, value_name = "SIZE", default_value = "5B")]
    pub(crate) out_shard_size: String,

    /// Leave the tokenizer and the other files that come along with the weights out of the result
    #[arg(long, overrides_with = "copy_tokenizer")]
    pub(crate) no_copy_tokenizer: bool,

    /// Copy the tokenizer and the other files that come along with the weights (the default)
    #[arg(long, overrides_with = "no_copy_tokenizer", hide = true)]
    pub(crate) copy_tokenizer: bool,

    /// Write no `README.md` with the description of the merge
    #[arg(long, overrides_with = "write_model_card")]
    pub(crate) no_write_model_card: bool,

    /// Write a `README.md` with the description of the merge (the default)
    #[arg(long, overrides_with = "no_write_model_card", hide = true)]
    pub(crate) write_model_card: bool,

    /// Write NaN and infinite values instead of failing on them
    #[arg(long)]
    pub(crate) allow_non_finite: bool,

    /// Wait until everything is on the disk itself, so that the result survives a power cut
    #[arg(long)]
    pub(crate) sync: bool,
}

/// Options that say how it is done; none of them changes a byte of the result.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[command(next_help_heading = "Options for the run")]
pub(crate) struct RunArgs {
    /// Check everything and print what would be read and written, but do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Private memory that may be used, such as `64MiB`; it need not grow with the model
    #[arg(long, value_name = "SIZE", env = crate::env_vars::MAX_MEMORY, hide_env_values = true, default_value = "256MiB")]
    pub(crate) max_memory: String,

    /// Number of threads; without it, one per processor
    #[arg(short = 'j', long, visible_alias = "num-threads", value_name = "N", env = crate::env_vars::THREADS, hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,

    /// Read models that are not on this machine from the hub while merging, and keep only the result
    #[arg(long)]
    pub(crate) stream: bool,

    /// The folder in which models that go elsewhere are merged first; without it
    /// `weightsmith/staging` in XDG_CACHE_HOME or `~/.cache`
    #[arg(long, value_name = "FOLDER")]
    pub(crate) staging: Option<PathBuf>,

    /// Begin anew, whatever an interrupted run has left
    #[arg(long, overrides_with = "resume")]
    pub(crate) fresh: bool,

    /// Go on where an interrupted run stopped (the default)
    #[arg(long, overrides_with = "fresh", hide = true)]
    pub(crate) resume: bool,
}
