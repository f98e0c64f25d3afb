//! Options of mergekit-yaml without effect here. They are accepted so that existing command lines work.

use clap::Args;

/// Options of mergekit-yaml that have no effect here.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[command(next_help_heading = "mergekit options without effect")]
pub(crate) struct UnneededArgs {
    /// No effect: merges are limited by the disk; a GPU would not help
    #[arg(long, overrides_with = "no_cuda")]
    pub(crate) cuda: bool,
    #[arg(long, overrides_with = "cuda", hide = true)]
    pub(crate) no_cuda: bool,

    /// No effect: merges run on the CPU
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,

    /// No effect: merges run on the CPU
    #[arg(long, overrides_with = "no_multi_gpu")]
    pub(crate) multi_gpu: bool,
    #[arg(long, overrides_with = "multi_gpu", hide = true)]
    pub(crate) no_multi_gpu: bool,

    /// No effect: merges run on the CPU
    #[arg(long, overrides_with = "no_read_to_gpu")]
    pub(crate) read_to_gpu: bool,
    #[arg(long, overrides_with = "read_to_gpu", hide = true)]
    pub(crate) no_read_to_gpu: bool,

    /// No effect: merges run on the CPU
    #[arg(long)]
    pub(crate) gpu_rich: bool,

    /// No effect: use `--max-memory` to limit memory
    #[arg(long, overrides_with = "no_low_cpu_memory")]
    pub(crate) low_cpu_memory: bool,
    #[arg(long, overrides_with = "low_cpu_memory", hide = true)]
    pub(crate) no_low_cpu_memory: bool,

    /// No effect: tensors are always read in pieces
    #[arg(long, overrides_with = "no_lazy_unpickle")]
    pub(crate) lazy_unpickle: bool,
    #[arg(long, overrides_with = "lazy_unpickle", hide = true)]
    pub(crate) no_lazy_unpickle: bool,

    /// No effect: all threads write in parallel
    #[arg(long, overrides_with = "no_async_write")]
    pub(crate) async_write: bool,
    #[arg(long, overrides_with = "async_write", hide = true)]
    pub(crate) no_async_write: bool,

    /// No effect: `--threads` covers writing
    #[arg(long, value_name = "N")]
    pub(crate) write_threads: Option<u64>,

    /// No effect: recipes may repeat layers without it
    #[arg(long, overrides_with = "no_clone_tensors")]
    pub(crate) clone_tensors: bool,
    #[arg(long, overrides_with = "clone_tensors", hide = true)]
    pub(crate) no_clone_tensors: bool,

    /// No effect: tensors are matched by name and shape, not by architecture
    #[arg(long, overrides_with = "no_allow_crimes")]
    pub(crate) allow_crimes: bool,
    #[arg(long, overrides_with = "allow_crimes", hide = true)]
    pub(crate) no_allow_crimes: bool,

    /// No effect: code from models is never run
    #[arg(long, overrides_with = "no_trust_remote_code")]
    pub(crate) trust_remote_code: bool,
    #[arg(long, overrides_with = "trust_remote_code", hide = true)]
    pub(crate) no_trust_remote_code: bool,

    /// No effect: merged adapters are not cached
    #[arg(long, value_name = "FOLDER")]
    pub(crate) lora_merge_cache: Option<String>,

    /// No effect: arithmetic is always at least 32-bit
    #[arg(long, value_name = "TYPE")]
    pub(crate) lora_merge_dtype: Option<String>,

    /// No effect: output is always safetensors
    #[arg(long, overrides_with = "no_safe_serialization")]
    pub(crate) safe_serialization: bool,

    /// Not supported: pickles cannot be written
    #[arg(long, overrides_with = "safe_serialization")]
    pub(crate) no_safe_serialization: bool,

    /// Undo an earlier `--quiet`
    #[arg(long, overrides_with = "quiet", hide = true)]
    pub(crate) no_quiet: bool,
}
