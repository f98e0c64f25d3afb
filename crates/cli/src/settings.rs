//! What commands work with, made from arguments. Every field is taken apart by name, so that none is forgotten.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use clap::CommandFactory as _;
use weightsmith_infer::{DecoderOptions, Pool};
use weightsmith_session::{
    Access, Destination, MergeOptions, Monitor, Outcome, PrepareOptions, RecipeText, Session,
    SessionError, TextModels, TextOptions,
};
use weightsmith_tensors::parse_size;

use crate::args::{
    Cli, MergeArgs, ModelArgs, OutputArgs, PlanArgs, Quantization, RunArgs, UnneededArgs,
};
use crate::failure::Failure;

/// How a recipe is planned.
#[derive(Debug, Clone)]
pub(crate) struct PlanSettings {
    /// The recipe's path; `-` for standard input.
    pub(crate) recipe: PathBuf,
    /// Where its models are found.
    pub(crate) session: Session,
    /// What the planner is told.
    pub(crate) options: PrepareOptions,
}

/// How a merge is run.
#[derive(Debug)]
pub(crate) struct MergeSettings {
    pub(crate) plan: PlanSettings,
    pub(crate) out: Destination,
    /// Where models are merged before they go elsewhere.
    pub(crate) staging: Option<PathBuf>,
    pub(crate) force: bool,
    pub(crate) dry_run: bool,
    pub(crate) stream: bool,
    pub(crate) options: MergeOptions,
    /// What to say about options that were given and are not needed.
    pub(crate) notes: Vec<String>,
}

impl PlanSettings {
    /// Settings for `check` and `explain`: the result is laid out as `merge` does without options.
    pub(crate) fn resolve(recipe: PathBuf, args: PlanArgs) -> Self {
        let PrepareOptions { shard_size, .. } = PrepareOptions::default();
        Self::with_shard_size(recipe, args, shard_size)
    }

    fn with_shard_size(recipe: PathBuf, args: PlanArgs, shard_size: u64) -> Self {
        let PlanArgs {
            strict,
            transformers_cache,
            random_seed,
            unsafe_truncate_embeddings,
            no_unsafe_truncate_embeddings: _,
        } = args;
        Self {
            recipe,
            session: Session::from_env(transformers_cache),
            options: PrepareOptions {
                strict,
                shard_size,
                seed: random_seed,
                truncate_embeddings: unsafe_truncate_embeddings,
                copy_companions: true,
                card: true,
            },
        }
    }

    /// Reads and plans the recipe.
    pub(crate) fn prepare(
        &self,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Outcome, SessionError> {
        let recipe = RecipeText::read(&self.recipe)?;
        self.session.prepare(recipe, &self.options, access, monitor)
    }
}

/// The models of a command that generates text.
pub(crate) fn text_models(args: &ModelArgs) -> TextModels {
    let ModelArgs {
        template,
        exact,
        quantize,
        threads: wanted,
        transformers_cache,
        random_seed,
        unsafe_truncate_embeddings,
    } = args;
    let options = TextOptions {
        decoder: DecoderOptions {
            exact: *exact,
            quantize_q8_0: *quantize == Some(Quantization::Q8_0),
        },
        template: template.clone(),
        prepare: PrepareOptions {
            seed: *random_seed,
            truncate_embeddings: *unsafe_truncate_embeddings,
            ..PrepareOptions::default()
        },
    };
    let session = Session::from_env(transformers_cache.clone());
    TextModels::new(session, options, Arc::new(Pool::new(threads(*wanted))))
}

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
        let mut plan = PlanSettings::with_shard_size(recipe, plan, shard_size);
        plan.options.copy_companions = !no_copy_tokenizer;
        plan.options.card = !no_write_model_card;
        Ok(Self {
            plan,
            out: Destination::parse(out).map_err(SessionError::from)?,
            staging,
            force,
            dry_run,
            stream,
            options: MergeOptions {
                max_memory: size("--max-memory", &max_memory)?,
                threads: threads(wanted),
                sync,
                allow_non_finite,
                fresh,
            },
            notes,
        })
    }
}

/// The number of threads: what was asked for, else one per processor.
pub(crate) fn threads(wanted: Option<u32>) -> usize {
    wanted.map_or_else(
        || available_parallelism().map_or(1, NonZero::get),
        |wanted| wanted as usize,
    )
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
            "`--no-safe-serialization` is not supported: pickles are never written",
        )
        .hint("omit the option: output is always safetensors"));
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
        let options = &settings.plan.options;
        assert_eq!(options.shard_size, 5_000_000_000);
        assert!(options.card && options.copy_companions);
        assert!(!settings.force && !options.strict);
        assert!(!settings.plan.options.truncate_embeddings);
        assert_eq!(settings.options.max_memory, 256 << 20);
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
        let options = &settings.plan.options;
        assert!(options.copy_companions && !options.card);
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
        assert_eq!(settings.options.threads, 3);
        assert_eq!(merge(&["-j", "5"]).expect("valid").options.threads, 5);
        assert_eq!(settings.plan.options.seed, 7);
        assert_eq!(settings.plan.options.shard_size, 1_000_000_000);
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
}
