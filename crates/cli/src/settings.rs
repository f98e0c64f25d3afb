//! What commands work with, made from arguments. Every field is taken apart by name, so that none is forgotten.

use std::ffi::OsStr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use clap::CommandFactory as _;
use weightsmith::model::LocateOptions;
use weightsmith::plan::PlanOptions;
use weightsmith_tensors::parse_size;

use crate::args::{Cli, MergeArgs, OutputArgs, PlanArgs, RunArgs, UnneededArgs};
use crate::destination::Destination;
use crate::failure::Failure;

/// How a recipe is planned.
#[derive(Debug, Clone)]
pub(crate) struct PlanSettings {
    /// The recipe's path; `-` for standard input.
    pub(crate) recipe: PathBuf,
    /// Warnings are errors.
    pub(crate) strict: bool,
    /// What the planner is told.
    pub(crate) options: PlanOptions,
}

/// How a merge is run.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct MergeSettings {
    pub(crate) plan: PlanSettings,
    pub(crate) out: Destination,
    /// Where models are merged before they go elsewhere.
    pub(crate) staging: Option<PathBuf>,
    pub(crate) force: bool,
    pub(crate) sync: bool,
    pub(crate) allow_non_finite: bool,
    pub(crate) fresh: bool,
    pub(crate) copy_companions: bool,
    pub(crate) card: bool,
    pub(crate) dry_run: bool,
    pub(crate) stream: bool,
    pub(crate) max_memory: u64,
    pub(crate) threads: usize,
    /// What to say about options that were given and are not needed.
    pub(crate) notes: Vec<String>,
}

impl PlanSettings {
    /// Settings for `check` and `explain`: the result is laid out as `merge` does without options.
    pub(crate) fn resolve(recipe: PathBuf, args: PlanArgs) -> Self {
        Self::with_shard_size(recipe, args, DEFAULT_SHARD_SIZE)
    }

    fn with_shard_size(recipe: PathBuf, args: PlanArgs, shard_size: u64) -> Self {
        let PlanArgs {
            strict,
            transformers_cache,
            random_seed,
            unsafe_truncate_embeddings,
            no_unsafe_truncate_embeddings: _,
        } = args;
        let mut locate = locate_options(transformers_cache);
        locate.recipe_dir = recipe_folder(&recipe);
        Self {
            recipe,
            strict,
            options: PlanOptions {
                locate,
                shard_size: Some(shard_size),
                seed: random_seed,
                truncate_embeddings: unsafe_truncate_embeddings,
            },
        }
    }
}

/// mergekit's `5B`.
const DEFAULT_SHARD_SIZE: u64 = 5_000_000_000;

impl MergeSettings {
    /// Takes the arguments of `merge` apart.
    pub(crate) fn resolve(args: MergeArgs) -> Result<Self, Failure> {
        let MergeArgs {
            recipe,
            out,
            plan,
            output,
            run,
            unneeded,
        } = args;
        let OutputArgs {
            force,
            out_shard_size,
            no_copy_tokenizer,
            copy_tokenizer: _,
            no_write_model_card,
            write_model_card: _,
            allow_non_finite,
            sync,
        } = output;
        let RunArgs {
            dry_run,
            max_memory,
            threads: wanted,
            stream,
            staging,
            fresh,
            resume: _,
        } = run;
        let notes = notes(*unneeded)?;
        let shard_size = size("--out-shard-size", &out_shard_size)?;
        Ok(Self {
            plan: PlanSettings::with_shard_size(recipe, plan, shard_size),
            out: Destination::parse(out)?,
            staging,
            force,
            sync,
            allow_non_finite,
            fresh,
            copy_companions: !no_copy_tokenizer,
            card: !no_write_model_card,
            dry_run,
            stream,
            max_memory: size("--max-memory", &max_memory)?,
            threads: threads(wanted),
            notes,
        })
    }
}

/// Where models are looked for: as the environment says, or in the folder that was given.
pub(crate) fn locate_options(cache: Option<PathBuf>) -> LocateOptions {
    let mut options = LocateOptions::from_env(|name| std::env::var_os(name));
    if let Some(cache) = cache {
        options.hub_cache = cache;
    }
    options
}

/// The number of threads: what was asked for, else one per processor.
pub(crate) fn threads(wanted: Option<u32>) -> usize {
    wanted.map_or_else(
        || available_parallelism().map_or(1, NonZero::get),
        |wanted| wanted as usize,
    )
}

fn recipe_folder(recipe: &Path) -> Option<PathBuf> {
    if recipe == Path::new("-") {
        return None;
    }
    recipe
        .parent()
        .filter(|folder| *folder != OsStr::new(""))
        .map(Path::to_owned)
}

/// A size such as `2GB`.
pub(crate) fn size(option: &str, text: &str) -> Result<u64, Failure> {
    parse_size(text).map_err(|error| Failure::usage(format!("`{option}`: {error}")))
}

