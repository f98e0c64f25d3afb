//! Writes what the plan lists beside the weights and the lock.

use std::io::{Read, Write};
use std::path::Path;

use super::error::RunError;
use super::execute::OutputFile;
use crate::plan::{FileSource, MadeFile, PlannedFile, RunFacts};

/// Memory that a file is copied through.
const COPY_BUFFER: usize = 1 << 20;

/// The size of all files but the weights, as far as it is known before the run.
pub(super) fn bytes(files: &[PlannedFile]) -> u64 {
    let others = files
        .iter()
        .filter(|file| !matches!(file.source, FileSource::Weights { .. }));
    others.filter_map(|file| file.bytes).sum()
}

/// Writes the files into a folder.
pub(super) fn write(folder: &Path, facts: &RunFacts<'_>) -> Result<Vec<OutputFile>, RunError> {
    let planned = facts.planned;
    let finished = planned.finished.as_deref();
    let finished = finished.map_or_else(|| Ok(Vec::new()), |finished| finished.files(facts))?;
    let mut files = Vec::new();
    for file in &planned.plan.files {
        let path = Path::new(&file.name);
        files.push(match &file.source {
            FileSource::Weights { .. } | FileSource::Lock => continue,
            FileSource::Made(made) => write_file(folder, path, made.text.as_bytes())?,
            FileSource::Companion {
                file,
                changed: Some(made),
                ..
            } => write_file(folder, file, made.text.as_bytes())?,
            FileSource::Companion { input, file, .. } => {
                let from = planned.models.as_slice()[*input]
                    .source
                    .open_companion(file)?;
                copy_file(folder, file, from)?
            }
            FileSource::Finished => write_file(folder, path, content(&finished, &file.name)?)?,
        });
    }
    Ok(files)
}

fn content<'f>(finished: &'f [MadeFile], name: &str) -> Result<&'f [u8], RunError> {
    let made = finished.iter().find(|made| made.name == name);
    let made = made.ok_or_else(|| RunError::Unmade {
        file: name.to_owned(),
    })?;
    Ok(&made.content)
}

pub(super) fn write_file(
    folder: &Path,
    path: &Path,
    content: &[u8],
) -> Result<OutputFile, RunError> {
    create(folder, path)?.write_all(content)?;
    Ok(OutputFile {
        name: published_name(path),
        bytes: content.len() as u64,
        blake3: blake3::hash(content).to_string(),
    })
}

fn copy_file(folder: &Path, path: &Path, mut from: impl Read) -> Result<OutputFile, RunError> {
    let mut to = create(folder, path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; COPY_BUFFER];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
    }
    Ok(OutputFile {
        name: published_name(path),
        bytes,
        blake3: hasher.finalize().to_string(),
    })
}

fn create(folder: &Path, path: &Path) -> std::io::Result<fs_err::File> {
    let target = folder.join(path);
    if let Some(parent) = target.parent() {
        fs_err::create_dir_all(parent)?;
    }
    fs_err::File::create(target)
}

fn published_name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
