//! The Hugging Face cache as huggingface_hub lays it out, so that every tool finds what one has downloaded.
//!
//! `models--org--name/blobs/<hash>` are the files, `snapshots/<commit>/` links to them, `refs/<branch>` commits, and
//! `.locks/` beside the models says who is downloading.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use fs_err::File;

use crate::listing::{HubFile, Listing};
use crate::{HubError, Progress};

/// One model's folder.
#[derive(Debug)]
pub(crate) struct RepoCache {
    folder: PathBuf,
    locks: PathBuf,
}

/// A blob that nobody else downloads while this is held.
#[derive(Debug)]
pub(crate) struct BlobLock(#[expect(dead_code, reason = "held, not used")] File);

impl RepoCache {
    pub(crate) fn new(cache: &Path, repository: &str) -> Self {
        let name = format!("models--{}", repository.replace('/', "--"));
        Self {
            folder: cache.join(&name),
            locks: cache.join(".locks").join(name),
        }
    }

    /// The folder of a commit's files.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// A file's bytes.
    pub(crate) fn blob(&self, file: &HubFile) -> PathBuf {
        self.folder.join("blobs").join(file.hash.text())
    }

    /// A file's first bytes, while the rest is on its way.
    pub(crate) fn incomplete(&self, file: &HubFile) -> PathBuf {
        let name = format!("{}.incomplete", file.hash.text());
        self.folder.join("blobs").join(name)
    }

    /// Whether a file is there with its size.
    pub(crate) fn has(&self, file: &HubFile) -> bool {
        fs_err::metadata(self.blob(file))
            .is_ok_and(|blob| blob.is_file() && blob.len() == file.size)
    }

    /// Waits until nobody else downloads a file, another program that follows huggingface_hub's convention included.
    pub(crate) fn lock(
        &self,
        file: &HubFile,
        progress: &dyn Progress,
    ) -> Result<BlobLock, HubError> {
        fs_err::create_dir_all(&self.locks)?;
        let path = self.locks.join(format!("{}.lock", file.hash.text()));
        let lock = fs_err::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if lock.file().try_lock().is_err() {
            progress.note(&format!(
                "waiting for another program that downloads `{}`",
                file.path
            ));
            lock.file().lock()?;
        }
        Ok(BlobLock(lock))
    }

    /// Makes the folder for blobs.
    pub(crate) fn prepare(&self) -> Result<PathBuf, HubError> {
        let blobs = self.folder.join("blobs");
        fs_err::create_dir_all(&blobs)?;
        Ok(blobs)
    }

    /// Shows a file in its commit's folder.
    pub(crate) fn link(&self, commit: &str, file: &HubFile) -> Result<(), HubError> {
        let link = self.snapshot(commit).join(&file.path);
        let blob = self.blob(file);
        if fs_err::canonicalize(&link).ok() == fs_err::canonicalize(&blob).ok() && link.exists() {
            return Ok(());
        }
        if let Some(parent) = link.parent() {
            fs_err::create_dir_all(parent)?;
        }
        // a link appears in one step: a name that is new needs no other one first, which a killed process would leave
        if cfg!(unix) && fs_err::symlink_metadata(&link).is_err() {
            return point(&link, file, &blob);
        }
        // made beside it and moved, so that no reader finds nothing
        let new = beside(&link);
        let _ = fs_err::remove_file(&new); // of a process that had the same number
        point(&new, file, &blob)?;
        fs_err::rename(&new, &link).inspect_err(|_| {
            let _ = fs_err::remove_file(&new);
        })?;
        Ok(())
    }

    /// Notes which commit a branch or tag stands for.
    pub(crate) fn set_ref(&self, listing: &Listing) -> Result<(), HubError> {
        let revision = &listing.name.revision;
        if *revision == listing.commit {
            return Ok(());
        }
        let path = self.folder.join("refs").join(revision);
        if fs_err::read_to_string(&path).is_ok_and(|known| known == listing.commit) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let new = beside(&path);
        fs_err::write(&new, &listing.commit)?;
        fs_err::rename(&new, &path)?;
        Ok(())
    }
}

/// Makes a relative link, so that the cache can be moved.
#[cfg(unix)]
fn point(link: &Path, file: &HubFile, _blob: &Path) -> Result<(), HubError> {
    let depth = 2 + file.path.matches('/').count();
    let target = "../".repeat(depth) + "blobs/" + file.hash.text();
    fs_err::os::unix::fs::symlink(target, link)?;
    Ok(())
}

/// Where links need rights that few have, the file is copied.
#[cfg(not(unix))]
fn point(link: &Path, _file: &HubFile, blob: &Path) -> Result<(), HubError> {
    fs_err::copy(blob, link)?;
    Ok(())
}

/// A name beside a path that no other download uses, in this process or another.
fn beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{number}.new", std::process::id()))
}
