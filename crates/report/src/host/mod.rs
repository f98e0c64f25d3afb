//! Whether inference hosts will take a model, and what it needs there.
//!
//! A host loads what it finds: it repairs nothing and asks nobody. So everything that it stumbles over is looked at before the model is
//! published: the weights' format, type and shapes, the card, tokenizer and chat template, the vocabulary's way to GGUF, and where
//! answers end. Headers and small files are enough for it.
//!
//! This crate loads no tokenizer. Who can hands in what it found as [`Speech`].

mod bases;
mod card;
mod ending;
mod facts;
mod kv_cache;
mod report;
mod shapes;
mod speech;
#[cfg(test)]
mod tests;
mod vocabulary;
mod weights;

use std::path::Path;

use serde_json::Value;
use weightsmith_tensors::{Checkpoint, TensorEntry, TensorSource as _, read_regular};

pub use bases::known_bases;
pub use facts::{
    CONCURRENCY_SOURCE, ConcurrencySource, HostFacts, MemoryNeed, SHORT_CONTEXT, concurrency_units,
    size_class,
};
pub use kv_cache::KvCacheSize;
pub use report::{HostCheck, HostReport, Outcome, Requirement};
pub use speech::{ExpectedTensor, Speech, Template};

use weightsmith::architecture::Architecture;
use weightsmith::model::Opened;

/// A model that is to be hosted.
#[derive(Debug, Clone, Copy)]
pub struct HostedModel<'a> {
    /// `org/name`, or the folder's name.
    pub label: &'a str,
    /// The commit, for a model of the hub.
    pub revision: Option<&'a str>,
    /// The folder with its small files.
    pub folder: &'a Path,
    /// The names of all its files, wherever they are.
    pub files: &'a [String],
    /// Its tensors, or why they cannot be opened.
    pub weights: Result<&'a Checkpoint, &'a str>,
    /// Models that it was made from, as [`known_bases`] finds them.
    pub bases: &'a [Opened],
    /// What loading its tokenizer and chat template gave.
    pub speech: &'a Speech,
}

/// What the requirements look at, gathered once.
struct Evidence<'a> {
    subject: HostedModel<'a>,
    config: Option<Value>,
    tensors: &'a [TensorEntry],
    architecture: Architecture,
}

impl<'a> Evidence<'a> {
    fn gather(subject: HostedModel<'a>) -> Self {
        let config = json(subject.folder, "config.json").and_then(Result::ok);
        let tensors = subject
            .weights
            .map_or(&[][..], |checkpoint| checkpoint.tensors());
        Self {
            architecture: Architecture::infer(config.as_ref(), tensors),
            subject,
            config,
            tensors,
        }
    }

    /// A value of `config.json`.
    fn config(&self, key: &str) -> Option<&Value> {
        self.config.as_ref()?.get(key)
    }

    /// The first class of `architectures`.
    fn class(&self) -> Option<&str> {
        self.config("architectures")?.get(0)?.as_str()
    }

    /// Rows of the embedding; where the weights cannot be opened, what `config.json` says.
    fn rows(&self) -> Option<u64> {
        self.architecture
            .vocabulary_rows()
            .or_else(|| self.architecture.config_vocab_size())
    }
}

/// Looks at everything that hosts require of a model.
///
/// Nothing here is an error: what cannot be read is a requirement that is not met.
pub fn check(subject: HostedModel<'_>) -> HostReport {
    let evidence = Evidence::gather(subject);
    let checks = vec![
        weights::format(&evidence),
        weights::types(&evidence),
        shapes::check(&evidence),
        card::check(&evidence),
        speech::tokenizer(&evidence),
        speech::template(&evidence),
        ending::check(&evidence),
        vocabulary::check(&evidence),
    ];
    HostReport {
        label: subject.label.to_owned(),
        revision: subject.revision.map(str::to_owned),
        ready: checks.iter().all(|check| check.outcome != Outcome::Failed),
        checks,
        facts: HostFacts::gather(&evidence),
    }
}

/// Small files above this size are not read: the largest tokenizers have some 30 MB.
const LARGEST: u64 = 256 << 20;

/// A JSON file of the folder: nothing where there is none, else its value or what is wrong with it.
fn json(folder: &Path, name: &str) -> Option<Result<Value, String>> {
    let path = folder.join(name);
    let size = fs_err::metadata(&path).ok()?.len();
    if size > LARGEST {
        return Some(Err(format!(
            "`{name}` has {size} bytes, at most {LARGEST} are read"
        )));
    }
    let value = read_regular(&path, LARGEST)
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            weightsmith_tensors::json::read(&bytes)
                .map_err(|error| format!("`{name}` is not JSON: {error}"))
        });
    Some(value)
}

/// Up to three names in a row, and how many more there are.
fn some_of<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
