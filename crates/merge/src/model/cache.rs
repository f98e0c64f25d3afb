//! The layout of the Hugging Face cache.
//!
//! `models--org--name/refs/<branch or tag>` holds a commit hash, `models--org--name/snapshots/<commit>/` the files
//! (as links to `blobs/`). See <https://huggingface.co/docs/huggingface_hub/guides/manage-cache>.

use std::io;
use std::path::{Path, PathBuf};

use weightsmith_tensors::read_regular_text;

/// The branch that a name without a revision stands for.
pub(super) const DEFAULT_REVISION: &str = "main";

/// The shortest commit prefix that is taken for a commit.
const SHORTEST_HASH: usize = 4;

/// The longest a file under `refs/` may be: a SHA-256 in hexadecimal with a line end fits twice.
const LONGEST_REF: u64 = 130;

/// One repository's folder in the cache.
#[derive(Debug)]
pub(super) struct CachedRepo {
    folder: PathBuf,
}

/// What a revision stands for in the cache.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// A snapshot that is there.
    Snapshot {
        /// The full commit hash.
        commit: String,
        /// The snapshot's folder.
        folder: PathBuf,
    },
    /// Nothing cached, with the places where it was looked for.
    Missing(Vec<PathBuf>),
    /// A short hash of several cached commits.
    Ambiguous(Vec<String>),
}

impl CachedRepo {
    /// The folder of a repository, whether or not it is there.
    pub(super) fn new(hub_cache: &Path, repo: &str) -> Self {
        Self {
            folder: hub_cache.join(format!("models--{}", repo.replace('/', "--"))),
        }
    }

    /// A repository's folder in whatever cache.
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The commit of the only snapshot, where no branch or tag says which one counts.
    pub(super) fn only_commit(&self) -> io::Result<Option<String>> {
        if self.folder.join("refs").join(DEFAULT_REVISION).is_file() {
            return Ok(None);
        }
        let mut commits = self.commits()?;
        Ok(commits.pop().filter(|_| commits.is_empty()))
    }

    /// The folder's path.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether anything of the repository is cached.
    pub(super) fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Finds the snapshot of a branch, tag, `refs/pr/N`, commit or beginning of a commit.
    pub(super) fn resolve(&self, revision: &str) -> io::Result<Resolution> {
        let reference = self.folder.join("refs").join(revision);
        let snapshots = self.folder.join("snapshots");
        let mut looked = vec![reference.clone()];
        if reference.is_file() {
            let commit = read_ref(&reference)?;
            if is_hash(&commit) {
                let folder = snapshots.join(&commit);
                if folder.is_dir() {
                    return Ok(Resolution::Snapshot { commit, folder });
                }
                looked.push(folder);
                return Ok(Resolution::Missing(looked));
            }
        }
        looked.push(snapshots.join(revision));
        if !is_hash(revision) || revision.len() < SHORTEST_HASH {
            return Ok(Resolution::Missing(looked));
        }
        let lower = revision.to_ascii_lowercase();
        let mut commits: Vec<String> = self
            .commits()?
            .into_iter()
            .filter(|commit| commit.starts_with(&lower))
            .collect();
        match commits.pop() {
            None => Ok(Resolution::Missing(looked)),
            Some(commit) if commits.is_empty() => {
                let folder = snapshots.join(&commit);
                Ok(Resolution::Snapshot { commit, folder })
            }
            Some(last) => {
                commits.push(last);
                Ok(Resolution::Ambiguous(commits))
            }
        }
    }

    /// The cached branches and tags, then the cached commits.
    pub(super) fn revisions(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let refs = self.folder.join("refs");
        if refs.is_dir() {
            collect_refs(&refs, "", &mut names)?;
        }
        names.sort();
        names.extend(self.commits()?);
        Ok(names)
    }

    /// The commits of the cached snapshots, sorted.
    pub(super) fn commits(&self) -> io::Result<Vec<String>> {
        let snapshots = self.folder.join("snapshots");
        let mut commits = Vec::new();
        if snapshots.is_dir() {
            for entry in fs_err::read_dir(&snapshots)? {
                let entry = entry?;
                if let Ok(name) = entry.file_name().into_string()
                    && is_hash(&name)
                    && entry.path().is_dir()
                {
                    commits.push(name);
                }
            }
        }
        commits.sort();
        Ok(commits)
    }
}

/// Branches and tags may hold slashes, so that `refs/` is a tree of at most a few levels.
fn collect_refs(folder: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    const DEEPEST: usize = 8;
    if prefix.matches('/').count() > DEEPEST {
        return Ok(());
    }
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if entry.file_type()?.is_dir() {
            collect_refs(&entry.path(), &format!("{prefix}{name}/"), names)?;
        } else {
            names.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

fn read_ref(path: &Path) -> io::Result<String> {
    match read_regular_text(path, LONGEST_REF) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(String::new()),
        Err(error) => Err(error),
    }
}

pub(super) fn is_hash(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The repository whose folder in a cache a path is: `models--org--name` with its snapshots.
pub(super) fn cached_repo(folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?.strip_prefix("models--")?;
    let repo = name.replacen("--", "/", 1);
    (is_repo_name(&repo) && folder.join("snapshots").is_dir()).then_some(repo)
}

/// Whether a text is `organization/name` (or an old-style `name`) as the hub allows it.
pub(super) fn is_repo_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let valid = |part: &&str| {
        !part.is_empty()
            && part.len() <= 96
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            && !part.starts_with(['-', '.'])
            && !part.ends_with(['-', '.'])
            && !part.contains("--")
            && !part.contains("..")
    };
    parts.len() <= 2 && parts.iter().all(valid)
}

/// Whether a text can be a branch, tag or commit: nothing that could lead out of the cache's folder.
pub(super) fn is_revision(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(['\\', ':', '\0'])
        && text
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hub_are_told_from_paths() {
        for name in ["Qwen/Qwen2.5-0.5B", "gpt2", "a_b/c.d-e"] {
            assert!(is_repo_name(name), "{name}");
        }
        for path in [
            "", "/abs", "a/b/c", "./a", "../a", "a b/c", "a\\b", "org/", "a--b/c",
        ] {
            assert!(!is_repo_name(path), "{path}");
        }
    }

    #[test]
    fn a_revision_cannot_leave_the_cache() {
        for revision in ["main", "refs/pr/1", "v1.0", "feature/x"] {
            assert!(is_revision(revision), "{revision}");
        }
        for revision in ["", "..", "../x", "/etc", "a//b", "a/../../b", "c:\\x"] {
            assert!(!is_revision(revision), "{revision}");
        }
    }
}
