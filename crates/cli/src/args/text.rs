//! `generate`, `chat` and `eval`: commands that make a model speak.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options that say which model speaks, and how it computes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options for the model")]
pub(crate) struct ModelArgs {
    /// Keep keys and values in 32 bits instead of 16: slower, and as exact as the weights
    #[arg(long)]
    pub(crate) exact: bool,

    /// Keep the weights in fewer bits: half the memory of bfloat16, almost the same answers
    #[arg(long, value_enum, value_name = "TYPE")]
    pub(crate) quantize: Option<Quantization>,

    /// A chat template in Jinja to use instead of the model's own
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,

    /// Number of threads; without it, one per processor
    #[arg(short = 'j', long, visible_alias = "num-threads", value_name = "N", env = crate::env_vars::THREADS, hide_env_values = true, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,

    /// The folder of downloaded models
    #[arg(long, visible_alias = "hub-cache", value_name = "FOLDER")]
    pub(crate) transformers_cache: Option<PathBuf>,

    /// For a recipe: key of the merge's randomness, for methods that draw random numbers
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) random_seed: u64,

    /// For a recipe: where vocabularies differ in size, drop the last rows of the larger embeddings
    #[arg(long)]
    pub(crate) unsafe_truncate_embeddings: bool,
}

/// Fewer bits for weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Quantization {
    /// 8 bits and a scale for each 32 weights, as llama.cpp's Q8_0
    #[value(name = "q8_0")]
    Q8_0,
}

/// Options that say how tokens are chosen. What is not given comes from the model's `generation_config.json`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for the text")]
pub(crate) struct SamplingArgs {
    /// Tokens at most; without it the model's own limit, else until the text or the context ends
    #[arg(long, visible_alias = "max-new-tokens", value_name = "N")]
    pub(crate) max_tokens: Option<usize>,

    /// How adventurous: 0 takes the likeliest token each time
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) temperature: Option<f32>,

    /// Choose among so many of the likeliest tokens; 0: all
    #[arg(long, value_name = "K")]
    pub(crate) top_k: Option<usize>,

    /// Choose among the likeliest tokens that have this probability together; 1: all
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub(crate) top_p: Option<f32>,

    /// Choose among tokens at least so many times as likely as the likeliest; 0: all
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub(crate) min_p: Option<f32>,

    /// Make tokens that have occurred less likely: above 1; 1 changes nothing
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub(crate) repetition_penalty: Option<f32>,

    /// Key of the random choices: the same key gives the same text
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// A text that ends the answer, and is not shown; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub(crate) stop: Vec<String>,
}

/// Continue a prompt, from a model or from a recipe that was never written
///
/// The text is shown as it comes. The prompt is a user's message in the model's chat template; with `--raw`, or where a model
/// has no template, it is a text that is continued. Of a recipe, the merge is computed in memory and nothing is written.
/// Ctrl-C ends the text.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith generate ./merged --prompt 'Where is Rome?'
  weightsmith generate recipe.yml --prompt 'Where is Rome?'     # before anything is written
  weightsmith generate --raw Qwen/Qwen2.5-0.5B --prompt 'Once upon a time' --temperature 0.8 --seed 1
  weightsmith generate ./merged < question.txt")]
pub(crate) struct GenerateArgs {
    /// A model (a folder, or a name on the hub, which is downloaded) or a recipe (a YAML file)
    pub(crate) model: String,

    /// What the model is asked; without it, standard input
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,

    /// A system prompt, which goes before the message
    #[arg(long, value_name = "TEXT", conflicts_with = "raw")]
    pub(crate) system: Option<String>,

    /// The prompt is a text to be continued, not a message
    #[arg(long)]
    pub(crate) raw: bool,

    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,

    #[command(flatten)]
    pub(crate) options: ModelArgs,
}

/// Talk with a model, or with a recipe that was never written
///
/// A line is a turn, and the model remembers the turns before. Ctrl-C ends an answer, not the chat. Commands within the chat:
/// `/compare` has the last turn answered by the merge and by each of its parents, `/compare TEXT` the next one;
/// `/system TEXT` changes the system prompt, `/reset` forgets the turns, `/help` lists the commands, `/quit` ends.
/// Turns can also come from standard input, one in a line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith chat ./merged
  weightsmith chat recipe.yml --system 'Answer in one word.'
  weightsmith chat Qwen/Qwen2.5-0.5B-Instruct --quantize q8_0
  echo '/compare Where is Rome?' | weightsmith chat recipe.yml")]
pub(crate) struct ChatArgs {
    /// A model (a folder, or a name on the hub, which is downloaded) or a recipe (a YAML file)
    pub(crate) model: String,

