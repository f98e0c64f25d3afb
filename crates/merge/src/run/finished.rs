//! A result that is there already: the same command, given again, has nothing to do.

use std::path::Path;
use std::time::UNIX_EPOCH;

use weightsmith_tensors::Companion;

use super::error::RunError;
use super::execute::{OutputFile, Report, RunOptions, plan_key};
use crate::output::{Lock, MODEL_CARD};
use crate::plan::Planned;

/// Stands for everything that a result depends on: the plan with its input files, the recipe's text, the files that come along, the
/// options that change what is written, and this version.
pub(super) fn run_key(
    planned: &Planned,
    options: &RunOptions<'_>,
    companions: &[Companion],
) -> Result<String, RunError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(plan_key(&planned.plan)?.as_bytes());
    hasher.update(blake3::hash(options.recipe.as_bytes()).as_bytes());
    hasher.update(&[
        u8::from(options.copy_companions),
        u8::from(options.card.is_some()),
    ]);
    for companion in companions {
        hasher.update(companion.relative.as_os_str().as_encoded_bytes());
        hasher.update(&[0]);
        hasher.update(&state_of(companion));
    }
    // the card says what the models' own cards say
    for model in planned.models.as_slice() {
        let card = model.source.file(MODEL_CARD)?.unwrap_or_default();
        hasher.update(blake3::hash(&card).as_bytes());
    }
    Ok(hasher.finalize().to_string())
}

/// Size and time of a file's last change.
fn state_of(companion: &Companion) -> [u8; 24] {
    let mut state = [0; 24];
    state[..8].copy_from_slice(&companion.bytes.to_le_bytes());
    let since = companion
        .modified
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    state[8..].copy_from_slice(&nanoseconds.to_le_bytes());
    state
}

/// What is known of a finished result at a path, where it is that of a run with this key and all of its files are there.
pub(super) fn finished(
    target: &Path,
    key: &str,
    planned: &Planned,
    options: &RunOptions<'_>,
) -> Option<Report> {
    let lock = Lock::read(target).ok()?;
    let is_own = lock.run.as_deref() == Some(key);
    if !is_own || (lock.non_finite > 0 && !options.allow_non_finite) {
        return None;
    }
    let is_there = |name: &str, bytes: u64| {
        let found = target.join(name).symlink_metadata();
        found.is_ok_and(|found| found.is_file() && found.len() == bytes)
    };
    if !lock
        .files
        .iter()
        .all(|file| is_there(&file.name, file.bytes))
    {
        return None;
    }
    let shards = planned.plan.layout.shards();
    let weights = lock.files.into_iter().filter(|file| {
        let mut names = shards.iter().map(|shard| &shard.file_name);
        names.any(|name| *name == file.name)
    });
    Some(Report {
        already_there: true,
        tensors: planned.plan.tensors.len(),
        parameters: lock.parameters,
        bytes_read: 0,
        bytes_written: 0,
        resumed_bytes: 0,
        seconds: 0.0,
        peak_private: None,
        peak_resident: None,
        non_finite: Vec::new(),
        files: weights
            .map(|file| OutputFile {
                name: file.name,
                bytes: file.bytes,
                blake3: file.blake3,
            })
            .collect(),
    })
}
