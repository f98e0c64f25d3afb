//! Options of mergekit-yaml that there is no need for: accepted, so that existing command lines run.

use clap::Args;

/// What mergekit-yaml takes and Weightsmith does without.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[command(next_help_heading = "mergekit options that are not needed here")]
pub(crate) struct UnneededArgs {
    /// Not needed: a merge is as fast as the disk, a GPU would wait for it
    #[arg(long, overrides_with = "no_cuda")]
    pub(crate) cuda: bool,
    #[arg(long, overrides_with = "cuda", hide = true)]
    pub(crate) no_cuda: bool,

    /// Not needed: there is no device but the processor
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,

    /// Not needed: no GPU is used
    #[arg(long, overrides_with = "no_multi_gpu")]
    pub(crate) multi_gpu: bool,
    #[arg(long, overrides_with = "multi_gpu", hide = true)]
    pub(crate) no_multi_gpu: bool,

    /// Not needed: no GPU is used
    #[arg(long, overrides_with = "no_read_to_gpu")]
    pub(crate) read_to_gpu: bool,
    #[arg(long, overrides_with = "read_to_gpu", hide = true)]
    pub(crate) no_read_to_gpu: bool,

    /// Not needed: no GPU is used
    #[arg(long)]
    pub(crate) gpu_rich: bool,

    /// Not needed: `--max-memory` bounds the memory
    #[arg(long, overrides_with = "no_low_cpu_memory")]
    pub(crate) low_cpu_memory: bool,
    #[arg(long, overrides_with = "low_cpu_memory", hide = true)]
    pub(crate) no_low_cpu_memory: bool,

    /// Not needed: tensors are read piece by piece anyway
    #[arg(long, overrides_with = "no_lazy_unpickle")]
    pub(crate) lazy_unpickle: bool,
    #[arg(long, overrides_with = "lazy_unpickle", hide = true)]
    pub(crate) no_lazy_unpickle: bool,

    /// Not needed: files are written by all threads at once anyway
    #[arg(long, overrides_with = "no_async_write")]
    pub(crate) async_write: bool,
    #[arg(long, overrides_with = "async_write", hide = true)]
    pub(crate) no_async_write: bool,

    /// Not needed: `--threads` counts for writing too
    #[arg(long, value_name = "N")]
    pub(crate) write_threads: Option<u64>,

    /// Not needed: a layer may occur as often as a recipe says
    #[arg(long, overrides_with = "no_clone_tensors")]
    pub(crate) clone_tensors: bool,
    #[arg(long, overrides_with = "clone_tensors", hide = true)]
    pub(crate) no_clone_tensors: bool,

    /// Not needed: tensors are matched by name and shape, whatever the architecture is called
    #[arg(long, overrides_with = "no_allow_crimes")]
    pub(crate) allow_crimes: bool,
    #[arg(long, overrides_with = "allow_crimes", hide = true)]
    pub(crate) no_allow_crimes: bool,

    /// Not needed: no code of a model is ever run
    #[arg(long, overrides_with = "no_trust_remote_code")]
    pub(crate) trust_remote_code: bool,
    #[arg(long, overrides_with = "trust_remote_code", hide = true)]
    pub(crate) no_trust_remote_code: bool,

    /// Not needed: no merged copies of adapters are stored
    #[arg(long, value_name = "FOLDER")]
    pub(crate) lora_merge_cache: Option<String>,

    /// Not needed: arithmetic is done in 32 bits at least
    #[arg(long, value_name = "TYPE")]
    pub(crate) lora_merge_dtype: Option<String>,

    /// Not needed: safetensors is what is written
    #[arg(long, overrides_with = "no_safe_serialization")]
    pub(crate) safe_serialization: bool,

    /// Refused: no pickles are written
    #[arg(long, overrides_with = "safe_serialization")]
    pub(crate) no_safe_serialization: bool,

    /// Takes back an earlier `--quiet`
    #[arg(long, overrides_with = "quiet", hide = true)]
    pub(crate) no_quiet: bool,
}
