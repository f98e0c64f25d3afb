//! What can go wrong between a model and its text.

use std::path::PathBuf;

use crate::config::SUPPORTED;

/// An error of this crate. Paths, names, found and expected values are data, so that callers can match on them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read. The message of `fs_err` names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A tensor could not be read or computed.
    #[error(transparent)]
    Tensors(#[from] weightsmith_tensors::Error),

    /// The model's description cannot be used.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The `config.json`.
        path: PathBuf,
        /// What is wrong with it.
        problem: ConfigError,
    },

    /// The checkpoint lacks a tensor that the architecture asks for.
    #[error("no tensor `{tensor}`; {architecture} needs it, of shape {expected:?}{}", hint(*missing))]
    MissingTensor {
        /// The tensor.
        tensor: String,
        /// The architecture's name.
        architecture: &'static str,
        /// Its shape by `config.json`.
        expected: Vec<u64>,
        /// How many are missing in all.
        missing: usize,
    },

    /// A tensor's shape is not what `config.json` implies.
    #[error("tensor `{tensor}` has shape {found:?}; expected {expected:?} from config.json")]
    Shape {
        /// The tensor.
        tensor: String,
        /// Its shape.
        found: Vec<u64>,
        /// The shape that follows from `config.json`.
        expected: Vec<u64>,
    },

    /// A tensor's type is not one that can be multiplied.
    #[error("tensor `{tensor}` is of type {found}; expected F32, F16 or BF16")]
    TensorType {
        /// The tensor.
        tensor: String,
        /// Its type.
        found: weightsmith_tensors::DType,
    },

    /// More tokens than the model has positions.
    #[error("{wanted} tokens{} do not fit the model's {positions} positions", parts(*cached, *new))]
    TooLong {
        /// Tokens in all.
        wanted: usize,
        /// Those that are in the cache.
        cached: usize,
        /// Those that were given.
        new: usize,
        /// What the model has.
        positions: usize,
    },

    /// A text has more tokens than there may be. It was not taken apart to its end.
    #[error("the text has {} tokens; expected at most {most}", found.map_or_else(|| format!("more than {most}"), |found| found.to_string()))]
    TooManyTokens {
        /// How many there may be.
        most: usize,
        /// How many it has; `None` where counting stopped before its end.
        found: Option<usize>,
    },

    /// It was cancelled before it was done.
    #[error("cancelled")]
    Cancelled,

    /// A token that the model has no embedding for.
    #[error(
        "token {token} is outside the model's vocabulary of {vocabulary}; does the tokenizer belong to the model?"
    )]
    UnknownToken {
        /// The token.
        token: u32,
        /// Rows of the embedding.
        vocabulary: usize,
    },

    /// A step without tokens.
    #[error("the prompt is empty, expected at least one token")]
    EmptyPrompt,

    /// The calculation gave NaN or an infinity.
    #[error("NaN or infinity after {place}; {}", blamed(tensor.as_deref()))]
    NonFinite {
        /// Where it was seen first, such as `layer 3's attention`.
        place: String,
        /// The first tensor with such values up to there.
        tensor: Option<String>,
    },

    /// A file that goes with the weights is missing.
    #[error("{}: missing; {needed_for}", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
        /// What it is needed for, and what to do.
        needed_for: &'static str,
    },

    /// A file that goes with the weights cannot be understood.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },

    /// A line of a file cannot be understood.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },

    /// Two models that should be compared token by token have different tokens.
    #[error(
        "the models have vocabularies of {found} and {expected} tokens; only models with the same tokens can be compared token by token"
    )]
    Vocabularies {
        /// The size of the model's vocabulary.
        found: usize,
        /// The size of the vocabulary of the model it is compared with.
        expected: usize,
    },

    /// Text could not be turned into tokens or back.
    #[error("tokenizer: {0}")]
    Tokenizer(String),

    /// The tokenizer's file contradicts itself, which showed while it was used.
    #[error("tokenizer.json is invalid: {0}")]
    UnsoundTokenizer(String),

    /// The chat template cannot be used, or it refused the conversation.
    #[error("chat template ({origin}): {problem}")]
    Template {
        /// Where it is from.
        origin: String,
        /// What it says.
        problem: String,
    },

    /// A setting of the sampler makes no sense.
    #[error("{name} is {found}; expected {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
}

fn hint(missing: usize) -> String {
    match missing {
        0 | 1 => String::new(),
        more => format!(" ({more} tensors are missing in total)"),
    }
}

fn parts(cached: usize, new: usize) -> String {
    match cached {
        0 => String::new(),
        _ => format!(" ({cached} before, {new} now)"),
    }
}

fn blamed(tensor: Option<&str>) -> String {
    match tensor {
        Some(tensor) => format!("tensor `{tensor}` contains such values"),
        None => "all tensors up to there are finite, so the values overflowed".to_owned(),
    }
}

/// What is wrong with a `config.json`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),

    /// JSON, but no object.
    #[error("expected a JSON object")]
    NotAnObject,

    /// A field that is needed is not there.
    #[error("no `{0}`")]
    Missing(String),

    /// A field has a value that cannot be.
    #[error("`{field}` is {found}; expected {expected}")]
    Invalid {
        /// The field.
        field: String,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },

    /// A model of another kind.
    #[error("architecture `{0}` is not supported; supported are {supported}", supported = SUPPORTED.join(", "))]
    Architecture(String),
}
