//! `generate`, `chat` and `eval`: commands that run a model.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options for loading and running a model.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model options")]
pub(crate) struct ModelArgs {
    /// Keep the KV cache in 32 bits instead of 16: slower, full precision
    #[arg(long)]
    pub(crate) exact: bool,

    /// Quantize the weights: half the memory of bfloat16, almost the same answers
    #[arg(long, value_enum, value_name = "TYPE")]
    pub(crate) quantize: Option<Quantization>,

    /// A Jinja chat template to use instead of the model's
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,

    /// Number of threads (default: one per CPU)
    #[arg(short = 'j', long, visible_alias = "num-threads", value_name = "N", env = crate::env_vars::THREADS, hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,

    /// Folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,

    /// For recipes: random seed of the merge
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) random_seed: u64,

    /// For recipes: if vocabulary sizes differ, drop the last rows of the larger embeddings
    #[arg(long)]
    pub(crate) unsafe_truncate_embeddings: bool,
}

/// Quantized weight types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Quantization {
    /// 8 bits and one scale per 32 weights, like llama.cpp's Q8_0
    #[value(name = "q8_0")]
    Q8_0,
}

/// Sampling options. Defaults come from the model's `generation_config.json`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling options")]
pub(crate) struct SamplingArgs {
    /// Maximum number of new tokens (default: the model's limit, or until the answer or the context
    /// ends)
    #[arg(long, visible_alias = "max-new-tokens", value_name = "N")]
    pub(crate) max_tokens: Option<usize>,

    /// Sampling temperature; 0 is greedy
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) temperature: Option<f32>,

    /// Sample from the K most likely tokens; 0 disables
    #[arg(long, value_name = "K")]
    pub(crate) top_k: Option<usize>,

    /// Sample from the most likely tokens with a total probability of P; 1 disables
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub(crate) top_p: Option<f32>,

    /// Sample from tokens at least P times as likely as the most likely one; 0 disables
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub(crate) min_p: Option<f32>,

    /// Penalty for tokens that already occurred; 1 disables
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub(crate) repetition_penalty: Option<f32>,

    /// Random seed; the same seed gives the same text
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Stop when this text is generated, without printing it; can be repeated
    #[arg(long, value_name = "TEXT")]
    pub(crate) stop: Vec<String>,
}

/// Complete a prompt with a model or an unmerged recipe
///
/// Streams the text as it is generated. The prompt is a user message in the model's chat template.
/// With `--raw`, or if the model has no template, it is plain text to complete. Recipes are merged
/// in memory; nothing is written. Ctrl-C stops the text.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith generate ./merged --prompt 'Where is Rome?'
  weightsmith generate recipe.yml --prompt 'Where is Rome?'     # without writing the merge
  weightsmith generate --raw Qwen/Qwen2.5-0.5B --prompt 'Once upon a time' --temperature 0.8 --seed 1
  weightsmith generate ./merged < question.txt")]
pub(crate) struct GenerateArgs {
    /// A model (a folder or a name on the Hub) or a recipe (a YAML file)
    pub(crate) model: String,

    /// The prompt (default: standard input)
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,

    /// The system prompt
    #[arg(long, value_name = "TEXT", conflicts_with = "raw")]
    pub(crate) system: Option<String>,

    /// Treat the prompt as plain text to complete, not as a message
    #[arg(long)]
    pub(crate) raw: bool,

    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,

    #[command(flatten)]
    pub(crate) options: ModelArgs,
}

/// Chat with a model or an unmerged recipe
///
/// Each line is a turn; the model sees the previous turns. Ctrl-C stops an answer, not the chat.
/// Commands: `/compare` repeats the last turn with the merge and each of its parents, `/compare
/// TEXT` asks all of them TEXT, `/system TEXT` sets the system prompt, `/reset` clears the
/// conversation, `/help` lists the commands, `/quit` exits. Turns can also come from standard
/// input, one per line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith chat ./merged
  weightsmith chat recipe.yml --system 'Answer in one word.'
  weightsmith chat Qwen/Qwen2.5-0.5B-Instruct --quantize q8_0
  echo '/compare Where is Rome?' | weightsmith chat recipe.yml")]
pub(crate) struct ChatArgs {
    /// A model (a folder or a name on the Hub) or a recipe (a YAML file)
    pub(crate) model: String,

    /// The system prompt (default: the template's)
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,

    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,

