//! A folder's files published as a model.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{SMALL_JSON, Subject};
use crate::client::{Ask, Client};
use crate::hash::Expected;
use crate::listing::{HubFile, Listing};
use crate::upload::{Content, Object, copy_through, in_parallel, upload};
use crate::{Hub, HubError, ModelName, Progress};

/// Files in one question about how they go up.
const ASKED_AT_ONCE: usize = 256;
/// The hub's advice for a commit.
const FILES_IN_A_COMMIT: usize = 100;
/// What a commit may carry in itself before it is split.
const BYTES_IN_A_COMMIT: u64 = 32 << 20;
/// What the hub looks at to tell texts from other files.
const SAMPLE: usize = 512;

/// A file to be published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Its path in the repository.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes.
    pub content: Content,
}

/// How it is published.
#[derive(Debug, Clone)]
pub struct PushOptions {
    /// Whether a repository that is made is private.
    pub private: bool,
    /// A pull request instead of commits to `main`.
    pub pull_request: bool,
    /// The commits' message.
    pub message: String,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The model's page.
    pub page: String,
    /// The last commit; nothing where everything is already downloaded.
    pub commit: Option<String>,
    /// The pull request's page.
    pub pull_request: Option<String>,
    /// Files that the hub had already, with the same bytes.
    pub unchanged: usize,
    /// The number of commits.
    pub commits: usize,
}

/// Whose token it is.
#[derive(Deserialize)]
struct Account {
    name: String,
}

/// How files go up.
#[derive(Deserialize)]
struct Preupload {
    files: Vec<Mode>,
}

#[derive(Deserialize)]
struct Mode {
    path: String,
    #[serde(rename = "uploadMode")]
    mode: String,
}

/// What became of a commit.
#[derive(Deserialize)]
struct Committed {
    #[serde(default, rename = "commitOid")]
    oid: Option<String>,
    #[serde(default, rename = "pullRequestUrl")]
    pull_request: Option<String>,
}

/// A file with its hashes.
struct Hashed<'a> {
    index: usize,
    file: &'a Publication,
    sha256: String,
    git: String,
    sample: Vec<u8>,
}

impl Hub {
    /// Whose token it is.
    ///
    /// # Errors
    /// When there is none, or the hub does not know it.
    pub fn account(&self) -> Result<String, HubError> {
        let url = format!("{}/api/whoami-v2", self.client.endpoint());
        let subject = Subject {
            action: "look up the token's account",
            ..Subject::default()
        };
        let who: Account = self.client.json(Ask::get(&url), SMALL_JSON, &subject)?;
        Ok(who.name)
    }

    /// Publishes files: makes the repository where it is not there, uploads what the hub does not have, commits. A run that was
    /// interrupted is continued by the same call.
    ///
    /// # Errors
    /// The first that goes wrong.
    pub fn push(
        &self,
        name: &ModelName,
        files: &[Publication],
        options: &PushOptions,
        progress: &dyn Progress,
    ) -> Result<Pushed, HubError> {
        let client = &*self.client;
        if !options.pull_request {
            create(client, name, options.private)?;
        }
        let sizes: Vec<(String, u64)> = files
            .iter()
            .map(|file| (file.path.clone(), file.size))
            .collect();
        let there = Listing::fetch(client, name)?;
        let hashed = hash(files)?;
        let changed: Vec<&Hashed<'_>> = hashed
            .iter()
            .filter(|file| !is_same(&there, file))
            .collect();
        progress.begin(&sizes);
        for file in hashed.iter().filter(|file| is_same(&there, file)) {
            progress.already(file.index, file.file.size);
        }
        let result = publish(client, name, &there, &changed, options, progress);
        progress.end();
        let (commit, pull_request, commits) = result?;
        Ok(Pushed {
            page: name.page(client.endpoint()),
            commit,
            pull_request,
            unchanged: files.len() - changed.len(),
            commits,
        })
    }
}

type Published = (Option<String>, Option<String>, usize);

