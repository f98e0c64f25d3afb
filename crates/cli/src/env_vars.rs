//! Every environment variable that the program reads.

/// A variable and what it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvVar {
    /// Its name.
    pub(crate) name: &'static str,
    /// One sentence for the documentation.
    pub(crate) summary: &'static str,
}

/// Value of `--max-memory`.
pub(crate) const MAX_MEMORY: &str = "WEIGHTSMITH_MAX_MEMORY";
/// Value of `--threads`.
pub(crate) const THREADS: &str = "WEIGHTSMITH_THREADS";

/// Value of `--api-key`.
pub(crate) const API_KEY: &str = "WEIGHTSMITH_API_KEY";

/// Instruction set of the arithmetic.
pub(crate) const CPU: &str = "WEIGHTSMITH_CPU";

/// Whether to hide progress bars of downloads and uploads.
pub(crate) const DISABLE_PROGRESS_BARS: &str = "HF_HUB_DISABLE_PROGRESS_BARS";

/// The variables of the locale, in order of precedence: whether charts may use more than ASCII.
pub(crate) const LOCALE: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// All of them, in the order of the documentation. Those of the Hugging Face cache are read by the library.
pub(crate) const TABLE: &[EnvVar] = &[
    EnvVar {
        name: MAX_MEMORY,
        summary: "Maximum private memory of a merge; same as `--max-memory`.",
    },
    EnvVar {
        name: THREADS,
        summary: "Number of threads; same as `--threads`.",
    },
    EnvVar {
        name: API_KEY,
        summary: "API key of `serve` and `studio`; same as `--api-key`, but not visible in process listings.",
    },
    EnvVar {
        name: CPU,
        summary: "Instruction set for merging: `portable`, `avx2` or `avx512`. Default: the best available. The results are the same bytes.",
    },
    EnvVar {
        name: "XDG_DATA_HOME",
        summary: "Parent of the studio's data folder `weightsmith`; `--data-dir` overrides it. Default: `~/.local/share`.",
    },
    EnvVar {
        name: "HF_HOME",
        summary: "Home of the Hugging Face tools; downloaded models are in its `hub` folder. Default: `~/.cache/huggingface`.",
    },
    EnvVar {
        name: "HF_HUB_CACHE",
        summary: "Folder of downloaded models; overrides `HF_HOME`.",
    },
    EnvVar {
        name: "HF_HUB_OFFLINE",
        summary: "Disables requests to the Hub; missing models are an error. Values: `1`, `ON`, `YES` or `TRUE`, in any case.",
    },
    EnvVar {
        name: "HF_TOKEN",
        summary: "Token for private and gated models and for uploads. Default: the login of `hf auth login` (HF_TOKEN_PATH, or `token` in HF_HOME).",
    },
    EnvVar {
        name: "HF_HUB_DISABLE_IMPLICIT_TOKEN",
        summary: "Never sends a token, even if one is set.",
    },
    EnvVar {
        name: "HF_ENDPOINT",
        summary: "Address of the Hub. Default: `https://huggingface.co`.",
    },
    EnvVar {
        name: "HF_HUB_DOWNLOAD_TIMEOUT",
        summary: "Seconds after which a download slower than 1 KiB/s is aborted. Default: 30.",
    },
    EnvVar {
        name: "HF_HUB_ETAG_TIMEOUT",
        summary: "The same for other responses of the Hub, and the time to wait for them to start. Default: 30.",
    },
    EnvVar {
        name: "HF_HUB_DISABLE_SYMLINKS",
        summary: "Stores copies instead of links in the cache's snapshots.",
    },
    EnvVar {
        name: DISABLE_PROGRESS_BARS,
        summary: "Hides progress bars of downloads and uploads.",
    },
    EnvVar {
        name: "HF_HUB_USER_AGENT_ORIGIN",
        summary: "Added to the user agent for the Hub.",
    },
    EnvVar {
        name: "HTTPS_PROXY",
        summary: "Proxy for the Hub and object stores; HTTP_PROXY, ALL_PROXY and NO_PROXY are supported too.",
    },
    EnvVar {
        name: "AWS_ACCESS_KEY_ID",
        summary: "Credentials for `s3://`, with AWS_SECRET_ACCESS_KEY and optionally AWS_SESSION_TOKEN. Default: the machine's role.",
    },
    EnvVar {
        name: "AWS_ENDPOINT_URL",
        summary: "Address of an S3-compatible store for `s3://`. AWS_ALLOW_HTTP=true allows plain HTTP; AWS_REGION sets the region (default: `us-east-1`).",
    },
    EnvVar {
        name: "GOOGLE_SERVICE_ACCOUNT",
        summary: "Path of a service account key for `gs://`. Default: `gcloud auth application-default login`, or the machine's role.",
    },
    EnvVar {
        name: "AZURE_STORAGE_ACCOUNT_NAME",
        summary: "Account for `az://`, with AZURE_STORAGE_ACCOUNT_KEY or another of the usual AZURE_ credentials.",
    },
    EnvVar {
        name: "XDG_CACHE_HOME",
        summary: "Parent of the cache folder `weightsmith`: small files of models in object stores, and staged uploads. Default: `~/.cache`.",
    },
    EnvVar {
        name: "NO_COLOR",
        summary: "Disables color, unless `--color always` is given.",
    },
    EnvVar {
        name: "CLICOLOR_FORCE",
        summary: "Enables color even if the output is not a terminal.",
    },
    EnvVar {
        name: "LC_ALL",
        summary: "Locale, overriding `LC_CTYPE` and `LANG`. If it is set and not UTF-8, charts use only ASCII.",
    },
];
