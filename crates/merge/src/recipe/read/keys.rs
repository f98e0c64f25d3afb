//! Known keys of every level, and advice for the others.

use super::super::suggest::closest;
use super::Reader;
use super::field::Fields;
use crate::{Diagnostic, Span};

/// A kind of mapping in a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Recipe,
    Model,
    Source,
    Slice,
    Module,
    Alternative,
    ModelReference,
    ModelPath,
    Tokenizer,
    Token,
    Embedding,
}

impl Level {
    /// The keys that it may have.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Recipe => &[
                "merge_method",
                "base_model",
                "models",
                "slices",
                "modules",
                "dtype",
                "out_dtype",
                "parameters",
                "tokenizer",
                "tokenizer_source",
                "chat_template",
                "name",
            ],
            Self::Model => &["model", "parameters"],
            Self::Source => &["model", "layer_range", "parameters"],
            Self::Slice => &["sources", "base_model", "residual_weight", "parameters"],
            Self::Module => &["models", "slices", "parameters"],
            Self::Alternative => &["filter", "value"],
            Self::ModelReference => &["model", "lora", "override_architecture"],
            Self::ModelPath => &["path", "revision"],
            Self::Tokenizer => &["source", "tokens", "pad_to_multiple_of"],
            Self::Token => &["source", "force"],
            Self::Embedding => &["kind", "model", "token", "token_id"],
        }
    }

    /// Where such a mapping stands, for messages.
    fn place(self) -> &'static str {
        match self {
            Self::Recipe => "at the top level",
            Self::Model => "in an entry of `models:`",
            Self::Source => "in an entry of `sources:`",
            Self::Slice => "in an entry of `slices:`",
            Self::Module => "in a module",
            Self::Alternative => "in an entry of a parameter",
            Self::ModelReference => "in a model's mapping",
            Self::ModelPath => "in the `{path, revision}` of a model",
            Self::Tokenizer => "under `tokenizer:`",
            Self::Token => "under a token",
            Self::Embedding => "under the `source:` of a token",
        }
    }

    /// The level that a key of another level belongs to: first those below this one.
    fn home_of(self, key: &str) -> Option<Self> {
        let below: &[Self] = match self {
            Self::Recipe | Self::Module => &[Self::Model],
            Self::Slice => &[Self::Source],
            _ => &[],
        };
        let all = [
            Self::Recipe,
            Self::Tokenizer,
            Self::Slice,
            Self::Source,
            Self::ModelReference,
            Self::ModelPath,
            Self::Embedding,
            Self::Alternative,
        ];
        below
            .iter()
            .copied()
            .chain(all)
            .find(|level| level.keys().contains(&key))
    }
}

/// Parameters of mergekit's merge methods, which belong under `parameters:`.
const PARAMETERS: [&str; 22] = [
    "weight",
    "density",
    "t",
    "normalize",
    "lambda",
    "rescale",
    "gamma",
    "epsilon",
    "scale",
    "int8_mask",
    "select_topk",
    "filter_wise",
    "nuslerp_flatten",
    "nuslerp_row_wise",
    "normalize_weights",
    "eps",
    "max_iter",
    "tol",
    "r",
    "alpha",
    "swapping",
    "consensus_method",
];

/// Options of mergekit's command line, which are no keys of a recipe.
const OPTIONS: [&str; 23] = [
    "random_seed",
    "seed",
    "allow_crimes",
    "transformers_cache",
    "lora_merge_cache",
    "lora_merge_dtype",
    "cuda",
    "device",
    "low_cpu_memory",
    "out_shard_size",
    "copy_tokenizer",
    "clone_tensors",
    "trust_remote_code",
    "lazy_unpickle",
    "write_model_card",
    "safe_serialization",
    "quiet",
    "read_to_gpu",
    "multi_gpu",
    "num_threads",
    "verbose",
    "async_write",
    "gpu_rich",
];

/// What is wrong with a key that does not belong where it stands.
struct Advice {
    message: String,
    hint: Option<String>,
}

impl Advice {
    fn new(message: String, hint: impl Into<String>) -> Self {
        Self {
            message,
            hint: Some(hint.into()),
        }
    }
}

impl Reader<'_> {
    /// Warns about what is left of a mapping after its known keys were taken.
    pub(super) fn unknown(&mut self, fields: Fields<'_>, level: Level) {
        for field in fields.rest() {
            self.warn(advice(&field.key.text, level), field.key.span);
        }
    }

    /// Warns about an entry of `parameters:` that is no parameter; true if it is none.
    pub(super) fn is_misplaced_parameter(&mut self, name: &str, span: Span) -> bool {
        let place = "under `parameters:`";
        let advice = option(name, place).or_else(|| {
            Level::Recipe
                .keys()
                .contains(&name)
                .then(|| Advice::new(no_effect(name, place), belongs_to(name, Level::Recipe)))
        });
        let found = advice.is_some();
        if let Some(advice) = advice {
            self.warn(advice, span);
        }
        found
    }

    fn warn(&mut self, advice: Advice, span: Span) {
        let warning = Diagnostic::warning(advice.message, span);
        self.report(match advice.hint {
            Some(hint) => warning.hint(hint),
            None => warning,
        });
    }
}

/// What to say about a key that is not one of the level's.
fn advice(key: &str, level: Level) -> Advice {
    let place = level.place();
    if level == Level::Model && key == "layer_range" {
        let hint = "whole models are merged here; write `slices:` with `sources:` to take ranges of layers";
        return Advice::new(no_effect(key, place), hint);
    }
    // Such as the `model` of a token whose embedding is zero.
    if level.keys().contains(&key) {
        return Advice {
            message: no_effect(key, place),
            hint: None,
        };
    }
    let has_parameters = level.keys().contains(&"parameters");
    if has_parameters && PARAMETERS.contains(&key) {
        let hint = format!("`{key}` belongs under `parameters:`");
        return Advice::new(no_effect(key, place), hint);
    }
    if let Some(advice) = option(key, place) {
        return advice;
    }
    if let Some(other) = level.home_of(key) {
        return Advice::new(no_effect(key, place), belongs_to(key, other));
    }
    let unknown = format!("unknown key `{key}` {place}");
    if let Some(meant) = closest(key, level.keys().iter().copied()) {
        return Advice::new(unknown, format!("did you mean `{meant}`?"));
    }
    let parameter = has_parameters.then(|| closest(key, PARAMETERS)).flatten();
    match parameter {
        Some(meant) => Advice::new(
            unknown,
            format!("did you mean `{meant}`, which belongs under `parameters:`?"),
        ),
        None => Advice {
            message: unknown,
            hint: Some(format!("known keys here: {}", list(level.keys()))),
        },
    }
}

fn option(key: &str, place: &str) -> Option<Advice> {
    let option = OPTIONS
        .into_iter()
        .find(|option| *option == key.replace('-', "_"))?;
    let option = match option {
        "seed" => "random_seed",
        other => other,
    };
    let hint = format!(
        "it is an option of the command: `--{}`",
        option.replace('_', "-")
    );
    Some(Advice::new(no_effect(key, place), hint))
}

fn no_effect(key: &str, place: &str) -> String {
    format!("`{key}` has no effect {place}")
}

fn belongs_to(key: &str, level: Level) -> String {
    format!("`{key}` belongs {}", level.place())
}

fn list(keys: &[&str]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(", ")
}
