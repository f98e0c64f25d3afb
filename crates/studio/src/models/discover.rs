//! Looks for folders that hold models.

use std::path::{Path, PathBuf};

use weightsmith::model::{LocateError, Located, LocatedKind};
use weightsmith_tensors::read_regular_text;

use crate::wire::Origin;

/// The longest commit that a reference of the cache is read for.
const LONGEST_REF: u64 = 4096;

/// A folder that holds a model, or should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What it would be called if nothing else were.
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) located: Located,
}

/// Models of a folder: the folder itself, or what is one or two levels below it.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn in_folder(folder: &Path, origin: Origin) -> Result<Vec<Candidate>, String> {
    if is_model(folder) {
        // a link is called by its own name; `.` and `..` have none
        let real = match folder.file_name() {
            Some(_) => None,
            None => folder.canonicalize().ok(),
        };
        let name = real.as_deref().unwrap_or(folder).file_name();
        let name = name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into());
        return Ok(vec![local(name, folder.to_owned(), origin)]);
    }
    let mut found = Vec::new();
    for (name, child) in children(folder)? {
        if is_model(&child) {
            found.push(local(name, child, origin));
            continue;
        }
        // a folder that cannot be read has nothing to show
        for (inner, grandchild) in children(&child).unwrap_or_default() {
            if is_model(&grandchild) {
                found.push(local(format!("{name}/{inner}"), grandchild, origin));
            }
        }
    }
    Ok(found)
}

/// Models of the Hugging Face cache, each at its main revision, else at the newest that is there. Those of which only small files
/// have come are left out.
pub(super) fn in_cache(cache: &Path) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (name, folder) in children(cache).unwrap_or_default() {
        let Some(repo) = name.strip_prefix("models--") else {
            continue;
        };
        let repo = repo.replace("--", "/");
        let Some((commit, folder)) = snapshot(&folder) else {
            continue;
        };
        let located = Located {
            label: repo.clone(),
            folder,
            file: None,
            kind: LocatedKind::HubCache {
                repo: repo.clone(),
                revision: "main".to_owned(),
                commit,
            },
        };
        if !matches!(
            located.require_weights(),
            Err(LocateError::NoWeights { .. })
        ) {
            found.push(Candidate {
                name: repo,
                origin: Origin::Cache,
                located,
            });
        }
    }
    found
}

fn snapshot(repo: &Path) -> Option<(String, PathBuf)> {
    let snapshots = repo.join("snapshots");
    if let Ok(commit) = read_regular_text(&repo.join("refs/main"), LONGEST_REF) {
        let commit = commit.trim();
        let is_commit = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let folder = snapshots.join(commit);
        if is_commit && !commit.is_empty() && folder.is_dir() {
            return Some((commit.to_owned(), folder));
        }
    }
    children(&snapshots)
        .ok()?
        .into_iter()
        .max_by_key(|(_, folder)| fs_err::metadata(folder).and_then(|one| one.modified()).ok())
}

pub(super) fn local(label: String, folder: PathBuf, origin: Origin) -> Candidate {
    Candidate {
        name: label.clone(),
        origin,
        located: Located {
            label,
            folder,
            file: None,
            kind: LocatedKind::Local,
        },
    }
}

/// Folders in a folder with their names, sorted; hidden ones are somebody's own, or a merge that is going on.
fn children(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let entries = fs_err::read_dir(folder).map_err(|error| error.to_string())?;
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, path)| !name.starts_with('.') && path.is_dir())
        .collect();
    found.sort();
    Ok(found)
}

/// Whether a folder is meant to be a model.
fn is_model(folder: &Path) -> bool {
    folder.join("config.json").is_file()
        || folder.join("model.safetensors").is_file()
        || folder.join("model.safetensors.index.json").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn names(found: &[Candidate]) -> Vec<&str> {
        found.iter().map(|one| one.name.as_str()).collect()
    }

    #[test]
    fn models_are_found_two_levels_deep_and_no_deeper() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            "b/config.json",
            "org/name/config.json",
            "x/y/z/config.json",
            ".partial/config.json",
            "a/model.safetensors",
        ] {
            file(root.path(), path, "{}");
        }
        let found = in_folder(root.path(), Origin::Folder).unwrap();
        assert_eq!(names(&found), ["a", "b", "org/name"]);
        let one = in_folder(&root.path().join("b"), Origin::Folder).unwrap();
        assert_eq!(names(&one), ["b"]);
        assert!(in_folder(&root.path().join("none"), Origin::Folder).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_called_by_their_own_names() {
        let root = tempfile::tempdir().unwrap();
        file(root.path(), "merge-7/config.json", "{}");
        let link = root.path().join("current");
        std::os::unix::fs::symlink(root.path().join("merge-7"), &link).unwrap();
        let found = in_folder(root.path(), Origin::Folder).unwrap();
        assert_eq!(names(&found), ["current", "merge-7"]);
        let one = in_folder(&link, Origin::Folder).unwrap();
        assert_eq!(names(&one), ["current"]);
        assert_eq!(one[0].located.label, "current");
    }

    #[test]
    fn the_cache_shows_main_and_leaves_out_what_has_no_weights() {
        let root = tempfile::tempdir().unwrap();
        let old = "1".repeat(40);
        let new = "2".repeat(40);
        for commit in [&old, &new] {
            let folder = format!("models--org--full/snapshots/{commit}");
            file(root.path(), &format!("{folder}/config.json"), "{}");
            file(root.path(), &format!("{folder}/model.safetensors"), "");
        }
        file(root.path(), "models--org--full/refs/main", &old);
        file(
            root.path(),
            &format!("models--org--small/snapshots/{new}/config.json"),
            "{}",
        );
        file(
            root.path(),
            "datasets--org--x/snapshots/1/model.safetensors",
            "",
        );
        let found = in_cache(root.path());
        assert_eq!(names(&found), ["org/full"]);
        assert!(found[0].located.folder.ends_with(old));
    }
}
