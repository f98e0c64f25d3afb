//! What a model on the hub consists of.

use std::path::{Component, Path};

use serde::Deserialize;

use crate::client::{Ask, Client, Subject};
use crate::hash::Expected;
use crate::{HubError, ModelName};

/// More files than this are no model.
const MOST_FILES: usize = 100_000;

/// A model at a commit, with its files.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Its name, and the revision that was asked for.
    pub name: ModelName,
    /// The commit that the revision stands for.
    pub commit: String,
    /// Its files, sorted by path.
    pub files: Vec<HubFile>,
}

/// A file on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFile {
    /// Its path in the repository.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// What its bytes must hash to; also the name of its blob in the cache.
    pub(crate) hash: Expected,
}

#[derive(Deserialize)]
struct Info {
    sha: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    oid: String,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    #[serde(alias = "sha256")]
    oid: String,
    size: u64,
}

impl Listing {
    /// Asks the hub for the commit and its files.
    pub(crate) fn fetch(client: &Client, name: &ModelName) -> Result<Self, HubError> {
        let subject = Subject {
            model: &name.repository,
            revision: &name.revision,
            ..Subject::default()
        };
        let url = name.api(client.endpoint(), "revision", &name.revision);
        let (info, _) = client.json(Ask::get(&url), &subject)?;
        let info: Info = parsed(&url, info)?;
        if !is_commit(&info.sha) {
            return Err(HubError::Answer {
                url,
                problem: format!("`{}` is not a commit", info.sha),
            });
        }
        let mut files = Vec::new();
        let tree = name.api(client.endpoint(), "tree", &info.sha);
        let mut next = Some(format!("{tree}?recursive=true"));
        while let Some(url) = next {
            let (page, following) = client.json(Ask::get(&url), &subject)?;
            let entries: Vec<Entry> = parsed(&url, page)?;
            for entry in entries.into_iter().filter(|entry| entry.kind == "file") {
                files.push(file(&url, entry)?);
            }
            if files.len() > MOST_FILES || following.as_ref() == Some(&url) {
                return Err(HubError::Answer {
                    url,
                    problem: format!(
                        "{} files and no end, expected at most {MOST_FILES}",
                        files.len()
                    ),
                });
            }
            // pages of a hub elsewhere would get its token
            next = following.filter(|url| client.is_hub(url));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(Self {
            name: name.clone(),
            commit: info.sha,
            files,
        })
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&HubFile> {
        let found = self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path));
        found.ok().map(|index| &self.files[index])
    }

    /// The names of the files in the repository's main folder.
    pub(crate) fn top_names(&self) -> Vec<String> {
        let top = self.files.iter().filter(|file| !file.path.contains('/'));
        top.map(|file| file.path.clone()).collect()
    }
}

fn parsed<T: for<'a> Deserialize<'a>>(url: &str, value: serde_json::Value) -> Result<T, HubError> {
    serde_json::from_value(value).map_err(|error| HubError::Answer {
        url: url.to_owned(),
        problem: format!("not what was expected: {error}"),
    })
}

fn file(url: &str, entry: Entry) -> Result<HubFile, HubError> {
    let wrong = |problem: String| HubError::Answer {
        url: url.to_owned(),
        problem,
    };
    if !is_inside(&entry.path) {
        return Err(wrong(format!(
            "`{}` leads out of the repository",
            entry.path
        )));
    }
    let (hash, size) = match entry.lfs {
        Some(lfs) => (Expected::sha256(&lfs.oid), lfs.size),
        None => (Expected::git(&entry.oid), entry.size),
    };
    let hash = hash.ok_or_else(|| wrong(format!("`{}` has no hash", entry.path)))?;
    Ok(HubFile {
        path: entry.path,
        size,
        hash,
    })
}

/// Whether a path stays in the folder that it is joined to.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', '\0', ':'])
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn is_commit(text: &str) -> bool {
    (text.len() == 40 || text.len() == 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The number of files that a page of a list names.
#[cfg(feature = "testing")]
pub(crate) fn listed_files(page: &[u8]) -> Result<usize, HubError> {
    let url = "a page";
    let page = serde_json::from_slice(page).unwrap_or_default();
    let entries: Vec<Entry> = parsed(url, page)?;
    let files = entries.into_iter().map(|entry| file(url, entry));
    Ok(files.collect::<Result<Vec<_>, _>>()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for good in ["config.json", "a/b.jinja", "..a"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a\\b", "c:x"] {
            assert!(!is_inside(bad), "{bad}");
        }
    }
}
