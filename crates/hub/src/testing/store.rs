//! Repositories, commits and large files of the hub on loopback.

use std::collections::BTreeMap;
use std::io;

use sha1::Digest as _;

use super::Content;

/// Who may read a repository's files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Access {
    /// Everybody.
    #[default]
    Public,
    /// Who has a token that is known; others are told that there is no such repository.
    Private,
    /// Who has accepted the licence: the tokens are listed. Its facts are public.
    Gated(Vec<String>),
}

/// A file of a commit.
#[derive(Debug, Clone)]
pub struct GitFile {
    /// Its bytes.
    pub content: Content,
    /// What git calls it: of a large file, the name of its pointer.
    pub oid: String,
    /// SHA-256 of a large file.
    pub lfs: Option<String>,
}

/// A repository.
#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) access: Access,
    /// Branches, tags and pull requests with their commits.
    pub(super) refs: BTreeMap<String, String>,
    pub(super) commits: BTreeMap<String, Commit>,
}

/// A commit with all its files.
#[derive(Debug, Clone, Default)]
pub(super) struct Commit {
    pub(super) files: BTreeMap<String, GitFile>,
    pub(super) summary: String,
}

impl Repository {
    /// The commit of a branch, tag, commit or beginning of a commit.
    pub(super) fn commit(&self, revision: &str) -> Option<(&String, &Commit)> {
        let oid = match self.refs.get(revision) {
            Some(oid) => oid,
            None => self
                .commits
                .keys()
                .find(|oid| revision.len() >= 7 && oid.starts_with(revision))?,
        };
        self.commits.get_key_value(oid)
    }

    /// Adds a commit to a branch and names it.
    pub(super) fn add(&mut self, branch: &str, commit: Commit) -> String {
        let mut hasher = sha1::Sha1::new();
        hasher.update(format!(
            "{} {branch} {}",
            self.commits.len(),
            commit.summary
        ));
        for (path, file) in &commit.files {
            hasher.update(format!("{path} {}\n", file.oid));
        }
        let oid = crate::hash::hexadecimal(&hasher.finalize());
        self.commits.insert(oid.clone(), commit);
        self.refs.insert(branch.to_owned(), oid.clone());
        oid
    }
}

impl GitFile {
    /// A file as the hub would store it: large ones and weights through LFS.
    pub(super) fn new(path: &str, content: Content) -> io::Result<Self> {
        if is_large(path, content.size()) {
            let sha256 = content.sha256()?;
            Self::large(content, sha256)
        } else {
            Ok(Self {
                oid: content.git_oid()?,
                content,
                lfs: None,
            })
        }
    }

    /// A file that went through LFS.
    pub(super) fn large(content: Content, sha256: String) -> io::Result<Self> {
        let pointer = format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {}\n",
            content.size()
        );
        Ok(Self {
            oid: Content::from(pointer.as_str()).git_oid()?,
            content,
            lfs: Some(sha256),
        })
    }
}

/// What goes through LFS: by name, as in the hub's `.gitattributes`, or by size.
pub(super) fn is_large(path: &str, size: u64) -> bool {
    const LARGEST_REGULAR: u64 = 10 << 20;
    size > 0 && (size > LARGEST_REGULAR || path.ends_with(".safetensors") || is_pickle(path))
}

fn is_pickle(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, kind)| kind == "bin")
}
