//! A result that is there already: the same command, given again, has nothing to do.

use std::path::Path;

use super::execute::{OutputFile, Report, RunOptions};
use super::keys::RunKeys;
use crate::output::Lock;
use crate::plan::Planned;

/// What is known of a finished result at a path, where it is that of a run with these keys and all of its files are there.
pub(super) fn finished(
    target: &Path,
    keys: &RunKeys,
    planned: &Planned,
    options: &RunOptions<'_>,
) -> Option<Report> {
    let lock = Lock::read(target).ok()?;
    let is_own =
        lock.run.as_ref() == Some(&keys.work) && lock.run_inputs.as_ref() == Some(&keys.inputs);
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
        files: weights.map(OutputFile::from).collect(),
    })
}