    #[command(flatten)]
    pub(crate) options: ModelArgs,
}

/// Evaluate a model or an unmerged recipe on text and questions
///
/// Text files (`.txt`) measure perplexity: e to the mean of -ln p over the tokens. Text is read in
/// windows of `--window` tokens, `--stride` apart. Where windows overlap, each token is scored
/// once, in the first of them. With `--documents`, each paragraph is a separate document between
/// end-of-text tokens. `--against` measures other models on the same data and compares them with
/// the model token by token, with llama.cpp's metrics: `Mean KLD` (their distribution against the
/// model's), `Same top p`, `Mean Δp` and `RMS Δp` (probability of the next token).
///
/// Question files (`.jsonl`) have one object per line. `{"messages": […], "answer": "text", "kind":
/// "…"}` is answered greedily and correct if the trimmed answer equals the text. `{"question": "…",
/// "choices": ["…", …], "answer": 0}` is correct if the choice has the highest log-likelihood
/// (`acc`), or the highest per byte (`acc_norm`), as in lm-evaluation-harness, with a space between
/// question and choice. Both accept `question` (plain text) or `messages` (chat template); `answer`
/// is the index of a choice or its text. All lines of a file must have the same format. A malformed
/// line is an error with its number.
///
/// `--sweep` sets a parameter of a recipe to several values, and merges and measures each in
/// memory. `t` sets the parameter everywhere: one value replaces all values in the recipe,
/// including gradients and filters. To vary one part, use its position from 0, such as
/// `slices[0].t`, `models[1].weight` or `slices[0].sources[1].weight`, or a model's name, as in
/// `MODEL:weight`.
///
/// `--save` adds the results to the model card in a model's folder, and writes results of Hub
/// benchmarks to `.eval_results/*.yaml`, as percentages. Ctrl-C stops the evaluation and shows the
/// results so far; nothing is saved.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith eval ./merged --data wiki.txt
  weightsmith eval recipe.yml --data wiki.txt questions.jsonl     # without writing the merge
  weightsmith eval recipe.yml --against ./base --against ./instruct --data wiki.txt
  weightsmith eval recipe.yml --sweep t=0:1:0.1 --svg t.svg --data wiki.txt questions.jsonl
  weightsmith eval recipe.yml --sweep instruct:weight=0.2,0.5,0.8 --data questions.jsonl
  weightsmith eval ./merged --save --data gpqa.jsonl --benchmark gpqa.jsonl=Idavidrein/gpqa:gpqa_diamond
  weightsmith eval --json ./merged --data questions.jsonl | jq '.tasks[].right'")]
pub(crate) struct EvalArgs {
    /// A model (a folder or a name on the Hub) or a recipe (a YAML file)
    pub(crate) model: String,

    /// Text (`.txt`) and question (`.jsonl`) files
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) data: Vec<PathBuf>,

    /// Another model or recipe to measure, such as a parent; can be repeated
    #[arg(long, value_name = "PARENT")]
    pub(crate) against: Vec<String>,

    /// Treat each paragraph of a text as a separate document
    #[arg(long)]
    pub(crate) documents: bool,

    /// Tokens per window (default: 2048, or the model's context if that is smaller)
    #[arg(long, value_name = "TOKENS")]
    pub(crate) window: Option<usize>,

    /// Tokens between the starts of windows (default: half a window)
    #[arg(long, value_name = "TOKENS")]
    pub(crate) stride: Option<usize>,

    /// Use only the first N questions, documents or windows of each file
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Maximum number of tokens per answer
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) max_tokens: usize,

    /// For recipes: vary a parameter, such as `t=0:1:0.1` (including both ends) or `weight=0.2,0.5`
    #[arg(long, value_name = "PARAMETER=VALUES")]
    pub(crate) sweep: Option<String>,

    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Write a chart to this file: bars, or lines for a sweep
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// Save the results to the model's folder: to its model card and, for `--benchmark`, to
    /// `.eval_results`
    #[arg(long, conflicts_with = "sweep")]
    pub(crate) save: bool,

    /// With `--save`: FILE has the questions of a Hub benchmark; can be repeated
    #[arg(long, value_name = "FILE=ORG/DATASET:TASK", requires = "save")]
    pub(crate) benchmark: Vec<String>,

    #[command(flatten)]
    pub(crate) options: ModelArgs,
}
