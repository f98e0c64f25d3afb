//! `merge`.

use std::path::PathBuf;

use clap::Args;

use super::{PlanArgs, UnneededArgs};

/// Merge models according to a recipe
///
/// Reads mergekit recipes and accepts all options of `mergekit-yaml`. The whole recipe is checked
/// before anything is read or written. The output appears at OUT in one step once it is complete
/// and verified. Run the same command again to resume an interrupted merge; if the result already
/// exists, it does nothing. Missing models are downloaded from the Hub to the shared Hugging Face
/// cache first. With `--stream`, their weights are read while merging and only the result is
/// stored.
///
/// If OUT is a mount point, such as a container volume, files are moved into it one by one. If the
/// process is killed during the move, OUT has no `config.json` and every command rejects it until
/// you run the same command again. Use a folder inside the volume to avoid this.
///
/// The tokenizer and other files are copied from one of the models. Settings that contain local
/// paths are removed. A link that leads out of that model's folder is an error, except for weights,
/// because it would copy an unrelated file into the result.
///
/// Models and OUT can be in object stores: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`,
/// `az://CONTAINER/PREFIX`. The model is merged into a local folder and then uploaded, with its
/// lock last. `hf://ACCOUNT/NAME` as OUT publishes the model on the Hub, like `push`. Credentials
/// come from environment variables such as AWS_ACCESS_KEY_ID.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith merge recipe.yml ./merged
  weightsmith merge --dry-run recipe.yml ./merged     # show the plan only
  weightsmith merge --force recipe.yml ./merged       # replace an existing model
  weightsmith merge --max-memory 64MiB recipe.yml ./merged
  weightsmith merge --out-shard-size 2GB recipe.yml ./merged
  weightsmith merge --stream recipe.yml ./merged      # do not store the models
  weightsmith merge recipe.yml s3://bucket/models/merged")]
pub(crate) struct MergeArgs {
    /// The recipe, a YAML file; `-` reads standard input
    pub(crate) recipe: PathBuf,

    /// The output folder; must be empty or not exist, unless `--force` is given. Or a remote
    /// address: `s3://BUCKET/PREFIX`, `gs://…`, `az://…`, `hf://ACCOUNT/NAME`
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

/// Output options.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[command(next_help_heading = "Output options")]
pub(crate) struct OutputArgs {
    /// Replace the contents of OUT; the old contents stay until the new ones are complete
    #[arg(long)]
    pub(crate) force: bool,

    /// Maximum size of a weight file, such as `2GB` or `2GiB`; `5B` means 5,000,000,000 bytes, as
    /// in mergekit
    #[arg(long, value_name = "SIZE", default_value = "5B")]
    pub(crate) out_shard_size: String,

    /// Do not copy the tokenizer and other companion files
    #[arg(long, overrides_with = "copy_tokenizer")]
    pub(crate) no_copy_tokenizer: bool,

    /// Copy the tokenizer and other companion files (the default)
    #[arg(long, overrides_with = "no_copy_tokenizer", hide = true)]
    pub(crate) copy_tokenizer: bool,

    /// Do not write a model card (`README.md`)
    #[arg(long, overrides_with = "write_model_card")]
    pub(crate) no_write_model_card: bool,

    /// Write a model card, `README.md` (the default)
    #[arg(long, overrides_with = "no_write_model_card", hide = true)]
    pub(crate) write_model_card: bool,

    /// Write NaN and infinite values instead of failing
    #[arg(long)]
    pub(crate) allow_non_finite: bool,

    /// Flush the result to disk, so that it survives a power cut
    #[arg(long)]
    pub(crate) sync: bool,
}

/// Run options. None of them changes a byte of the result.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[command(next_help_heading = "Run options")]
pub(crate) struct RunArgs {
    /// Check everything and print the plan, without merging
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Maximum private memory, such as `64MiB`; it does not need to grow with the model
    #[arg(long, value_name = "SIZE", env = crate::env_vars::MAX_MEMORY, hide_env_values = true, default_value = "256MiB")]
    pub(crate) max_memory: String,

    /// Number of threads (default: one per CPU)
    #[arg(short = 'j', long, visible_alias = "num-threads", value_name = "N", env = crate::env_vars::THREADS, hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,

    /// Read missing models from the Hub while merging, and store only the result
    #[arg(long)]
    pub(crate) stream: bool,

    /// Local folder for merges that are uploaded (default: `weightsmith/staging` in XDG_CACHE_HOME
    /// or `~/.cache`)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) staging: Option<PathBuf>,

    /// Start over instead of resuming an interrupted merge
    #[arg(long, overrides_with = "resume")]
    pub(crate) fresh: bool,

    /// Resume an interrupted merge (the default)
    #[arg(long, overrides_with = "fresh", hide = true)]
    pub(crate) resume: bool,
}
