//! Known keys of every level, and advice for the others.

use super::super::suggest::closest;
use super::super::yaml::excerpt;
use super::Reader;
use super::field::{Field, Fields};
use crate::methods::{ParameterSpec, Scope, WITHOUT_EFFECT};
use crate::{Diagnostic, Severity, Span};

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
const PARAMETERS: [&str; 20] = [
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
];

/// Options of mergekit's command line, which are no keys of a recipe.
const OPTIONS: [&str; 24] = [
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
    "unsafe_truncate_embeddings",
    "write_threads",
    "async_write",
    "gpu_rich",
];

impl Reader<'_> {
    /// Warns about what is left of a mapping after its known keys were taken.
    pub(super) fn unknown(&mut self, fields: Fields<'_>, level: Level) {
        for field in fields.rest() {
            if self.problems.is_full(Severity::Warning) {
                // it is only counted: to think of what was meant would take long
                self.report(Diagnostic::warning("unknown key", field.key.span));
                continue;
            }
            let diagnostic = self.advice(field, level);
            self.report(diagnostic);
        }
    }

    /// Warns about an entry of `parameters:` that is no parameter; true if it is none.
    pub(super) fn is_misplaced_parameter(&mut self, name: &str, span: Span) -> bool {
        let place = "under `parameters:`";
        let of_recipe = || {
            let belongs = Level::Recipe.keys().contains(&name);
            belongs.then(|| (no_effect(name, place), belongs_to(name, Level::Recipe)))
        };
        let Some((message, hint)) = option(name, place).or_else(of_recipe) else {
            return false;
        };
        self.report(Diagnostic::warning(message, span).hint(hint));
        true
    }

    /// What to say about a key that is not one of the level's.
    fn advice(&self, field: Field<'_>, level: Level) -> Diagnostic {
        let (key, span) = (field.key.text.as_str(), field.key.span);
        let place = level.place();
        let warning = |message: String| Diagnostic::warning(message, span);
        if level == Level::Model && key == "layer_range" {
            let hint =
                "`models:` merges whole models; use `slices:` with `sources:` for ranges of layers";
            return warning(no_effect(key, place)).hint(hint);
        }
        // Such as the `model` of a token whose embedding is zero.
        if level.keys().contains(&key) {
            return warning(no_effect(key, place));
        }
        if let Some((_, reason)) = WITHOUT_EFFECT.iter().find(|(known, _)| *known == key) {
            let message = format!("`{key}` has no effect");
            return Diagnostic::note(message, span).hint(*reason);
        }
        let has_parameters = level.keys().contains(&"parameters");
        if has_parameters && PARAMETERS.contains(&key) {
            return self.outside_of_parameters(key, span, level);
        }
        if let Some((message, hint)) = option(key, place) {
            return warning(message).hint(hint);
        }
        if let Some(other) = level.home_of(key) {
            let hint = match other {
                // it would be refused there
                Level::Tokenizer => format!(
                    "{}, which is not supported yet: remove it",
                    belongs_to(key, other)
                ),
                _ => belongs_to(key, other),
            };
            return warning(no_effect(key, place)).hint(hint);
        }
        let unknown = warning(format!("unknown key `{}` {place}", excerpt(key)));
        if let Some(meant) = closest(key, level.keys().iter().copied()) {
            return unknown.hint(format!("did you mean `{meant}`?"));
        }
        let known = PARAMETERS
            .into_iter()
            .filter(|name| self.is_parameter(name));
        let parameter = has_parameters.then(|| closest(key, known)).flatten();
        unknown.hint(match parameter {
            Some(meant) => {
                format!("did you mean `{meant}`, which belongs under `parameters:`?")
            }
            None => format!("known keys here: {}", list(level.keys())),
        })
    }

    /// A parameter beside the `parameters:` in which it belongs, if it belongs anywhere.
    fn outside_of_parameters(&self, key: &str, span: Span, level: Level) -> Diagnostic {
        if let Some(method) = self.method
            && !self.is_parameter(key)
        {
            let name = method.name;
            let message = format!("`{key}` has no effect: it is not a parameter of `{name}`");
            return Diagnostic::warning(message, span).hint("remove it");
        }
        let is_global = self.method.is_some_and(|method| {
            let is_it = |one: &&ParameterSpec| one.name == key && one.scope == Scope::Global;
            method.parameters.iter().any(|one| is_it(&one))
        });
        let of_model = matches!(level, Level::Model | Level::Source);
        let whose = if is_global && of_model {
            " of the recipe"
        } else {
            ""
        };
        let hint = format!("`{key}` belongs under `parameters:`{whose}");
        Diagnostic::warning(no_effect(key, level.place()), span).hint(hint)
    }

    /// Whether the document's method has a parameter of that name; every name counts where the method is not known.
    fn is_parameter(&self, name: &str) -> bool {
        self.method
            .is_none_or(|method| method.parameters.iter().any(|own| own.name == name))
    }
}

/// What to say of an option of the command line.
fn option(key: &str, place: &str) -> Option<(String, String)> {
    let option = OPTIONS
        .into_iter()
        .find(|option| *option == key.replace('-', "_"))?;
    let option = match option {
        "seed" => "random_seed",
        other => other,
    };
    let hint = format!(
        "use the command-line option `--{}`",
        option.replace('_', "-")
    );
    Some((no_effect(key, place), hint))
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
