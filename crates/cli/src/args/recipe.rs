//! `check` and `explain`, and the options of everything that plans a merge.

use std::path::PathBuf;

use clap::Args;

/// Options that affect the plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recipe options")]
pub(crate) struct PlanArgs {
    /// Treat warnings about the recipe as errors, such as unknown keys and unusual values
    #[arg(long)]
    pub(crate) strict: bool,

    /// Folder of downloaded models (default: HF_HUB_CACHE, HF_HOME or `~/.cache/huggingface/hub`)
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,

    /// Random seed, for methods that use random numbers
    #[arg(
        long,
        visible_alias = "seed",
        value_name = "NUMBER",
        default_value_t = 0
    )]
    pub(crate) random_seed: u64,

    /// If vocabulary sizes differ, drop the last rows of the larger embeddings. Only correct if the
    /// remaining token ids have the same meaning in all models
    #[arg(long, overrides_with = "no_unsafe_truncate_embeddings")]
    pub(crate) unsafe_truncate_embeddings: bool,

    /// Embeddings of different sizes are an error (the default)
    #[arg(long, overrides_with = "unsafe_truncate_embeddings", hide = true)]
    pub(crate) no_unsafe_truncate_embeddings: bool,
}

/// Check a recipe, or whether a model can be hosted
///
/// Reads the recipe and the headers of its checkpoints, and lists every problem with its line and a
/// hint. No tensor data is read and nothing is written, so this is fast for any model. The exit
/// code is 0 if the recipe can be merged and 2 if not. Warnings count only with `--strict`.
///
/// With `--host`, checks a model for what inference hosts require: 16-bit safetensors, the shapes
/// of a known base, a complete model card, a tokenizer and a chat template that load, an
/// end-of-text token, and a vocabulary that converts to GGUF. Prints the model's size, concurrency
/// units and memory. The exit code is 1 if a requirement fails.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith check recipe.yml
  weightsmith check --strict recipe.yml        # warnings are errors
  weightsmith check --json recipe.yml | jq .   # for editors and scripts
  weightsmith check --host ./merged            # will hosts accept it?
  weightsmith check --host Qwen/Qwen2.5-0.5B   # a model on the Hub")]
pub(crate) struct CheckArgs {
    /// The recipe, a YAML file; `-` reads standard input. With `--host`, a model: a folder or a
    /// name on the Hub
    pub(crate) recipe: PathBuf,

    /// Check a model against the requirements of inference hosts
    #[arg(long)]
    pub(crate) host: bool,

    /// Print the problems as a JSON array; with `--host`, print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}

/// Show what a recipe does, layer by layer
///
/// Plots every parameter and each model's share of the result over the layers, with a summary.
/// Everything is computed from the plan; no tensor data is read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith explain recipe.yml
  weightsmith explain --json recipe.yml | jq .   # the plotted numbers")]
pub(crate) struct ExplainArgs {
    /// The recipe, a YAML file; `-` reads standard input
    pub(crate) recipe: PathBuf,

    /// Print the explanation as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}
