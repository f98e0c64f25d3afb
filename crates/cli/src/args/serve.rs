//! `serve` and `studio`: an HTTP server for models and recipes, with pages.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::ModelArgs;

/// Answer requests over HTTP, as OpenAI's API does, and show the studio: models, recipes, merges and conversations in a browser
///
/// Models and recipes given here speak; a recipe is merged into memory. So do the models that the studio finds: those of `--folder`, those
/// in the Hugging Face cache, and those that were merged in the studio. A model is loaded when it is first asked for. Its name in requests
/// is that of its folder, link or recipe file without its ending; `NAME=MODEL` gives it another, such as `me/My-Merge=./merged`. `/v1/models`
/// lists the names and states.
/// Several requests are computed at once, and a long prompt does not hold up the others. Ctrl-C ends the server when what
/// runs is done, or after `--grace`; a merge that is under way can be resumed later.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith serve                                             # the studio, with what is in the cache
  weightsmith serve ./merged
  weightsmith serve recipe.yml ./base --memory-budget 8GB       # loaded when first asked for
  weightsmith serve chat=./merged --port 8000 --parallel 8 --no-studio
  WEIGHTSMITH_API_KEY=… weightsmith serve ./merged --host 0.0.0.0")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) serving: ServingArgs,

    /// Answer `/v1` alone: no pages, no history, no other models than those given
    #[arg(long)]
    pub(crate) no_studio: bool,
}

/// Open the studio in the browser: models, recipes, merges and conversations
///
/// Serves as `serve` does and opens a browser. Where the usual port is in use and none was asked for, any that is free is taken.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith studio
  weightsmith studio --folder ./models --folder /mnt/models
  weightsmith studio --no-browser --port 8000")]
pub(crate) struct StudioArgs {
    #[command(flatten)]
    pub(crate) serving: ServingArgs,

    /// Open no browser
    #[arg(long)]
    pub(crate) no_browser: bool,
}

/// What `serve` and `studio` have in common.
#[derive(Debug, Args)]
pub(crate) struct ServingArgs {
    /// Models (folders or names of downloaded ones) and recipes (YAML files)
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,

    /// The address to listen on; one that other machines reach needs `--api-key`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// The port to listen on; without it 8080; 0: any that is free
    #[arg(short, long, value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// The key that requests must bring, as `Authorization: Bearer KEY`; browsers are asked for it
    #[arg(long, value_name = "KEY", env = crate::env_vars::API_KEY, hide_env_values = true)]
    pub(crate) api_key: Option<String>,

    /// A name that requests may call this machine by; may be given several times; `*`: any
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,

    /// A web page that may use the server, such as `https://example.org`; may be given several times; `*`: any
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,

    #[command(flatten)]
    pub(crate) folders: FolderArgs,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    #[command(flatten)]
    pub(crate) options: ModelArgs,
}

/// Options of the studio.
#[derive(Debug, Args)]
#[command(next_help_heading = "Studio")]
pub(crate) struct FolderArgs {
    /// The folder of the history, and of the models that are merged; without it `$XDG_DATA_HOME/weightsmith` or `~/.local/share/weightsmith`
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// A model, or a folder of models, to show and to merge from; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Vec<PathBuf>,

    /// Private memory that a merge may use, such as `64MiB`
    #[arg(long, value_name = "SIZE", env = crate::env_vars::MAX_MEMORY, hide_env_values = true, default_value = "256MiB")]
    pub(crate) max_memory: String,
}

/// Options that say how much is done at once.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Texts that a model computes at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) parallel: u32,

    /// Requests that wait for their turn, at most; more are told to come back later
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) queue: u32,

    /// Tokens of a prompt and its answer together; without it, as many as the model was made for
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) context: Option<u32>,

    /// Memory of the loaded models' weights: beyond it, models that nobody uses are unloaded
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_budget: Option<String>,

    /// Memory of each model's keys and values, those of finished texts included
    #[arg(long, value_name = "SIZE", default_value = "2GiB")]
    pub(crate) cache_memory: String,

    /// Size of a request at most, whatever it is for; all together take four times as much memory, or 128 MiB
    #[arg(long, value_name = "SIZE", default_value = "8MiB")]
    pub(crate) max_body: String,

    /// Seconds that a request may take, waiting and loading included
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,

    /// Seconds that what runs may go on when the server is asked to end
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) grace: u32,
}
