//! What a model on the hub consists of.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};

use crate::answer::{LARGE_JSON, SMALL_JSON, Subject};
use crate::client::{Ask, Client, without_query};
use crate::hash::Expected;
use crate::{HubError, ModelName};

/// More files and folders than this are no model.
const MOST_ENTRIES: usize = 200_000;
/// A thousand entries are on a page of the hub.
const MOST_PAGES: usize = 1_000;
/// How long all pages together may take.
const LONGEST_LISTING: Duration = Duration::from_mins(2);
/// The hub takes no file beyond half of this, so sums of sizes are far from what a number can hold.
const LARGEST_FILE: u64 = 1 << 40;
/// The longest path: more than file systems take.
const LONGEST_PATH: usize = 4 << 10;

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

/// What has come of a tree.
#[derive(Debug, Default)]
struct Tree {
    files: Vec<HubFile>,
    /// Folders are counted too.
    entries: usize,
}

/// Reads a page of a tree entry by entry: only what is kept of each takes memory.
struct Entries<'a>(&'a mut Tree);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Entry>()? {
            self.0.entries += 1;
            if self.0.entries > MOST_ENTRIES {
                let problem = format!("more than {MOST_ENTRIES} files and folders");
                return Err(A::Error::custom(problem));
            }
            if entry.kind == "file" {
                self.0.files.push(file(entry).map_err(A::Error::custom)?);
            }
        }
        Ok(())
    }
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
        let info: Info = client.json(Ask::get(&url), SMALL_JSON, &subject)?;
        if !is_commit(&info.sha) {
            let sha: String = info.sha.chars().take(80).collect();
            return Err(HubError::Answer {
                url,
                problem: format!("`{sha}` is not a commit"),
            });
        }
        let tree = name.api(client.endpoint(), "tree", &info.sha);
        let mut files = pages(client, &tree, &subject)?;
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

/// All pages of a tree. Their number and their time are bounded, and none is asked for twice.
fn pages(client: &Client, tree: &str, subject: &Subject<'_>) -> Result<Vec<HubFile>, HubError> {
    let start = Instant::now();
    let mut found = Tree::default();
    let mut asked = BTreeSet::new();
    let mut url = format!("{tree}?recursive=true");
    loop {
        let page = client.page(Ask::get(&url), LARGE_JSON, subject, Entries(&mut found))?;
        let Some(next) = page.next else {
            return Ok(found.files);
        };
        // where the model has got another name
        let tree = without_query(&page.url);
        let next = of_this_tree(client.endpoint(), tree, &next);
        asked.insert(std::mem::take(&mut url));
        let problem = match &next {
            None => "the next page belongs to another request".to_owned(),
            Some(next) if asked.contains(next) => "the next page repeats an earlier one".to_owned(),
            Some(_) if asked.len() >= MOST_PAGES => format!("more than {MOST_PAGES} pages"),
            Some(_) if start.elapsed() > LONGEST_LISTING => {
                let seconds = LONGEST_LISTING.as_secs();
                format!("{} pages in {seconds} seconds, giving up", asked.len())
            }
            Some(_) => String::new(),
        };
        match next {
            Some(next) if problem.is_empty() => url = next,
            _ => {
                return Err(HubError::Answer {
                    url: tree.to_owned(),
                    problem,
                });
            }
        }
    }
}

/// The address of a tree's next page, at the hub that is asked: mirrors hand on the addresses of the hub that they mirror. Nothing where
/// it is not of that tree.
fn of_this_tree(endpoint: &str, tree: &str, next: &str) -> Option<String> {
    let path = tree.strip_prefix(endpoint)?;
    let query = next.split_once('?').and_then(|(address, query)| {
        let here = address.strip_suffix(path)?;
        let is_host = here.is_empty() || here.contains("://");
        is_host.then_some(query)
    })?;
    Some(format!("{tree}?{query}"))
}

