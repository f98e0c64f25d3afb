//! `check` and `explain`, and the options of everything that plans a merge.

use std::path::PathBuf;

use clap::Args;

/// Options that change what is planned.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for the recipe")]
pub(crate) struct PlanArgs {
    /// Take warnings about the recipe as errors, such as an unknown key or a value out of its usual range
    #[arg(long)]
    pub(crate) strict: bool,

    /// The folder of downloaded models in which names such as `Qwen/Qwen2.5-0.5B` are looked up;
    /// without it HF_HUB_CACHE, HF_HOME or `~/.cache/huggingface/hub`
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,

    /// Key of all randomness, for methods that draw random numbers
    #[arg(
        long,
        visible_alias = "seed",
        value_name = "NUMBER",
        default_value_t = 0
    )]
    pub(crate) random_seed: u64,

    /// Where vocabularies differ in size, drop the last rows of the larger embeddings.
    /// Right only if all models give the same meaning to the same token numbers
    #[arg(long, overrides_with = "no_unsafe_truncate_embeddings")]
    pub(crate) unsafe_truncate_embeddings: bool,

    /// Embeddings of different sizes are an error (the default)
    #[arg(long, overrides_with = "unsafe_truncate_embeddings", hide = true)]
    pub(crate) no_unsafe_truncate_embeddings: bool,
}

/// Find all problems of a recipe, from the headers of the models alone; or of a model that is to be hosted
///
/// Reads the recipe and the headers of the checkpoints that it names, and lists every problem at once, each with
/// its line and a hint. No tensor data is read and nothing is written, so this takes a moment for any model.
/// The exit code is 0 when the merge can be run and 2 when it cannot; warnings count only with `--strict`.
///
/// With `--host` it takes a model and looks at what inference hosts require: safetensors of 16 bits, the shapes of a known
/// base, a complete card, a tokenizer and a chat template that load, answers that end, a vocabulary that can be converted
/// to GGUF. It tells the size, the concurrency units and the memory that the model needs. The exit code is 1 when
/// something that is required is missing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith check recipe.yml
  weightsmith check --strict recipe.yml        # warnings are errors
  weightsmith check --json recipe.yml | jq .   # for editors and scripts
  weightsmith check --host ./merged            # will hosts take the result?
  weightsmith check --host Qwen/Qwen2.5-0.5B   # a model of the hub, from headers")]
pub(crate) struct CheckArgs {
    /// The recipe, a YAML file; `-` reads it from standard input. With `--host` the model: a folder, or a name on the hub
    pub(crate) recipe: PathBuf,

    /// Check a model for what inference hosts require, not a recipe
    #[arg(long)]
    pub(crate) host: bool,

    /// Print the problems as a JSON array; with `--host` everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}

/// Show what a recipe does, layer by layer
///
/// Draws the curve of every parameter over the layers and each model's share of the result, and says in words
/// which model rules where. Everything is computed from the plan of the merge; no tensor data is read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith explain recipe.yml
  weightsmith explain --json recipe.yml | jq .   # the numbers behind the curves")]
pub(crate) struct ExplainArgs {
    /// The recipe, a YAML file; `-` reads it from standard input
    pub(crate) recipe: PathBuf,

    /// Print the explanation as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}
