//! The folder in which a result grows, and how it takes its place.
//!
//! A result appears at its final path complete or not at all. It grows in a hidden folder beside that path (inside it where it is a
//! mount point, since no rename crosses devices), under a lock, and is renamed into place at the end.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::File;

use super::error::RunError;
use super::publishing::{
    aside, contents, flush_tree, move_files, recover, recover_inside, replace_folder,
};

/// Name of the lock inside a working folder.
const LOCK: &str = ".lock";
/// Name of the journal inside a working folder.
const JOURNAL: &str = ".journal";
/// Name of the working folder inside an output that is a mount point.
pub(super) const INSIDE: &str = ".weightsmith-partial";

/// Longer names of outputs are hashed for the working folder, whose own name must not be longer than 255 bytes.
const LONGEST_NAME: usize = 200;

/// How often a lock is tried whose folder its owner has just taken away.
const TRIES: usize = 100;

/// A locked working folder.
#[derive(Debug)]
pub(super) struct WorkFolder {
    target: PathBuf,
    path: PathBuf,
    inside: bool,
    force: bool,
    /// Held for as long as the folder is used; the system lets go of it when the process dies.
    _lock: File,
}

impl WorkFolder {
    /// Takes the working folder of an output path, creating it where there is none.
    ///
    /// The path must be absolute and without links.
    pub(super) fn open(target: &Path, force: bool) -> Result<Self, RunError> {
        refuse_existing(target, force)?;
        let inside = is_mount_point(target);
        let path = working_path(target, inside);
        let folder = Self {
            _lock: take_lock(&path, target)?,
            target: target.to_owned(),
            path,
            inside,
            force,
        };
        if inside {
            recover_inside(&folder.path, target, &[LOCK, JOURNAL])?;
        } else {
            recover(target, &aside(&folder.path))?;
        }
        // what was recovered may be in the way
        if let Err(error) = refuse_existing(target, force) {
            if !folder.journal().exists() {
                folder.remove()?;
            }
            return Err(error);
        }
        Ok(folder)
    }

