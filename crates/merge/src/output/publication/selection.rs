//! Which files of a folder are published.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use weightsmith_tensors::ModelFolder;

use super::super::model_files::{fits, is_of_model, is_picture, is_terms};
use super::super::parent_readme;
use super::{LOCK_FILE, Lock, MODEL_CARD, PublicationError, PublishedFile, RECIPE_FILE};

/// Deeper folders are not followed.
const DEEPEST: usize = 8;

/// The hub's form of scores.
const SCORES: &str = ".eval_results";

/// What is published, and what is not.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) files: Vec<PublishedFile>,
    pub(super) left_out: Vec<String>,
}

/// The files of a folder that are not hidden, sorted by name.
pub(super) fn collect(folder: &Path) -> io::Result<Vec<PublishedFile>> {
    let mut files = Vec::new();
    collect_into(folder, "", 0, &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn collect_into(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<PublishedFile>,
) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let source = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // hidden files are somebody's own
        if name.starts_with('.') && !(depth == 0 && name == SCORES) {
            continue;
        }
        let name = format!("{prefix}{name}");
        let metadata = fs_err::metadata(&source)?;
        if metadata.is_dir() && depth < DEEPEST && !entry.file_type()?.is_symlink() {
            collect_into(&source, &format!("{name}/"), depth + 1, files)?;
        } else if metadata.is_file() {
            files.push(PublishedFile {
                name,
                source,
                bytes: metadata.len(),
                content: None,
            });
        }
    }
    Ok(())
}

/// Takes the files of a model: those that its lock lists, with what people add to a merge; without a lock those of known kinds. Others are
/// taken where a pattern asks for them.
pub(super) fn select(
    folder: &Path,
    found: Vec<PublishedFile>,
    lock: Option<&Lock>,
    include: &[String],
) -> Result<Selection, PublicationError> {
    for pattern in include {
        if !found.iter().any(|file| fits(pattern, &file.name)) {
            return Err(PublicationError::NothingIncluded {
                pattern: pattern.clone(),
            });
        }
    }
    let card = parent_readme(&ModelFolder::new(folder))?.unwrap_or_default();
    let listed: Option<BTreeSet<&str>> =
        lock.map(|lock| lock.files.iter().map(|file| file.name.as_str()).collect());
    let is_taken = |name: &str| {
        let is_known = match &listed {
            Some(listed) => listed.contains(name) || is_added(name),
            None => is_of_model(name),
        };
        is_known
            || (is_picture(name) && card.contains(name))
            || include.iter().any(|pattern| fits(pattern, name))
    };
    let (files, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|file| is_taken(&file.name));
    Ok(Selection {
        left_out: by_folder(&files, &others),
        files,
    })
}

/// What stands beside a merge without being listed by its lock.
fn is_added(name: &str) -> bool {
    [LOCK_FILE, MODEL_CARD, RECIPE_FILE].contains(&name)
        || is_terms(name)
        || name
            .strip_prefix(SCORES)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Names of files, with one entry for a folder of which nothing is published.
fn by_folder(files: &[PublishedFile], others: &[PublishedFile]) -> Vec<String> {
    let top = |name: &str| name.split_once('/').map(|(folder, _)| format!("{folder}/"));
    let published: BTreeSet<String> = files.iter().filter_map(|file| top(&file.name)).collect();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for file in others {
        let name = top(&file.name).filter(|folder| !published.contains(folder));
        names.insert(name.unwrap_or_else(|| file.name.clone()));
    }
    names.into_iter().collect()
}