    /// The system prompt; without it, what the model's template says
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,

    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,

    #[command(flatten)]
    pub(crate) options: ModelArgs,
}

/// Measure a model, or a recipe that was never written, on texts and questions
///
/// On texts (`.txt`): the perplexity, e to the mean of -ln p over the tokens. A text is read in windows of `--window` tokens, each
/// `--stride` tokens after the one before; what two windows share is context only in the second, so every token but the first
/// counts once. With `--documents`, parts between blank lines are texts of their own, with an end-of-text token before and behind.
/// With `--against`, others are measured on everything too and stand beside the model; on texts they are also compared with it token
/// by token, under llama.cpp's names: `Mean KLD` (their distribution against the model's), `Same top p`, `Mean Δp` and `RMS Δp`
/// (probability of the token that follows).
///
/// On questions (`.jsonl`, an object in a line): `{"messages": […], "answer": "text", "kind": "…"}` is answered greedily and
/// right when the answer is the text, blanks around left out; `{"question": "…", "choices": ["…", …], "answer": 0}` is answered by the
/// choice with the largest log-likelihood (`acc`), or the largest for each byte (`acc_norm`), as in lm-evaluation-harness, the
/// choice behind the question and a blank. Either form takes `question` (plain text) or `messages` (through the chat template);
/// `answer` is the index of a choice or its text. A file has one form. A line that is not so is an error with its number.
///
/// With `--sweep`, one parameter of a recipe takes several values in turn; each merge is computed in memory and measured on
/// everything. `t` is varied everywhere: one value in the place of all that the recipe sets, gradients and filters too. A part is named as
/// it stands in the recipe, counted from 0: `slices[0].t`, `models[1].weight`, `slices[0].sources[1].weight`, or by a model's name:
/// `MODEL:weight`.
///
/// With `--save`, a folder's model card gets the numbers in a section of their own, and results of a benchmark of the Hugging Face Hub are
/// written to `.eval_results/*.yaml`, as percentages. Ctrl-C ends the measurement: what there is by then is shown, nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith eval ./merged --data wiki.txt
  weightsmith eval recipe.yml --data wiki.txt questions.jsonl     # before anything is written
  weightsmith eval recipe.yml --against ./base --against ./instruct --data wiki.txt
  weightsmith eval recipe.yml --sweep t=0:1:0.1 --svg t.svg --data wiki.txt questions.jsonl
  weightsmith eval recipe.yml --sweep instruct:weight=0.2,0.5,0.8 --data questions.jsonl
  weightsmith eval ./merged --save --data gpqa.jsonl --benchmark gpqa.jsonl=Idavidrein/gpqa:gpqa_diamond
  weightsmith eval --json ./merged --data questions.jsonl | jq '.tasks[].right'")]
pub(crate) struct EvalArgs {
    /// A model (a folder, or a name on the hub, which is downloaded) or a recipe (a YAML file)
    pub(crate) model: String,

    /// Texts (`.txt`) and questions (`.jsonl`)
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) data: Vec<PathBuf>,

    /// A model or recipe to measure beside it, such as a parent; may be given several times
    #[arg(long, value_name = "PARENT")]
    pub(crate) against: Vec<String>,

    /// Texts are documents with blank lines between them
    #[arg(long)]
    pub(crate) documents: bool,

    /// Tokens that the model sees at once; without it 2048, or the model's positions where they are fewer
    #[arg(long, value_name = "TOKENS")]
    pub(crate) window: Option<usize>,

    /// Tokens from window to window; without it, half a window
    #[arg(long, value_name = "TOKENS")]
    pub(crate) stride: Option<usize>,

    /// Only the first so many questions of a file, documents of a text, or windows of a whole text
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Tokens of an answer at most
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) max_tokens: usize,

    /// For a recipe: vary a parameter, as in `t=0:1:0.1` (both ends included) or `weight=0.2,0.5`
    #[arg(long, value_name = "PARAMETER=VALUES")]
    pub(crate) sweep: Option<String>,

    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Draw the numbers into this file: bars, or the lines of a sweep
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// Note the numbers in the model's folder: in its model card, and in `.eval_results` what `--benchmark` names
    #[arg(long, conflicts_with = "sweep")]
    pub(crate) save: bool,

    /// With `--save`: the questions in FILE are those of a benchmark on the Hugging Face Hub; may be given several times
    #[arg(long, value_name = "FILE=ORG/DATASET:TASK", requires = "save")]
    pub(crate) benchmark: Vec<String>,

    #[command(flatten)]
    pub(crate) options: ModelArgs,
}
