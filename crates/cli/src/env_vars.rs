//! Every environment variable that the program looks at.

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

/// Whether files on their way have no bars.
pub(crate) const DISABLE_PROGRESS_BARS: &str = "HF_HUB_DISABLE_PROGRESS_BARS";

/// The locale, the variable that counts first: whether more than ASCII can be shown.
pub(crate) const LOCALE: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// All of them, in the order of the documentation. Those of the Hugging Face cache are read by the library.
pub(crate) const TABLE: &[EnvVar] = &[
    EnvVar {
        name: MAX_MEMORY,
        summary: "Private memory that a merge may use, as `--max-memory`.",
    },
    EnvVar {
        name: THREADS,
        summary: "Number of threads that a merge uses, as `--threads`.",
    },
    EnvVar {
        name: API_KEY,
        summary: "The key that requests to `serve` must bring, as `--api-key`; other programs cannot read it on the command line then.",
    },
    EnvVar {
        name: CPU,
        summary: "Instruction set to calculate with: `portable`, `avx2` or `avx512`. The best that the CPU has is the default; the results are the same bytes with each.",
    },
    EnvVar {
        name: "XDG_DATA_HOME",
        summary: "The studio's history and models are in its folder `weightsmith`, where `--data-dir` names no other. Default: `~/.local/share`.",
    },
    EnvVar {
        name: "HF_HOME",
        summary: "Home of the Hugging Face tools; models are looked for in its `hub` folder. Default: `~/.cache/huggingface`.",
    },
    EnvVar {
        name: "HF_HUB_CACHE",
        summary: "The folder of downloaded models itself; goes before `HF_HOME`.",
    },
    EnvVar {
        name: "HF_HUB_OFFLINE",
        summary: "Says that the hub must not be asked: models that are not on this machine are an error. On for `1`, `ON`, `YES` and `TRUE` in any case.",
    },
    EnvVar {
        name: "HF_TOKEN",
        summary: "Token for the hub: private and gated models, uploads. Without it the login of `hf auth login` counts (HF_TOKEN_PATH, else `token` in HF_HOME).",
    },
    EnvVar {
        name: "HF_HUB_DISABLE_IMPLICIT_TOKEN",
        summary: "Sends no token, not even where one is set.",
    },
    EnvVar {
        name: "HF_ENDPOINT",
        summary: "Address of the hub. Default: `https://huggingface.co`.",
    },
    EnvVar {
        name: "HF_HUB_DOWNLOAD_TIMEOUT",
        summary: "Seconds in which less than 1 KiB/s of a file may come before the connection is given up. Default: 30.",
    },
    EnvVar {
        name: "HF_HUB_ETAG_TIMEOUT",
        summary: "The same for the hub's other answers, and how long it may take to begin one. Default: 30.",
    },
    EnvVar {
        name: "HF_HUB_DISABLE_SYMLINKS",
        summary: "Keeps copies in the cache's snapshots, no links.",
    },
    EnvVar {
        name: DISABLE_PROGRESS_BARS,
        summary: "Shows no bars for files on their way.",
    },
    EnvVar {
        name: "HF_HUB_USER_AGENT_ORIGIN",
        summary: "Added to what the hub is told of this program.",
    },
    EnvVar {
        name: "HTTPS_PROXY",
        summary: "Proxy for the hub; HTTP_PROXY, ALL_PROXY and NO_PROXY count too.",
    },
    EnvVar {
        name: "AWS_ACCESS_KEY_ID",
        summary: "With AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where there is one: credentials for `s3://`. Without them the role of the machine counts.",
    },
    EnvVar {
        name: "AWS_ENDPOINT_URL",
        summary: "Address of a store other than Amazon's for `s3://`; AWS_ALLOW_HTTP=true allows one without TLS, AWS_REGION names the region, `us-east-1` by default.",
    },
    EnvVar {
        name: "GOOGLE_SERVICE_ACCOUNT",
        summary: "Path of a service account's key for `gs://`. Without it the login of `gcloud auth application-default login` or the role of the machine counts.",
    },
    EnvVar {
        name: "AZURE_STORAGE_ACCOUNT_NAME",
        summary: "The account for `az://`, with AZURE_STORAGE_ACCOUNT_KEY or another of the usual AZURE_ credentials.",
    },
    EnvVar {
        name: "XDG_CACHE_HOME",
        summary: "Its folder `weightsmith` has small files of models in stores, and models on their way to one. Default: `~/.cache`.",
    },
    EnvVar {
        name: "NO_COLOR",
        summary: "When set, nothing is coloured unless `--color always` asks for it.",
    },
    EnvVar {
        name: "CLICOLOR_FORCE",
        summary: "When set, output is coloured even where it does not go to a terminal.",
    },
    EnvVar {
        name: "LC_ALL",
        summary: "The locale, else `LC_CTYPE`, else `LANG`: where it is set and not UTF-8, charts are drawn with ASCII alone.",
    },
];