/// What to say about the options that are not needed.
fn notes(args: UnneededArgs) -> Result<Vec<String>, Failure> {
    let UnneededArgs {
        cuda,
        no_cuda: _,
        device,
        multi_gpu,
        no_multi_gpu: _,
        read_to_gpu,
        no_read_to_gpu: _,
        gpu_rich,
        low_cpu_memory,
        no_low_cpu_memory: _,
        lazy_unpickle,
        no_lazy_unpickle: _,
        async_write,
        no_async_write: _,
        write_threads,
        clone_tensors,
        no_clone_tensors: _,
        allow_crimes,
        no_allow_crimes: _,
        trust_remote_code,
        no_trust_remote_code: _,
        lora_merge_cache,
        lora_merge_dtype,
        // what is asked for is what is done
        safe_serialization: _,
        no_safe_serialization,
        no_quiet: _,
    } = args;
    if no_safe_serialization {
        return Err(Failure::usage(
            "`--no-safe-serialization` asks for pickles, which are never written",
        )
        .hint("leave the option out: the result is safetensors, which every loader reads"));
    }
    let given = [
        ("cuda", cuda),
        ("device", device.is_some()),
        ("multi_gpu", multi_gpu),
        ("read_to_gpu", read_to_gpu),
        ("gpu_rich", gpu_rich),
        ("low_cpu_memory", low_cpu_memory),
        ("lazy_unpickle", lazy_unpickle),
        ("async_write", async_write),
        ("write_threads", write_threads.is_some()),
        ("clone_tensors", clone_tensors),
        ("allow_crimes", allow_crimes),
        ("trust_remote_code", trust_remote_code),
        ("lora_merge_cache", lora_merge_cache.is_some()),
        ("lora_merge_dtype", lora_merge_dtype.is_some()),
    ];
    let cli = Cli::command();
    let options = cli
        .find_subcommand("merge")
        .into_iter()
        .flat_map(clap::Command::get_arguments);
    Ok(options
        .filter(|option| given.contains(&(option.get_id().as_str(), true)))
        .map(note)
        .collect())
}

/// The reason from the option's help, as a sentence about the option.
fn note(option: &clap::Arg) -> String {
    let name = option.get_long().unwrap_or_default();
    let help = option
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let reason = help.strip_prefix("No effect: ").unwrap_or(&help);
    format!("`--{name}` has no effect: {reason}")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Command;

    fn merge(options: &[&str]) -> Result<MergeSettings, Failure> {
        let line = ["weightsmith", "merge", "recipe.yml", "out"]
            .iter()
            .chain(options);
        let Command::Merge(args) = Cli::parse_from(line).command else {
            panic!("`merge` was given");
        };
        MergeSettings::resolve(*args)
    }

    #[test]
    fn the_defaults_are_those_of_mergekit() {
        let settings = merge(&[]).expect("valid");
        assert_eq!(settings.plan.options.shard_size, Some(5_000_000_000));
        assert!(
            settings.card && settings.copy_companions && !settings.force && !settings.plan.strict
        );
        assert!(!settings.plan.options.truncate_embeddings);
        assert_eq!(settings.max_memory, 256 << 20);
        assert!(settings.notes.is_empty());
    }

    #[test]
    fn of_two_spellings_the_last_one_counts() {
        let settings = merge(&[
            "--no-copy-tokenizer",
            "--copy-tokenizer",
            "--write-model-card",
            "--no-write-model-card",
        ]);
        let settings = settings.expect("valid");
        assert!(settings.copy_companions && !settings.card);
        let settings = merge(&[
            "--unsafe-truncate-embeddings",
            "--no-unsafe-truncate-embeddings",
        ])
        .expect("valid");
        assert!(!settings.plan.options.truncate_embeddings);
    }

    #[test]
    fn every_option_of_mergekit_yaml_is_taken() {
        let line = "--allow-crimes --no-allow-crimes --unsafe-truncate-embeddings --no-unsafe-truncate-embeddings \
            --trust-remote-code --no-trust-remote-code --transformers-cache c --lora-merge-cache c \
            --lora-merge-dtype float16 --random-seed 7 -v -v --quiet --no-quiet --cuda --no-cuda --device cpu \
            --low-cpu-memory --no-low-cpu-memory --lazy-unpickle --no-lazy-unpickle --read-to-gpu --no-read-to-gpu \
            --multi-gpu --no-multi-gpu --num-threads 3 --gpu-rich --async-write --no-async-write \
            --write-threads 2 --out-shard-size 1B --copy-tokenizer --no-copy-tokenizer --clone-tensors \
            --no-clone-tensors --write-model-card --no-write-model-card --safe-serialization";
        let words: Vec<&str> = line.split_whitespace().collect();
        let settings = merge(&words).expect("valid");
        assert_eq!(settings.threads, 3);
        assert_eq!(merge(&["-j", "5"]).expect("valid").threads, 5);
        assert_eq!(settings.plan.options.seed, 7);
        assert_eq!(settings.plan.options.shard_size, Some(1_000_000_000));
    }

    #[test]
    fn options_that_are_not_needed_are_named_with_the_reason() {
        let settings = merge(&[
            "--cuda",
            "--multi-gpu",
            "--no-multi-gpu",
            "--write-threads",
            "4",
        ])
        .expect("valid");
        assert_eq!(
            settings.notes,
            [
                "`--cuda` has no effect: merges are limited by the disk; a GPU would not help",
                "`--write-threads` has no effect: `--threads` covers writing",
            ]
        );
    }

    #[test]
    fn pickles_are_refused() {
        assert!(merge(&["--no-safe-serialization"]).is_err());
        assert!(merge(&["--no-safe-serialization", "--safe-serialization"]).is_ok());
    }

    #[test]
    fn sizes_that_are_none_are_refused() {
        assert!(merge(&["--max-memory", "much"]).is_err());
        assert!(merge(&["--out-shard-size", "0"]).is_err());
    }

    #[test]
    fn models_are_looked_for_beside_the_recipe() {
        assert_eq!(
            recipe_folder(Path::new("a/b.yml")),
            Some(PathBuf::from("a"))
        );
        assert_eq!(recipe_folder(Path::new("b.yml")), None);
        assert_eq!(recipe_folder(Path::new("-")), None);
    }
}