    /// Whether an earlier run left something for an output path, or another is at it.
    pub(super) fn exists(target: &Path) -> bool {
        working_path(target, is_mount_point(target))
            .symlink_metadata()
            .is_ok()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name that the result will have.
    pub(super) fn name(&self) -> String {
        self.target.file_name().map_or_else(
            || "merged".into(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// Removes all that an earlier run left, but the lock and what is to be kept.
    pub(super) fn clear(&self, keep: impl Fn(&OsStr) -> bool) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name() == LOCK || keep(&entry.file_name()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes all that an earlier run left but its journal and files of the given names.
    pub(super) fn clear_but(&self, names: &[&str]) -> std::io::Result<()> {
        self.clear(|name| name == JOURNAL || names.iter().any(|kept| name == *kept))
    }

    /// Gives the folder up: nothing of it stays.
    pub(super) fn remove(&self) -> std::io::Result<()> {
        fs::remove_dir_all(&self.path)
    }

    /// Puts the finished result in its place. After an error the folder is as complete as before and can be used again.
    ///
    /// What it replaced may resist its removal, with the error that is returned beside the result in its place.
    pub(super) fn publish(&self, sync: bool) -> Result<Option<std::io::Error>, RunError> {
        if sync {
            flush_tree(&self.path)?;
        }
        // somebody may have written there during the run
        refuse_existing(&self.target, self.force)?;
        let left = if self.inside {
            move_files(&self.path, &self.target, &[LOCK, JOURNAL])?
        } else {
            // still locked: another run must not take the folder for abandoned
            let left = replace_folder(&self.path, &self.target)?;
            for name in [JOURNAL, LOCK] {
                let file = self.target.join(name);
                if file.exists() {
                    fs::remove_file(file)?;
                }
            }
            left
        };
        if sync {
            File::open(&self.target)?.sync_all()?;
            if let Some(parent) = self.target.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(left)
    }
}

/// Locks a working folder, which is created if need be.
fn take_lock(path: &Path, target: &Path) -> Result<File, RunError> {
    let name = path.join(LOCK);
    for _ in 0..TRIES {
        fs::create_dir_all(path)?;
        let mut options = File::options();
        let lock = match options.create(true).truncate(false).write(true).open(&name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            result => result?,
        };
        match lock.file().try_lock() {
            Ok(()) if is_still(&lock, &name) => return Ok(lock),
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => break,
            Err(std::fs::TryLockError::Error(error)) => {
                let message = format!("{}: cannot be locked: {error}", name.display());
                return Err(std::io::Error::new(error.kind(), message).into());
            }
        }
    }
    Err(RunError::Busy {
        path: target.to_owned(),
    })
}

/// Whether an open file is still the one of that name: its owner may have removed or published the folder since.
#[cfg(unix)]
fn is_still(file: &File, name: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(opened), Ok(named)) = (file.metadata(), fs::metadata(name)) else {
        return false;
    };
    (opened.dev(), opened.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_still(_: &File, name: &Path) -> bool {
    name.exists()
}

fn refuse_existing(target: &Path, force: bool) -> Result<(), RunError> {
    match fs::metadata(target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(metadata) if !metadata.is_dir() => Err(RunError::NotAFolder {
            path: target.to_owned(),
        }),
        Ok(_) if !force && !contents(target)?.is_empty() => Err(RunError::OutputExists {
            path: target.to_owned(),
        }),
        Ok(_) => Ok(()),
    }
}

fn working_path(target: &Path, inside: bool) -> PathBuf {
    if inside {
        return target.join(INSIDE);
    }
    let name = target.file_name().unwrap_or(OsStr::new("output"));
    let mut working = OsString::from(".");
    if name.len() > LONGEST_NAME {
        working.push(blake3::hash(name.as_encoded_bytes()).to_string());
    } else {
        working.push(name);
    }
    working.push(".weightsmith-partial");
    target.with_file_name(working)
}

#[cfg(unix)]
fn is_mount_point(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(own), Some(Ok(parent))) = (fs::metadata(path), path.parent().map(fs::metadata)) else {
        return false;
    };
    own.dev() != parent.dev()
}

#[cfg(not(unix))]
fn is_mount_point(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_content_is_replaced_only_by_force() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "old").unwrap();
        assert!(matches!(
            WorkFolder::open(&target, false),
            Err(RunError::OutputExists { .. })
        ));

        let work = WorkFolder::open(&target, true).unwrap();
        fs::write(work.path().join("new"), "new").unwrap();
        assert!(target.join("old").exists());
        assert!(work.publish(true).unwrap().is_none());
        assert!(target.join("new").exists() && !target.join("old").exists());
        assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_folder_is_an_output_and_a_file_is_none() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        fs::create_dir(&target).unwrap();
        let work = WorkFolder::open(&target, false).unwrap();
        fs::write(work.path().join("new"), "new").unwrap();
        work.publish(false).unwrap();
        assert!(target.join("new").exists());
        assert!(matches!(
            WorkFolder::open(&target.join("new"), true),
            Err(RunError::NotAFolder { .. })
        ));
    }

    #[test]
    fn content_that_appears_during_the_run_is_not_replaced_and_the_work_not_lost() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let work = WorkFolder::open(&target, false).unwrap();
        fs::write(work.path().join("new"), "new").unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("other"), "other").unwrap();
        assert!(matches!(
            work.publish(false),
            Err(RunError::OutputExists { .. })
        ));
        assert!(target.join("other").exists() && work.path().join("new").exists());
    }

    #[test]
    fn a_lock_whose_folder_was_published_meanwhile_is_not_taken() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let work = WorkFolder::open(&target, false).unwrap();
        let name = work.path().join(LOCK);
        let late = File::open(&name).unwrap();
        assert!(is_still(&late, &name));
        work.publish(false).unwrap();
        drop(work);
        assert!(late.file().try_lock().is_ok() && !is_still(&late, &name));
    }

    #[test]
    fn a_name_as_long_as_a_file_system_allows_can_be_published() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("m".repeat(255));
        let work = WorkFolder::open(&target, false).unwrap();
        work.publish(false).unwrap();
        assert!(target.is_dir());
    }

    #[test]
    fn two_runs_do_not_share_an_output() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        let first = WorkFolder::open(&target, false).unwrap();
        assert!(matches!(
            WorkFolder::open(&target, false),
            Err(RunError::Busy { .. })
        ));
        first.remove().unwrap();
        assert!(!target.exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
