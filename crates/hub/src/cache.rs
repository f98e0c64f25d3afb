//! The Hugging Face cache as huggingface_hub lays it out, so that every tool finds what one has downloaded.
//!
//! `models--org--name/blobs/<hash>` are the files, `snapshots/<commit>/` links to them, `refs/<branch>` commits, and
//! `.locks/` beside the models says who is downloading.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fs_err::File;

use crate::listing::{HubFile, Listing};
use crate::own_files::{self, create_new, is_trusted, open_lock, short_text};
use crate::{HubError, Progress};

/// How often somebody else's lock is tried.
const LOCK_TURN: Duration = Duration::from_millis(100);
/// The longest file under `refs/`.
const LONGEST_REF: u64 = 200;

/// One model's folder.
#[derive(Debug)]
pub(crate) struct RepoCache {
    /// The cache's folder.
    root: PathBuf,
    /// The model's in it.
    name: String,
    /// Whether snapshots are links to blobs.
    links: bool,
}

/// A blob that nobody else downloads while this is held.
#[derive(Debug)]
pub(crate) struct BlobLock(#[expect(dead_code, reason = "held, not used")] File);

impl RepoCache {
    pub(crate) fn new(cache: &Path, repository: &str, links: bool) -> Self {
        Self {
            root: cache.to_owned(),
            name: format!("models--{}", repository.replace('/', "--")),
            links,
        }
    }

    /// The cache's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self) -> PathBuf {
        self.root.join(&self.name)
    }

    /// Makes a folder of the model.
    fn make(&self, below: &Path) -> Result<PathBuf, HubError> {
        own_files::folder(&self.root, &Path::new(&self.name).join(below))
    }

    /// Makes the folder of a commit's files.
    pub(crate) fn make_snapshot(&self, commit: &str) -> Result<PathBuf, HubError> {
        self.make(&Path::new("snapshots").join(commit))
    }

    /// A file's bytes.
    pub(crate) fn blob(&self, file: &HubFile) -> PathBuf {
        self.folder().join("blobs").join(file.hash.text())
    }

    /// A file's first bytes, while the rest is on its way.
    pub(crate) fn incomplete(&self, file: &HubFile) -> PathBuf {
        let name = format!("{}.incomplete", file.hash.text());
        self.folder().join("blobs").join(name)
    }

    /// Whether a file is there with its size. It may be a link to a store that all models of the cache share.
    pub(crate) fn has(&self, file: &HubFile) -> bool {
        let blob = self.blob(file);
        fs_err::metadata(&blob).is_ok_and(|found| found.is_file() && found.len() == file.size)
            && is_trusted(&blob)
    }

    /// Waits until nobody else downloads a file, another program that follows huggingface_hub's convention included.
    pub(crate) fn lock(
        &self,
        file: &HubFile,
        progress: &dyn Progress,
    ) -> Result<BlobLock, HubError> {
        let locks = own_files::folder(&self.root, &Path::new(".locks").join(&self.name))?;
        let lock = open_lock(&locks.join(format!("{}.lock", file.hash.text())))?;
        let mut said = false;
        while lock.file().try_lock().is_err() {
            if progress.is_stopped() {
                return Err(HubError::Stopped);
            }
            if !said {
                let name = &file.path;
                progress.note(&format!("waiting for another program to download `{name}`"));
                said = true;
            }
            std::thread::sleep(LOCK_TURN);
        }
        Ok(BlobLock(lock))
    }

    /// Makes the folder for blobs.
    pub(crate) fn prepare(&self) -> Result<PathBuf, HubError> {
        self.make(Path::new("blobs"))
    }

    /// Shows a file in its commit's folder.
    pub(crate) fn link(&self, commit: &str, file: &HubFile) -> Result<(), HubError> {
        let below = Path::new("snapshots").join(commit).join(&file.path);
        let link = self.folder().join(&below);
        let blob = self.blob(file);
        if fs_err::canonicalize(&link).ok() == fs_err::canonicalize(&blob).ok() && link.exists() {
            return Ok(());
        }
        if !self.links
            && fs_err::symlink_metadata(&link)
                .is_ok_and(|copy| copy.is_file() && copy.len() == file.size)
        {
            return Ok(());
        }
        self.make(below.parent().unwrap_or(Path::new("snapshots")))?;
        // a link appears in one step: a name that is new needs no other one first, which a killed process would leave
        let is_new = fs_err::symlink_metadata(&link).is_err();
        if is_new && self.links && link_to_blob(&link, file).is_ok() {
            return Ok(());
        }
        // made beside it and moved, so that no reader finds nothing
        let new = beside(&link);
        let _ = fs_err::remove_file(&new); // of a process that had the same number
        self.point(&new, file, &blob)?;
        fs_err::rename(&new, &link).inspect_err(|_| {
            let _ = fs_err::remove_file(&new);
        })?;
        Ok(())
    }

    /// Makes a relative link, so that the cache can be moved. Where there are to be none, or the disk has none, the file is copied.
    fn point(&self, link: &Path, file: &HubFile, blob: &Path) -> Result<(), HubError> {
        if self.links && link_to_blob(link, file).is_ok() {
            return Ok(());
        }
        let mut copy = create_new(link)?;
        io::copy(&mut File::open(blob)?, &mut copy)?;
        Ok(())
    }

    /// Notes which commit a branch or tag stands for.
    pub(crate) fn set_ref(&self, listing: &Listing) -> Result<(), HubError> {
        let revision = &listing.name.revision;
        if *revision == listing.commit {
            return Ok(());
        }
        let below = Path::new("refs").join(revision);
        let path = self.folder().join(&below);
        if short_text(&path, LONGEST_REF).is_some_and(|known| known == listing.commit) {
            return Ok(());
        }
        self.make(below.parent().unwrap_or(Path::new("refs")))?;
        let new = beside(&path);
        create_new(&new)?.write_all(listing.commit.as_bytes())?;
        fs_err::rename(&new, &path)?;
        Ok(())
    }
}

/// Makes a relative link to a file's blob, so that the cache can be moved.
fn link_to_blob(link: &Path, file: &HubFile) -> io::Result<()> {
    let depth = 2 + file.path.matches('/').count();
    let target = "../".repeat(depth) + "blobs/" + file.hash.text();
    symlink(Path::new(&target), link)
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    fs_err::os::unix::fs::symlink(target, link)
}

/// Elsewhere links need rights that few have.
#[cfg(not(unix))]
fn symlink(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A name beside a path that no other download uses, in this process or another.
fn beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{number}.new", std::process::id()))
}
