//! Every file of the result, and where its bytes come from.

mod finished;

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

pub use self::finished::{FinishedFiles, MadeFile, RunFacts};
use serde::{Deserialize, Serialize};
use weightsmith_tensors::{Companion, CompanionError};

use super::models::Model;
use super::{Plan, Planned, as_text};
use crate::output::{LOCK_FILE, RECIPE_FILE, SHARE_PICTURE, is_searched, without_local_paths};

/// A file of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// Path inside the result's folder, with `/` between its parts.
    pub name: String,
    /// Its size, where it is known before the run.
    pub bytes: Option<u64>,
    /// Where its bytes come from.
    pub source: FileSource,
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSource {
    /// The tensors of a shard.
    Weights {
        /// Its index in [`Plan::layout`].
        shard: usize,
    },
    /// Recipe and plan determine them.
    Made(MadeText),
    /// A file of an input comes along.
    Companion {
        /// Index in [`Plan::inputs`].
        input: usize,
        /// Path below that model's folder.
        #[serde(serialize_with = "as_text")]
        file: PathBuf,
        /// Time of its last change, in nanoseconds since 1970; 0 where it is not known.
        modified: u64,
        /// What is written in place of its content.
        changed: Option<MadeText>,
    },
    /// They tell what the run found, and are made when the weights are written.
    Finished,
    /// The lock, which holds the hashes of all other files.
    Lock,
}

/// Content that is known before the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeText {
    /// The content.
    pub text: String,
    /// Keys of settings that hold paths of this machine and are left out.
    pub left_out: Vec<String>,
}

impl PlannedFile {
    fn made(name: &str, text: String, left_out: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: Some(text.len() as u64),
            source: FileSource::Made(MadeText { text, left_out }),
        }
    }

    fn unknown(name: String, source: FileSource) -> Self {
        Self {
            name,
            bytes: None,
            source,
        }
    }

    /// Keys of settings that hold paths of this machine and are left out of the file.
    pub fn left_out(&self) -> &[String] {
        match &self.source {
            FileSource::Made(made)
            | FileSource::Companion {
                changed: Some(made),
                ..
            } => &made.left_out,
            _ => &[],
        }
    }
}

impl Planned {
    /// The content of a file of the result that is no weights, as far as it is known before the run.
    ///
    /// # Errors
    /// When a file that comes along cannot be read.
    pub fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.plan.file(name) else {
            return Ok(None);
        };
        match &file.source {
            FileSource::Made(made)
            | FileSource::Companion {
                changed: Some(made),
                ..
            } => Ok(Some(made.text.clone().into_bytes())),
            FileSource::Companion { input, .. } => self.models.as_slice()[*input].source.file(name),
            FileSource::Weights { .. } | FileSource::Finished | FileSource::Lock => Ok(None),
        }
    }
}

/// What the files of a result depend on besides the plan.
pub(super) struct FileSettings<'a> {
    pub(super) recipe: &'a str,
    pub(super) copy_companions: bool,
    pub(super) finished: Option<&'a dyn FinishedFiles>,
}

/// The files of a plan's result: weights, what belongs to them, the donor's files, the lock last. Where the donor's cannot be listed,
/// the rest and why.
pub(super) fn planned_files(
    plan: &Plan,
    models: &[Model],
    settings: &FileSettings<'_>,
) -> (Vec<PlannedFile>, Option<CompanionError>) {
    let mut files = weights(plan);
    files.extend(plan.config.as_deref().map(config));
    files.push(PlannedFile::made(
        RECIPE_FILE,
        settings.recipe.to_owned(),
        Vec::new(),
    ));
    let finished = settings
        .finished
        .map_or_else(Vec::new, |finished| finished.names(plan));
    let mut own: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    own.push(SHARE_PICTURE);
    own.extend(finished.iter().map(String::as_str));
    let found = if settings.copy_companions {
        companions(&models[plan.donor], plan.donor, &own)
    } else {
        Ok(Vec::new())
    };
    let (found, error) = match found {
        Ok(found) => (found, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    files.extend(found);
    let finished = finished.into_iter();
    files.extend(finished.map(|name| PlannedFile::unknown(name, FileSource::Finished)));
    files.push(PlannedFile::unknown(LOCK_FILE.to_owned(), FileSource::Lock));
    (files, error)
}

/// The shards and, where they need one, their index.
fn weights(plan: &Plan) -> Vec<PlannedFile> {
    let shards = plan.layout.shards().iter().enumerate();
    let mut files: Vec<PlannedFile> = shards
        .map(|(shard, placed)| PlannedFile {
            name: placed.file_name.clone(),
            bytes: Some(placed.file_size),
            source: FileSource::Weights { shard },
        })
        .collect();
    let index = plan.format.format().index(&plan.layout);
    files.extend(index.map(|(name, text)| PlannedFile::made(name, text, Vec::new())));
    files
}

fn config(config: &str) -> PlannedFile {
    let (text, keys) = without_local_paths(config).unwrap_or((config.to_owned(), Vec::new()));
    PlannedFile::made("config.json", text, keys)
}

/// The donor's files that come along, but those whose names the result has for its own.
fn companions(
    donor: &Model,
    input: usize,
    own: &[&str],
) -> Result<Vec<PlannedFile>, CompanionError> {
    let mut files = Vec::new();
    for found in donor.source.companions()? {
        let name = published_name(&found.relative);
        if own.contains(&name.as_str()) {
            continue;
        }
        let changed = if is_searched(&name, found.bytes) {
            without_paths(donor, &name)?
        } else {
            None
        };
        let made = changed.as_ref().map(|made| made.text.len() as u64);
        files.push(PlannedFile {
            name,
            bytes: Some(made.unwrap_or(found.bytes)),
            source: FileSource::Companion {
                input,
                modified: modified(&found),
                file: found.relative,
                changed,
            },
        });
    }
    Ok(files)
}

/// A file without the settings that hold local paths, which lead nowhere for whoever gets the result.
fn without_paths(donor: &Model, file: &str) -> io::Result<Option<MadeText>> {
    let content = donor.source.file(file)?;
    let text = content.and_then(|content| String::from_utf8(content).ok());
    let changed = text.as_deref().and_then(without_local_paths);
    Ok(changed.map(|(text, left_out)| MadeText { text, left_out }))
}

/// When a file was last written to, in nanoseconds since 1970; 0 where that is not known.
fn modified(companion: &Companion) -> u64 {
    let modified = companion.modified;
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as u64)
}

fn published_name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
