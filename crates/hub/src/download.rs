//! Files into the cache: what is there stays, what was begun is continued, what is wrong is not kept.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use fs_err::File;

use crate::cache::{BlobLock, RepoCache};
use crate::client::Client;
use crate::hash::Hasher;
use crate::listing::{HubFile, Listing};
use crate::location::Location;
use crate::pieces::{Piece, cut, in_order};
use crate::{HubError, Progress};

/// A file that is to come.
struct Wanted<'a> {
    cache: &'a RepoCache,
    file: &'a HubFile,
    location: Location,
    /// Bytes that an earlier download left.
    begun: u64,
    _lock: BlobLock,
}

/// A file of a model, and the model's place in the cache.
pub(crate) type Needed<'a> = (&'a RepoCache, &'a Listing, &'a HubFile);

/// Downloads what is not there yet.
pub(crate) fn download(
    client: &Client,
    needed: &[Needed<'_>],
    connections: usize,
    piece: u64,
    progress: &dyn Progress,
) -> Result<(), HubError> {
    let wanted = wanted(client, needed, progress)?;
    if wanted.is_empty() {
        return Ok(());
    }
    require_space(&wanted)?;
    let sizes: Vec<(String, u64)> = wanted
        .iter()
        .map(|one| {
            (
                format!("{} {}", one.location.model(), one.file.path),
                one.file.size,
            )
        })
        .collect();
    progress.begin(&sizes);
    for (index, one) in wanted.iter().enumerate() {
        progress.already(index, one.begun);
    }
    let pieces: Vec<Piece> = wanted
        .iter()
        .enumerate()
        .flat_map(|(index, one)| cut(index, one.begun, one.file.size, piece))
        .collect();
    let fetch = |piece: &Piece, memory| {
        if progress.is_stopped() {
            return Err(HubError::Stopped);
        }
        let arrived = |bytes| progress.advance(piece.file, bytes);
        wanted[piece.file]
            .location
            .read(client, piece.range.clone(), memory, &arrived)
    };
    let mut blob: Option<Blob> = None;
    let result = in_order(&pieces, connections, &fetch, &mut |piece, bytes| {
        let one = &wanted[piece.file];
        let mut current = match blob.take() {
            Some(current) => current,
            None => Blob::open(one)?,
        };
        current.append(bytes)?;
        if piece.range.end == one.file.size {
            current.finish(one)
        } else {
            blob = Some(current);
            Ok(())
        }
    });
    progress.end();
    result
}

/// What has to come, each with its lock. Locks are taken in one order everywhere, so that two programs that want the same files
/// never wait for each other.
fn wanted<'a>(
    client: &Client,
    needed: &[Needed<'a>],
    progress: &dyn Progress,
) -> Result<Vec<Wanted<'a>>, HubError> {
    let mut missing: Vec<(usize, &Needed<'_>)> = Vec::new();
    for (order, one) in needed.iter().enumerate() {
        let (cache, _, file) = one;
        let is_new = |(_, other): &(usize, &Needed<'_>)| other.0.blob(other.2) != cache.blob(file);
        if !cache.has(file) && missing.iter().all(is_new) {
            cache.prepare()?;
            missing.push((order, one));
        }
    }
    missing.sort_by_key(|(_, (cache, _, file))| cache.blob(file));
    let mut wanted = Vec::new();
    for (order, &(cache, listing, file)) in missing {
        let lock = cache.lock(file, progress)?;
        // another program may have been faster
        if cache.has(file) {
            continue;
        }
        let begun = fs_err::metadata(cache.incomplete(file)).map_or(0, |found| found.len());
        let begun = if begun > file.size { 0 } else { begun };
        let location = Location::new(client, listing, file);
        let one = Wanted {
            cache,
            file,
            location,
            begun,
            _lock: lock,
        };
        wanted.push((order, one));
    }
    wanted.sort_by_key(|(order, _)| *order);
    Ok(wanted.into_iter().map(|(_, one)| one).collect())
}

/// A file as far as it has come.
struct Blob {
    path: PathBuf,
    file: File,
    hasher: Hasher,
}

impl Blob {
    /// Opens the beginning that is there and hashes it.
    fn open(one: &Wanted<'_>) -> Result<Self, HubError> {
        let path = one.cache.incomplete(one.file);
        let mut hasher = one.file.hash.hasher(one.file.size);
        let mut file = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(one.begun == 0)
            .open(&path)?;
        let mut left = one.begun;
        let mut buffer = vec![0; 1 << 20];
        while left > 0 {
            let part = &mut buffer[..left.min(1 << 20) as usize];
            file.read_exact(part)?;
            hasher.update(part);
            left -= part.len() as u64;
        }
        Ok(Self { path, file, hasher })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Checks the hash; only then the file gets its name.
    fn finish(self, one: &Wanted<'_>) -> Result<(), HubError> {
        let found = self.hasher.finish();
        drop(self.file);
        if found != one.file.hash.text() {
            fs_err::remove_file(&self.path)?;
            return Err(HubError::WrongHash {
                model: one.location.model().to_owned(),
                file: one.file.path.clone(),
                found,
                expected: one.file.hash.text().to_owned(),
            });
        }
        fs_err::rename(&self.path, one.cache.blob(one.file))?;
        Ok(())
    }
}

fn require_space(wanted: &[Wanted<'_>]) -> Result<(), HubError> {
    let Some(first) = wanted.first() else {
        return Ok(());
    };
    let needed = wanted.iter().map(|one| one.file.size - one.begun).sum();
    let folder = first.cache.prepare()?;
    match free_space(&folder)? {
        Some(free) if free < needed => Err(HubError::NoSpace {
            folder,
            needed,
            free,
        }),
        _ => Ok(()),
    }
}

/// Free bytes of the disk that a folder is on, where it can be asked.
#[cfg(unix)]
fn free_space(folder: &Path) -> io::Result<Option<u64>> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
}

#[cfg(not(unix))]
fn free_space(_folder: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}