fn publish(
    client: &Client,
    name: &ModelName,
    there: &Listing,
    changed: &[&Hashed<'_>],
    options: &PushOptions,
    progress: &dyn Progress,
) -> Result<Published, HubError> {
    if changed.is_empty() {
        return Ok((None, None, 0));
    }
    let (large, small) = modes(client, name, changed)?;
    let objects: Vec<Object<'_>> = large
        .iter()
        .map(|file| Object {
            file: file.index,
            sha256: &file.sha256,
            size: file.file.size,
            content: &file.file.content,
        })
        .collect();
    upload(client, &name.repository, &name.revision, &objects, progress)?;
    let mut head = there.commit.clone();
    let mut branch = name.revision.clone();
    let mut pull_request = None;
    // what shows that a model is there comes when its weights are there
    let groups = groups(&large, &small);
    for (number, group) in groups.iter().enumerate() {
        if progress.is_stopped() {
            return Err(HubError::Stopped);
        }
        let message = if groups.len() == 1 {
            options.message.clone()
        } else {
            format!(
                "{} (part {} of {})",
                options.message,
                number + 1,
                groups.len()
            )
        };
        let new = options.pull_request && number == 0;
        let answer = commit(client, name, &branch, &head, &message, group, new)?;
        for file in group.iter().filter(|(_, is_large)| !is_large) {
            progress.advance(file.0.index, file.0.file.size);
        }
        head = answer.0;
        if let Some(url) = answer.1 {
            if let Some(number) = url.rsplit('/').next() {
                branch = format!("refs/pr/{number}");
            }
            pull_request = Some(url);
        }
    }
    Ok((Some(head), pull_request, groups.len()))
}

fn hash(files: &[Publication]) -> Result<Vec<Hashed<'_>>, HubError> {
    let slots: Vec<std::sync::OnceLock<Hashed<'_>>> =
        files.iter().map(|_| std::sync::OnceLock::new()).collect();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    in_parallel(files.len(), threads, &|index| {
        let file = &files[index];
        let mut writer = HashWriter {
            sha256: Expected::Sha256(String::new()).hasher(file.size),
            git: Expected::Git(String::new()).hasher(file.size),
            sample: Vec::new(),
        };
        let size = copy_through(&file.content, &mut writer)?;
        if size != file.size {
            return Err(HubError::Io(std::io::Error::other(format!(
                "`{}` has {size} bytes, it had {} before",
                file.path, file.size
            ))));
        }
        let hashed = Hashed {
            index,
            file,
            sha256: writer.sha256.finish(),
            git: writer.git.finish(),
            sample: writer.sample,
        };
        let _ = slots[index].set(hashed);
        Ok(())
    })?;
    Ok(slots
        .into_iter()
        .filter_map(std::sync::OnceLock::into_inner)
        .collect())
}

struct HashWriter {
    sha256: crate::hash::Hasher,
    git: crate::hash::Hasher,
    sample: Vec<u8>,
}

impl std::io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.sha256.update(bytes);
        self.git.update(bytes);
        let missing = SAMPLE - self.sample.len();
        self.sample
            .extend_from_slice(&bytes[..bytes.len().min(missing)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn is_same(there: &Listing, file: &Hashed<'_>) -> bool {
    let same = |known: &HubFile| match &known.hash {
        Expected::Sha256(hash) => *hash == file.sha256,
        Expected::Git(hash) => *hash == file.git,
    };
    there.file(&file.file.path).is_some_and(same)
}

/// Makes the repository; that it is there already is fine.
fn create(client: &Client, name: &ModelName, private: bool) -> Result<(), HubError> {
    let url = format!("{}/api/repos/create", client.endpoint());
    let (organization, short) = match name.repository.split_once('/') {
        Some((organization, short)) => (Some(organization), short),
        None => (None, name.repository.as_str()),
    };
    let visibility = if private { "private" } else { "public" };
    let body = json!({
        "type": "model", "name": short, "organization": organization, "private": private, "visibility": visibility,
    });
    let body = body.to_string();
    let answer = client.ask(Ask::post(&url, body.as_bytes(), "application/json"))?;
    if answer.status().is_success() || answer.status() == 409 {
        return Ok(());
    }
    let action = format!("create `{}`", name.repository);
    let subject = Subject {
        model: &name.repository,
        action: &action,
        ..Subject::default()
    };
    Err(client.refusal(answer, &url, &subject))
}

type Modes<'a> = (Vec<&'a Hashed<'a>>, Vec<&'a Hashed<'a>>);

/// Which files go up through LFS and which within the commit, as the hub wants it.
fn modes<'a>(
    client: &Client,
    name: &ModelName,
    files: &[&'a Hashed<'a>],
) -> Result<Modes<'a>, HubError> {
    let url = name.api(client.endpoint(), "preupload", &name.revision);
    let action = format!("write to `{}`", name.repository);
    let subject = Subject {
        model: &name.repository,
        revision: &name.revision,
        action: &action,
        ..Subject::default()
    };
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for group in files.chunks(ASKED_AT_ONCE) {
        let listed: Vec<Value> = group
            .iter()
            .map(|file| {
                json!({"path": file.file.path, "size": file.file.size, "sample": STANDARD.encode(&file.sample)})
            })
            .collect();
        let body = json!({ "files": listed }).to_string();
        let ask = Ask::post(&url, body.as_bytes(), "application/json");
        let answer: Preupload = client.json(ask, SMALL_JSON, &subject)?;
        let modes: BTreeMap<String, String> = answer
            .files
            .into_iter()
            .map(|known| (known.path, known.mode))
            .collect();
        for &file in group {
            let Some(mode) = modes.get(&file.file.path) else {
                return Err(HubError::Answer {
                    url,
                    problem: format!("no `uploadMode` for `{}`", file.file.path),
                });
            };
            // the stores behind LFS take no empty files
            if mode == "lfs" && file.file.size > 0 {
                large.push(file);
            } else {
                small.push(file);
            }
        }
    }
    Ok((large, small))
}

