//! Large files on their way up: LFS batches, whole or in parts.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};
use weightsmith_tensors::open_regular;

use crate::answer::{LARGE_JSON, Subject, header_text};
use crate::client::{Ask, Client, LFS_JSON, Open, Payload, without_query};
use crate::lfs_header::{LfsHeader, PartSize};
use crate::{HubError, Progress};

/// Objects in one question to the hub.
const BATCH: usize = 100;
/// Parts of one file; stores take 10,000.
pub(crate) const MOST_PARTS: u64 = 10_000;
/// Connections that upload at the same time.
const CONNECTIONS: usize = 4;

/// A file that goes up through LFS.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    /// Which of the files it is, for the progress.
    pub(crate) file: usize,
    pub(crate) sha256: &'a str,
    pub(crate) size: u64,
    pub(crate) content: &'a Content,
}

/// Bytes that are published.
#[derive(Debug, Clone)]
pub enum Content {
    /// A file as it is.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Vec<u8>),
}

impl Content {
    pub(crate) fn open(&self) -> io::Result<Box<dyn ReadSeek + '_>> {
        Ok(match self {
            Self::File(path) => Box::new(open_regular(path)?),
            Self::Bytes(bytes) => Box::new(io::Cursor::new(bytes)),
        })
    }
}

pub(crate) trait ReadSeek: Read + io::Seek {}

impl<T: Read + io::Seek> ReadSeek for T {}

/// A range of a content, counted while it is sent.
struct Part<'a> {
    content: &'a Content,
    start: u64,
    size: u64,
    sent: &'a (dyn Fn(u64) + Sync),
}

impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Part({}..+{})", self.start, self.size)
    }
}

impl Open for Part<'_> {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        let mut reader = self.content.open()?;
        reader.seek(SeekFrom::Start(self.start))?;
        let counted = Counted {
            inner: reader.take(self.size),
            told: self.sent,
        };
        Ok(Box::new(counted))
    }
}

/// A reader that tells what goes through it.
pub(crate) struct Counted<'a, R, F: ?Sized> {
    pub(crate) inner: R,
    pub(crate) told: &'a F,
}

impl<R: Read, F: Fn(u64) + ?Sized> Read for Counted<'_, R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.told)(count as u64);
        Ok(count)
    }
}

