//! `pull` and `push`: downloads from the Hub and uploads to it.

use std::path::PathBuf;

use clap::Args;

/// Download models from the Hub
///
/// Downloads what a merge needs (weights, configuration, tokenizer and card, but no copies of the
/// weights in other formats) to the shared Hugging Face cache. All models are looked up before the
/// download starts. Files are downloaded over several connections and verified against the Hub's
/// hashes. Run the same command again to resume. For private and gated models, set HF_TOKEN or log
/// in with `hf auth login`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith pull Qwen/Qwen2.5-0.5B Qwen/Qwen2.5-0.5B-Instruct
  weightsmith pull org/name@v1.0              # a branch, tag, commit or refs/pr/N
  weightsmith pull recipe.yml                 # all models of a recipe
  weightsmith pull --dry-run Qwen/Qwen2.5-7B  # show sizes only")]
pub(crate) struct PullArgs {
    /// Names such as `Qwen/Qwen2.5-0.5B`, optionally with `@` and a revision (default: `main`), or
    /// recipes
    #[arg(required = true, value_name = "MODEL")]
    pub(crate) models: Vec<String>,

    /// Look up the models and print their sizes; download only small files
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Number of parallel connections
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) connections: u8,

    /// Folder of downloaded models (default: HF_HUB_CACHE, HF_HOME or `~/.cache/huggingface/hub`)
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}

/// Publish a merged model on the Hub
///
/// Creates the repository if needed, uploads the files that the Hub does not have yet, and commits.
/// Run the same command again to resume an interrupted upload. Requires HF_TOKEN or `hf auth login`
/// with write access.
///
/// Uploads the files that the model's lock lists, the model card with its images, licenses and
/// evaluation results. Without a lock, uploads the usual kinds of model files. Other files are
/// listed and skipped unless `--include` adds them; hidden files are always skipped. Local paths
/// are never published: in the recipe and the card they are replaced with folder names, settings
/// that contain them are removed, and the lock is updated. A link out of the model's folder (except
/// for weights), or a file that appears to contain a key or token, aborts the command before
/// anything is sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith push --dry-run ./merged           # show files and name only
  weightsmith push ./merged                     # under your account, with a generated name
  weightsmith push --private ./merged org/name
  weightsmith push --include 'docs/*.md' ./merged
  weightsmith push --pull-request ./merged org/name -m 'Adjust the weights'")]
pub(crate) struct PushArgs {
    /// The folder of a merged model
    pub(crate) out: PathBuf,

    /// The repository, `account/name` (default: your account and `weightsmith-METHOD-` with seven
    /// letters)
    pub(crate) name: Option<String>,

    /// Make the repository private when creating it
    #[arg(long)]
    pub(crate) private: bool,

    /// Open a pull request instead of committing to `main`
    #[arg(long)]
    pub(crate) pull_request: bool,

    /// The commit message
    #[arg(
        short,
        long,
        value_name = "TEXT",
        default_value = "Add a merge made with weightsmith"
    )]
    pub(crate) message: String,

    /// Also publish these files: a name, a path or a pattern such as `docs/*.md`; can be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,

    /// Publish this file even if it appears to contain a key or token; can be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) allow_secret: Vec<String>,

    /// List what would be uploaded, without contacting the Hub
    #[arg(long)]
    pub(crate) dry_run: bool,
}