fn file(entry: Entry) -> Result<HubFile, String> {
    let path = entry.path;
    if path.len() > LONGEST_PATH {
        let start: String = path.chars().take(80).collect();
        return Err(format!("`{start}…` is a path of {} bytes", path.len()));
    }
    if !is_inside(&path) {
        return Err(format!("`{path}` is outside the repository"));
    }
    let (hash, size) = match entry.lfs {
        Some(lfs) => (Expected::sha256(&lfs.oid), lfs.size),
        None => (Expected::git(&entry.oid), entry.size),
    };
    if size > LARGEST_FILE {
        return Err(format!(
            "`{path}` is reported to have {size} bytes, at most {LARGEST_FILE} are allowed"
        ));
    }
    let hash = hash.ok_or_else(|| format!("`{path}` has no hash"))?;
    Ok(HubFile { path, size, hash })
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

/// The number of files that a page of a tree names.
#[cfg(feature = "testing")]
pub(crate) fn listed_files(page: &[u8]) -> serde_json::Result<usize> {
    let mut found = Tree::default();
    let mut reader = serde_json::Deserializer::from_slice(page);
    DeserializeSeed::deserialize(Entries(&mut found), &mut reader)?;
    reader.end()?;
    Ok(found.files.len())
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

    #[test]
    fn the_next_page_stays_at_the_hub_that_was_asked() {
        let tree = "http://h:1/api/models/a/b/tree/c";
        let next = |next| of_this_tree("http://h:1", tree, next);
        let page = Some(format!("{tree}?cursor=x"));
        assert_eq!(next("http://h:1/api/models/a/b/tree/c?cursor=x"), page);
        assert_eq!(
            next("https://huggingface.co/api/models/a/b/tree/c?cursor=x"),
            page
        );
        assert_eq!(next("/api/models/a/b/tree/c?cursor=x"), page);
        for other in [
            "http://h:1/api/models/a/other/tree/c?cursor=x",
            "http://h:1/api/models/a/b/tree/c",
            "x/api/models/a/b/tree/c?cursor=x",
            "file:///etc/passwd?x",
            "",
        ] {
            assert_eq!(next(other), None, "{other}");
        }
    }

    fn page(json: &str) -> Result<Tree, String> {
        let mut tree = Tree::default();
        let mut json = serde_json::Deserializer::from_str(json);
        let read = Entries(&mut tree).deserialize(&mut json);
        read.map(|()| tree).map_err(|error| error.to_string())
    }

    #[test]
    fn sizes_that_no_file_has_are_refused() {
        let hash = "0".repeat(64);
        let entry = |size: u64| {
            format!(r#"[{{"type":"file","path":"a","lfs":{{"oid":"{hash}","size":{size}}}}}]"#)
        };
        assert_eq!(page(&entry(1 << 40)).unwrap().files[0].size, 1 << 40);
        for size in [(1 << 40) + 1, 1 << 63, u64::MAX] {
            let error = page(&entry(size)).unwrap_err();
            assert!(error.contains(&format!("{size} bytes, at most")), "{error}");
        }
    }

    #[test]
    fn what_is_not_asked_for_is_not_kept() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let hash = "0".repeat(40);
        let json = format!(
            r#"[{{"type":"directory","path":"a"}},{{"path":"b","x":{deep},"type":"file","oid":"{hash}"}}]"#
        );
        let tree = page(&json).unwrap();
        assert_eq!((tree.files.len(), tree.entries), (1, 2));
        assert!(page(&deep).is_err());
    }

    #[test]
    fn more_entries_than_a_model_has_are_refused_while_they_are_read() {
        let mut json = String::from("[");
        json.push_str(&r#"{"type":"directory","path":"a"},"#.repeat(MOST_ENTRIES + 1));
        let error = page(&json).unwrap_err();
        assert!(
            error.contains("more than 200000 files and folders"),
            "{error}"
        );
    }
}