#[derive(Deserialize)]
struct Batch {
    transfer: Option<String>,
    objects: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    oid: String,
    actions: Option<Actions>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

#[derive(Deserialize)]
struct Actions {
    upload: Option<Action>,
    verify: Option<Action>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: LfsHeader,
}

/// Uploads what the hub does not have yet; what an earlier run has uploaded it has.
pub(crate) fn upload(
    client: &Client,
    repository: &str,
    revision: &str,
    objects: &[Object<'_>],
    progress: &dyn Progress,
) -> Result<(), HubError> {
    let mut work = Vec::new();
    for group in objects.chunks(BATCH) {
        let answers = batch(client, repository, revision, group)?;
        for object in group {
            let answer = answers.iter().find(|answer| answer.oid == object.sha256);
            match answer.and_then(|answer| answer.actions.as_ref()?.upload.as_ref().map(|_| answer))
            {
                Some(answer) => work.push((object, answer.actions.as_ref().map(copy))),
                None => progress.already(object.file, object.size),
            }
        }
    }
    in_parallel(work.len(), CONNECTIONS, &|index| {
        let (object, actions) = &work[index];
        match actions {
            Some((upload, verify)) => send(client, object, upload, verify.as_deref(), progress),
            None => Ok(()),
        }
    })
}

/// The address and header of an upload, and the address where it is confirmed.
type Copied = ((String, LfsHeader), Option<String>);

fn copy(actions: &Actions) -> Copied {
    let upload = actions.upload.as_ref();
    let upload = upload.map_or_else(Default::default, |upload| {
        (upload.href.clone(), upload.header.clone())
    });
    (
        upload,
        actions.verify.as_ref().map(|verify| verify.href.clone()),
    )
}

fn batch(
    client: &Client,
    repository: &str,
    revision: &str,
    objects: &[Object<'_>],
) -> Result<Vec<Answer>, HubError> {
    let url = format!(
        "{}/{repository}.git/info/lfs/objects/batch",
        client.endpoint()
    );
    let listed: Vec<Value> = objects
        .iter()
        .map(|object| json!({"oid": object.sha256, "size": object.size}))
        .collect();
    let body = json!({
        "operation": "upload", "transfers": ["basic", "multipart"], "objects": listed, "hash_algo": "sha256",
        "ref": {"name": revision},
    });
    let action = format!("upload to `{repository}`");
    let subject = Subject {
        model: repository,
        revision,
        action: &action,
        ..Subject::default()
    };
    let body = body.to_string();
    let ask = Ask::post(&url, body.as_bytes(), LFS_JSON);
    let answer: Batch = client.json(ask, LARGE_JSON, &subject)?;
    if let Some(transfer) = answer
        .transfer
        .filter(|name| name != "basic" && name != "multipart")
    {
        return Err(HubError::Transfer { transfer });
    }
    match answer
        .objects
        .iter()
        .find_map(|object| object.error.as_ref())
    {
        Some(refusal) => Err(HubError::Forbidden {
            action,
            message: refusal.message.clone(),
            token: client.token_use(),
        }),
        None => Ok(answer.objects),
    }
}

fn send(
    client: &Client,
    object: &Object<'_>,
    (href, header): &(String, LfsHeader),
    verify: Option<&str>,
    progress: &dyn Progress,
) -> Result<(), HubError> {
    if progress.is_stopped() {
        return Err(HubError::Stopped);
    }
    let sent = |bytes| progress.advance(object.file, bytes);
    match header.part_size() {
        None => {
            put(client, href, object.content, 0..object.size, &sent)?;
        }
        Some(PartSize::Bytes(size)) if object.size.div_ceil(size) <= MOST_PARTS => {
            in_parts(client, object, href, header, size, &sent, progress)?;
        }
        Some(size) => {
            let problem = match size {
                PartSize::Unreadable => "`chunk_size` is not a number of bytes".to_owned(),
                PartSize::Bytes(size) => format!(
                    "`chunk_size` is {size} for {} bytes, expected at most {MOST_PARTS} parts",
                    object.size
                ),
            };
            return Err(HubError::Answer {
                url: without_query(href).to_owned(),
                problem,
            });
        }
    }
    let Some(verify) = verify else { return Ok(()) };
    let body = json!({"oid": object.sha256, "size": object.size}).to_string();
    expect(
        client,
        Ask::post(verify, body.as_bytes(), "application/json"),
    )
    .map(|_| ())
}

fn in_parts(
    client: &Client,
    object: &Object<'_>,
    href: &str,
    header: &LfsHeader,
    size: u64,
    sent: &(dyn Fn(u64) + Sync),
    progress: &dyn Progress,
) -> Result<(), HubError> {
    let count = object.size.div_ceil(size) as usize;
    let tags: Mutex<BTreeMap<usize, String>> = Mutex::default();
    in_parallel(count, CONNECTIONS, &|index| {
        if progress.is_stopped() {
            return Err(HubError::Stopped);
        }
        let number = index + 1;
        let url = header.part(number).ok_or_else(|| HubError::Answer {
            url: without_query(href).to_owned(),
            problem: format!("no address for part {number} of {count}"),
        })?;
        let start = index as u64 * size;
        let tag = put(
            client,
            url,
            object.content,
            start..(start + size).min(object.size),
            sent,
        )?;
        tags.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, tag);
        Ok(())
    })?;
    let tags = tags.into_inner().unwrap_or_else(PoisonError::into_inner);
    let parts: Vec<Value> = tags
        .iter()
        .map(|(number, tag)| json!({"partNumber": number, "etag": tag}))
        .collect();
    let body = json!({"oid": object.sha256, "parts": parts}).to_string();
    expect(client, Ask::post(href, body.as_bytes(), LFS_JSON)).map(|_| ())
}

/// Sends a range; gives the ETag.
fn put(
    client: &Client,
    url: &str,
    content: &Content,
    range: std::ops::Range<u64>,
    sent: &(dyn Fn(u64) + Sync),
) -> Result<String, HubError> {
    let part = Part {
        content,
        start: range.start,
        size: range.end - range.start,
        sent,
    };
    expect(
        client,
        Ask {
            method: "PUT",
            url,
            range: None,
            payload: Payload::Stream(&part, part.size),
        },
    )
}

/// A request that must succeed; gives the ETag.
fn expect(client: &Client, ask: Ask<'_>) -> Result<String, HubError> {
    let answer = client.ask(ask)?;
    if answer.status().is_success() {
        return Ok(header_text(&answer, "etag").unwrap_or_default().to_owned());
    }
    let subject = Subject {
        action: "upload a file",
        ..Subject::default()
    };
    Err(client.refusal(answer, without_query(ask.url), &subject))
}

/// Does pieces of work with several threads; the first error ends it.
pub(crate) fn in_parallel(
    count: usize,
    threads: usize,
    work: &(dyn Fn(usize) -> Result<(), HubError> + Sync),
) -> Result<(), HubError> {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<HubError>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    if let Err(error) = work(index) {
                        next.store(count, Ordering::Relaxed);
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .get_or_insert(error);
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Copies a content through a hash, for its name in LFS and in git.
pub(crate) fn copy_through(content: &Content, mut to: impl Write) -> io::Result<u64> {
    io::copy(&mut content.open()?, &mut to)
}
