//! The headers of weights that stay where they are.

use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::blocks::{BlockCache, Streamed};
use super::contents::RemoteFile;
use super::file_head::explain;
use super::header::Header;
use crate::Error;

/// What is read of a file at first: most headers fit.
const FIRST: u64 = 16 << 10;
/// Bytes of all headers of a checkpoint: ten times those of the largest models.
const MOST_HEADERS: u64 = 256 << 20;

/// A file that lies elsewhere, read over a network.
pub trait RemoteRead: Debug + Send + Sync + 'static {
    /// What can go wrong.
    type Error: std::error::Error + From<Error> + Send + Sync + 'static;

    /// Its path relative to the checkpoint's folder.
    fn name(&self) -> &str;

    /// Its size in bytes.
    fn size(&self) -> u64;

    /// The bytes of a range, all of them.
    ///
    /// # Errors
    /// When they cannot be had.
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Self::Error>;
}

impl RemoteFile {
    /// Reads the headers of files by several connections at once. Their tensors are read in blocks of 4 MiB, a few ahead of where
    /// the last one was asked for, of which `blocks` keeps those that were used last. `folder` names the files in errors.
    ///
    /// # Errors
    /// The first that goes wrong.
    pub fn open_all<R: RemoteRead>(
        folder: &Path,
        files: Vec<R>,
        connections: usize,
        blocks: &Arc<BlockCache>,
    ) -> Result<Vec<Self>, R::Error> {
        let count = files.len();
        let left = Mutex::new(files.into_iter().enumerate());
        let failed = AtomicUsize::new(0);
        let headers = AtomicU64::new(0);
        let found = Mutex::new(Vec::<(usize, Result<Self, R::Error>)>::new());
        std::thread::scope(|scope| {
            for _ in 0..connections.clamp(1, count.max(1)) {
                scope.spawn(|| {
                    while failed.load(Ordering::Relaxed) == 0 {
                        let next = lock(&left).next();
                        let Some((index, file)) = next else { return };
                        let opened = open(folder, file, blocks, &headers);
                        if opened.is_err() {
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                        lock(&found).push((index, opened));
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(index, _)| *index);
        found.into_iter().map(|(_, opened)| opened).collect()
    }
}

fn open<R: RemoteRead>(
    folder: &Path,
    file: R,
    blocks: &Arc<BlockCache>,
    headers: &AtomicU64,
) -> Result<RemoteFile, R::Error> {
    let (name, size) = (file.name().to_owned(), file.size());
    let mut head = read_exactly(&file, 0..size.min(FIRST))?;
    let length = Header::json_length(&head, size)
        .map_err(|problem| explain(&folder.join(&name), &head, size, problem))?
        + 8;
    let all = headers
        .fetch_add(length, Ordering::Relaxed)
        .saturating_add(length);
    if all > MOST_HEADERS {
        return Err(R::Error::from(Error::HeadersTooLarge {
            path: folder.to_owned(),
            found: all,
            limit: MOST_HEADERS,
        }));
    }
    if length > head.len() as u64 {
        head.extend(read_exactly(&file, head.len() as u64..length)?);
    }
    head.truncate(length as usize);
    Ok(RemoteFile {
        name,
        size,
        head,
        source: Arc::new(Streamed::new(file, Arc::clone(blocks))),
    })
}

/// The bytes of a range, whose number is checked: what reads them afterwards relies on it.
pub(super) fn read_exactly<R: RemoteRead>(
    file: &R,
    range: Range<u64>,
) -> Result<Vec<u8>, R::Error> {
    let expected = range.end - range.start;
    let bytes = file.read(range)?;
    let found = bytes.len() as u64;
    if found == expected {
        return Ok(bytes);
    }
    let name = file.name();
    let problem = format!("{found} bytes of `{name}` came, {expected} were asked for");
    Err(Error::Io(std::io::Error::other(problem)).into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
