//! What a verification finds.

use std::fmt;

use serde::Serialize;

use crate::output::MODEL_CARD;

/// One thing that is not as the lock says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether it is damage.
    pub weight: Weight,
    /// The file, inside the model's folder; `None` for what concerns the model as a whole.
    pub file: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// The model is not what was made.
    Damage,
    /// Good to know; the model is what was made.
    Note,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Problem {
    /// A listed file does not exist.
    Missing,
    /// A folder or something else stands in the place of a listed file.
    NotAFile,
    /// A listed file cannot be read.
    Unreadable {
        /// What the system says.
        error: String,
    },
    /// A listed file has another size.
    Size {
        /// Its size in bytes.
        found: u64,
        /// The size in the lock.
        expected: u64,
    },
    /// A listed file has the right size and other content.
    Content {
        /// BLAKE3 of its content.
        found: String,
        /// The hash in the lock.
        expected: String,
    },
    /// The weights cannot be opened.
    Weights {
        /// Why.
        error: String,
    },
    /// There are more or fewer tensors.
    Tensors {
        /// Their number.
        found: u64,
        /// The number in the lock.
        expected: u64,
    },
    /// The tensors have more or fewer elements.
    Parameters {
        /// Their number.
        found: u64,
        /// The number in the lock.
        expected: u64,
    },
    /// A tensor holds NaN or infinite elements.
    NonFinite {
        /// The tensor.
        tensor: String,
        /// How many.
        count: u64,
    },
    /// A file that the lock does not list.
    Unlisted,
}

impl Finding {
    /// A finding about a listed file: damage, unless it is the card.
    pub(super) fn of_file(name: &str, problem: Problem) -> Self {
        let weight = if name == MODEL_CARD {
            Weight::Note
        } else {
            Weight::Damage
        };
        Self {
            weight,
            file: Some(name.to_owned()),
            problem,
        }
    }

    /// Damage of the model as a whole.
    pub(super) fn of_model(problem: Problem) -> Self {
        Self {
            weight: Weight::Damage,
            file: None,
            problem,
        }
    }

    /// A note about a file.
    pub(super) fn note(name: String, problem: Problem) -> Self {
        Self {
            weight: Weight::Note,
            file: Some(name),
            problem,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "`{file}`: {}", self.problem),
            None => write!(f, "{}", self.problem),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::NotAFile => f.write_str("not a regular file"),
            Self::Unreadable { error } => write!(f, "cannot be read: {error}"),
            Self::Size { found, expected } => write!(f, "{found} bytes, the lock says {expected}"),
            Self::Content { .. } => f.write_str("the content has changed"),
            Self::Weights { error } => write!(f, "the weights cannot be opened: {error}"),
            Self::Tensors { found, expected } => {
                write!(f, "{found} tensors, the lock says {expected}")
            }
            Self::Parameters { found, expected } => {
                write!(f, "{found} parameters, the lock says {expected}")
            }
            Self::NonFinite { tensor, count: 1 } => {
                write!(f, "tensor `{tensor}` holds 1 NaN or infinite value")
            }
            Self::NonFinite { tensor, count } => {
                write!(f, "tensor `{tensor}` holds {count} NaN or infinite values")
            }
            Self::Unlisted => f.write_str("not in the lock"),
        }
    }
}
