//! `serve` and `studio`: the HTTP server for models and recipes, and its web UI.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::ModelArgs;

/// Serve models over an OpenAI-compatible API, with the studio
///
/// Serves the models and recipes given here, the models in `--folder` and in the Hugging Face
/// cache, and models merged in the studio. Recipes are merged in memory. Models are loaded on first
/// use. In requests, a model is named after its folder, link or recipe file (without the
/// extension); `NAME=MODEL` sets another name, such as `me/My-Merge=./merged`. `/v1/models` lists
/// names and states. Concurrent requests are batched, and long prompts do not block short ones. On
/// Ctrl-C the server finishes active requests for up to `--grace` seconds. An interrupted merge can
/// be resumed later.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith serve                                             # studio and cached models
  weightsmith serve ./merged
  weightsmith serve recipe.yml ./base --memory-budget 8GB       # loaded on first use
  weightsmith serve chat=./merged --port 8000 --parallel 8 --no-studio
  WEIGHTSMITH_API_KEY=… weightsmith serve ./merged --host 0.0.0.0")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) serving: ServingArgs,

    /// Serve only `/v1`: no web pages, no history, only the models given here
    #[arg(long)]
    pub(crate) no_studio: bool,
}

/// Open the studio, a web UI for models, recipes, merges and chats
///
/// Starts the server like `serve` and opens a browser. If the default port is in use and `--port`
/// is not set, uses any free port.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith studio
  weightsmith studio --folder ./models --folder /mnt/models
  weightsmith studio --no-browser --port 8000")]
pub(crate) struct StudioArgs {
    #[command(flatten)]
    pub(crate) serving: ServingArgs,

    /// Do not open a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
}

/// Arguments of both `serve` and `studio`.
#[derive(Debug, Args)]
pub(crate) struct ServingArgs {
    /// Models (folders or Hub names) and recipes (YAML files) to serve
    #[arg(value_name = "MODEL")]
    pub(crate) models: Vec<String>,

    /// Address to listen on; an address that other machines can reach requires `--api-key`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// Port to listen on (default: 8080); 0 uses any free port
    #[arg(short, long, value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// Key that clients must send as `Authorization: Bearer KEY`; browsers prompt for it
    #[arg(long, value_name = "KEY", env = crate::env_vars::API_KEY, hide_env_values = true)]
    pub(crate) api_key: Option<String>,

    /// Also accept requests for this host name; can be repeated; `*` accepts any
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,

    /// Also accept requests from this web origin, such as `https://example.org`; can be repeated;
    /// `*` accepts any
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
    /// Folder for the history and for merged models (default: `$XDG_DATA_HOME/weightsmith` or
    /// `~/.local/share/weightsmith`)
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// A model or a folder of models to show in the studio; can be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Vec<PathBuf>,

    /// Allow recipes to read models in object stores, with this process's credentials, when other
    /// machines can reach the server
    #[arg(long)]
    pub(crate) allow_stores: bool,

    /// Maximum private memory of a merge, such as `64MiB`
    #[arg(long, value_name = "SIZE", env = crate::env_vars::MAX_MEMORY, hide_env_values = true, default_value = "256MiB")]
    pub(crate) max_memory: String,
}

/// Limits of the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Maximum number of sequences decoded at once per model
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) parallel: u32,

    /// Maximum number of waiting requests; more get status 429
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) queue: u32,

    /// Maximum tokens of prompt and answer together (default: the model's context)
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) context: Option<u32>,

    /// Memory for the weights of all loaded models; idle models are unloaded to stay within it
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_budget: Option<String>,

    /// Memory for each model's KV cache, including reusable prefixes
    #[arg(long, value_name = "SIZE", default_value = "2GiB")]
    pub(crate) cache_memory: String,

    /// Maximum size of a request body; all bodies together may use four times that, or 128 MiB if
    /// that is more
    #[arg(long, value_name = "SIZE", default_value = "8MiB")]
    pub(crate) max_body: String,

    /// Maximum time of a request in seconds, including queueing and model loading
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,

    /// Shutdown grace period in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) grace: u32,
}
