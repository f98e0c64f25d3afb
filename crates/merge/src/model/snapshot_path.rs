//! Paths into a Hugging Face cache, which say what the model is called on the hub.

use std::path::{Component, Path};

use super::LocatedKind;
use super::cache::{is_hash, is_repo_name};

/// The name and commit in `…/models--org--name/snapshots/COMMIT`; nothing for other paths.
pub(super) fn hub_kind(folder: &Path) -> Option<LocatedKind> {
    let mut parts = folder.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_str()),
        Component::CurDir => None,
        _ => Some(None),
    });
    let commit = parts.next()??;
    let snapshots = parts.next()??;
    let repo = parts.next()??.strip_prefix("models--")?.replace("--", "/");
    let is_snapshot = snapshots == "snapshots" && commit.len() == COMMIT_LENGTH && is_hash(commit);
    (is_snapshot && is_repo_name(&repo)).then(|| LocatedKind::HubCache {
        repo,
        revision: commit.to_owned(),
        commit: commit.to_owned(),
    })
}

/// Digits of a commit's hash.
const COMMIT_LENGTH: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_snapshot_says_its_name_and_commit() {
        for path in [
            format!("/c/models--org--name/snapshots/{COMMIT}"),
            format!("models--org--name/snapshots/{COMMIT}/"),
            format!("c/models--org--name/./snapshots/{COMMIT}/."),
        ] {
            let found = hub_kind(Path::new(&path));
            let expected = LocatedKind::HubCache {
                repo: "org/name".into(),
                revision: COMMIT.into(),
                commit: COMMIT.into(),
            };
            assert_eq!(found, Some(expected), "{path}");
        }
    }

    #[test]
    fn other_folders_say_nothing() {
        for path in [
            format!("/c/datasets--org--name/snapshots/{COMMIT}"),
            format!("/c/models--org--name/blobs/{COMMIT}"),
            format!("/c/models--org--name/snapshots/{COMMIT}/sub"),
            format!("/c/models--org--name/snapshots/x/../{COMMIT}"),
            "/c/models--org--name/snapshots/main".to_owned(),
            COMMIT.to_owned(),
        ] {
            assert_eq!(hub_kind(Path::new(&path)), None, "{path}");
        }
    }
}