type Group<'a> = Vec<(&'a Hashed<'a>, bool)>;

/// Commits that are not too large: large files first, the small ones last.
fn groups<'a>(large: &[&'a Hashed<'a>], small: &[&'a Hashed<'a>]) -> Vec<Group<'a>> {
    let all = large
        .iter()
        .map(|file| (*file, true))
        .chain(small.iter().map(|file| (*file, false)));
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut bytes = 0;
    for (file, is_large) in all {
        let carried = if is_large { 0 } else { file.file.size };
        let fits = |group: &Group<'a>| {
            group.len() < FILES_IN_A_COMMIT && (bytes + carried <= BYTES_IN_A_COMMIT || bytes == 0)
        };
        match groups.last_mut() {
            Some(group) if fits(group) => {
                group.push((file, is_large));
                bytes += carried;
            }
            _ => {
                groups.push(vec![(file, is_large)]);
                bytes = carried;
            }
        }
    }
    groups
}

/// One commit; gives its name, and the pull request's page where one was opened.
fn commit(
    client: &Client,
    name: &ModelName,
    branch: &str,
    parent: &str,
    message: &str,
    files: &[(&Hashed<'_>, bool)],
    pull_request: bool,
) -> Result<(String, Option<String>), HubError> {
    let mut url = name.api(client.endpoint(), "commit", branch);
    if pull_request {
        url.push_str("?create_pr=1");
    }
    let mut body = Vec::new();
    let header = json!({"summary": message, "description": "", "parentCommit": parent});
    let mut line = |key: &str, value: Value| {
        body.extend_from_slice(json!({"key": key, "value": value}).to_string().as_bytes());
        body.push(b'\n');
    };
    line("header", header);
    for (file, is_large) in files {
        let path = &file.file.path;
        if *is_large {
            let size = file.file.size;
            line(
                "lfsFile",
                json!({"path": path, "algo": "sha256", "oid": file.sha256, "size": size}),
            );
        } else {
            let mut bytes = Vec::new();
            copy_through(&file.file.content, &mut bytes)?;
            line(
                "file",
                json!({"path": path, "content": STANDARD.encode(bytes), "encoding": "base64"}),
            );
        }
    }
    let action = format!("commit to `{}`", name.repository);
    let subject = Subject {
        model: &name.repository,
        revision: branch,
        action: &action,
        ..Subject::default()
    };
    let ask = Ask::post(&url, &body, "application/x-ndjson");
    let answer = match client.json::<Committed>(ask, SMALL_JSON, &subject) {
        Ok(answer) => answer,
        // another attempt of this same commit may have arrived, its answer not
        Err(HubError::Status {
            status: 412,
            message,
            ..
        }) => {
            let head = Listing::fetch(client, &ModelName::new(&name.repository, Some(branch))?)?;
            return if files.iter().all(|(file, _)| is_same(&head, file)) {
                Ok((head.commit, None))
            } else {
                Err(HubError::Status {
                    url,
                    status: 412,
                    message,
                })
            };
        }
        Err(error) => return Err(error),
    };
    Ok((answer.oid.unwrap_or_default(), answer.pull_request))
}
