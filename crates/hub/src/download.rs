//! Files into the cache: what is there stays, what was begun is continued, what is wrong is not kept.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use fs_err::File;

use crate::cache::{BlobLock, RepoCache};
use crate::client::Client;
use crate::hash::Hasher;
use crate::listing::{HubFile, Listing};
use crate::location::Location;
use crate::own_files::{create_new, open_own};
use crate::pieces::{Piece, Pieces, in_order};
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
    let missing = missing(needed);
    require_space(&missing)?;
    let wanted = wanted(client, missing, progress)?;
    if wanted.is_empty() {
        return Ok(());
    }
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
    let left = wanted.iter().map(|one| one.begun..one.file.size);
    let pieces = Pieces::new(left, piece);
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

/// What is not there, once each, in the order in which it is needed.
fn missing<'a>(needed: &[Needed<'a>]) -> Vec<Needed<'a>> {
    let mut seen = BTreeSet::new();
    let files = needed.iter().copied();
    files
        .filter(|(cache, _, file)| !cache.has(file) && seen.insert(cache.blob(file)))
        .collect()
}

/// What has to come, each with its lock. Locks are taken in one order everywhere, so that two programs that want the same files
/// never wait for each other.
fn wanted<'a>(
    client: &Client,
    missing: Vec<Needed<'a>>,
    progress: &dyn Progress,
) -> Result<Vec<Wanted<'a>>, HubError> {
    let mut missing: Vec<(usize, Needed<'_>)> = missing.into_iter().enumerate().collect();
    missing.sort_by_cached_key(|(_, (cache, _, file))| cache.blob(file));
    let mut wanted = Vec::new();
    for (order, (cache, listing, file)) in missing {
        cache.prepare()?;
        let lock = cache.lock(file, progress)?;
        // another program may have been faster
        if cache.has(file) {
            continue;
        }
        let begun = match open_own(&cache.incomplete(file))? {
            Some(begun) => begun.metadata()?.len(),
            None => 0,
        };
        let location = Location::new(client, listing, file);
        let one = Wanted {
            cache,
            file,
            location,
            begun: if begun > file.size { 0 } else { begun },
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
        let mut file = match open_own(&path)? {
            Some(file) => file,
            None => create_new(&path)?,
        };
        file.set_len(one.begun)?;
        file.rewind()?;
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

/// What does not fit is refused before anything is written.
fn require_space(missing: &[Needed<'_>]) -> Result<(), HubError> {
    let Some((first, ..)) = missing.first() else {
        return Ok(());
    };
    let begun = |(cache, _, file): &Needed<'_>| {
        fs_err::symlink_metadata(cache.incomplete(file)).map_or(0, |found| found.len())
    };
    let left = missing
        .iter()
        .map(|needed| u128::from(needed.2.size.saturating_sub(begun(needed))));
    let needed = u64::try_from(left.sum::<u128>()).unwrap_or(u64::MAX);
    let folder = existing(first.root());
    match free_space(&folder)? {
        Some(free) if free < needed => Err(HubError::NoSpace {
            folder: first.root().to_owned(),
            needed,
            free,
        }),
        _ => Ok(()),
    }
}

/// A folder, or the first above it that is there.
fn existing(folder: &Path) -> PathBuf {
    let mut above = folder.ancestors().filter(|path| path.is_dir());
    above.next().unwrap_or(Path::new(".")).to_owned()
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
