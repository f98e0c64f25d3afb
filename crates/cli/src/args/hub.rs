//! `pull` and `push`: models from the hub and back.

use std::path::PathBuf;

use clap::Args;

/// Download models from the hub
///
/// Puts what a merge needs (weights, configuration, tokenizer, card; no copies of the weights in other formats) into the cache that
/// all Hugging Face tools share. All models are looked at before the first byte. Files come by several connections, are
/// checked against the hub's hashes, and are continued when the same command is given again. HF_TOKEN or a cached login
/// open private and gated models.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith pull Qwen/Qwen2.5-0.5B Qwen/Qwen2.5-0.5B-Instruct
  weightsmith pull org/name@v1.0              # a branch, tag, commit or refs/pr/N
  weightsmith pull recipe.yml                 # every model that a recipe names
  weightsmith pull --dry-run Qwen/Qwen2.5-7B  # what would come")]
pub(crate) struct PullArgs {
    /// Names such as `Qwen/Qwen2.5-0.5B`, with `@` and a revision where it is not `main`; or recipes
    #[arg(required = true, value_name = "MODEL")]
    pub(crate) models: Vec<String>,

    /// Look at the models and say how large they are, but download only their small files
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Connections that download at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) connections: u8,

    /// The folder of downloaded models; without it HF_HUB_CACHE, HF_HOME or `~/.cache/huggingface/hub`
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,
}

/// Publish a merged model on the hub
///
/// Makes the repository where it is not there, uploads what the hub does not have and commits. An upload that was interrupted goes on
/// when the same command is given again. Needs HF_TOKEN or a cached login with the right to write.
///
/// Published are the files that the model's lock lists, its card with the pictures it shows, licences and evaluation results; without a lock,
/// files of the kinds that models consist of. Other files stay here and are named, unless `--include` asks for them; hidden files always
/// stay. Local paths are not published: folders' names stand in their place in the recipe and the card's copy of it, settings that hold them are left
/// out, and the lock agrees with that. A link out of the model's folder (weights excepted) and a text that looks as if it held a key or a token
/// end the command before anything is sent.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith push --dry-run ./merged           # what would go up, and under which name
  weightsmith push ./merged                     # under your account, with a generated name
  weightsmith push --private ./merged org/name
  weightsmith push --include 'docs/*.md' ./merged
  weightsmith push --pull-request ./merged org/name -m 'Merge with other weights'")]
pub(crate) struct PushArgs {
    /// The folder of a merged model
    pub(crate) out: PathBuf,

    /// The repository, `account/name`; without it your account and `weightsmith-METHOD-` with seven letters
    pub(crate) name: Option<String>,

    /// Make the repository private, where it is not there yet
    #[arg(long)]
    pub(crate) private: bool,

    /// Open a pull request instead of committing to `main`
    #[arg(long)]
    pub(crate) pull_request: bool,

    /// The commit's message
    #[arg(
        short,
        long,
        value_name = "TEXT",
        default_value = "Add a merge made with weightsmith"
    )]
    pub(crate) message: String,

    /// Publish these files too: a name, a path or a pattern such as `docs/*.md`; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,

    /// Publish this file although it holds what looks like a key or a token; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) allow_secret: Vec<String>,

    /// List what would go up, but ask and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
