//! The folder in which a result grows, and how it takes its place.
//!
//! A result appears at its final path complete or not at all. It grows in a hidden folder beside that path (inside it where it is a
//! mount point, since no rename crosses devices), under a lock, and is renamed into place at the end:
//!
//! - `.lock`, held by the run;
//! - `.journal`, what is written of `model/`; gone as soon as that is in its place;
//! - `model/`, the result, and nothing but it;
//! - what the result replaces, until it is removed.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::File;

use super::error::RunError;
use super::mount_point::is_mount_point;
use super::moving;
use super::publishing::{contents, flush_tree, is_there, recover, replace_folder};

/// Name of the lock inside a working folder.
const LOCK: &str = ".lock";
/// Name of the journal inside a working folder.
const JOURNAL: &str = ".journal";
/// Name of the result inside a working folder.
const MODEL: &str = "model";
/// Name of what is replaced inside a working folder, where folders cannot be exchanged in one step.
const ASIDE: &str = "aside";

/// Longer names of outputs are hashed for the working folder, whose own name must not be longer than 255 bytes.
const LONGEST_NAME: usize = 200;

/// How often a lock is tried whose folder its owner has just taken away.
const TRIES: usize = 100;

/// A locked working folder.
#[derive(Debug)]
pub(super) struct WorkFolder {
    target: PathBuf,
    /// The working folder itself.
    root: PathBuf,
    /// The result in it.
    model: PathBuf,
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
        let inside = is_mount_point(target)?;
        let root = working_path(target, inside);
        if !is_there(&root) {
            // nothing to recover: no need to write anything
            refuse_existing(target, force)?;
        }
        let lock = take_lock(&root, target).inspect_err(|_| {
            // removed where nothing is in it: a folder that was made for nothing
            let _ = fs::remove_dir(&root);
        })?;
        let folder = Self {
            target: target.to_owned(),
            model: root.join(MODEL),
            root,
            inside,
            force,
            _lock: lock,
        };
        folder.recover()?;
        // what was recovered may be in the way
        let ready =
            refuse_existing(target, force).and_then(|()| Ok(fs::create_dir_all(&folder.model)?));
        if let Err(error) = ready {
            if !is_there(&folder.journal()) {
                folder.remove()?;
            }
            return Err(error);
        }
        Ok(folder)
    }

    /// Puts an end to what a process began that was killed while the result took its place.
    fn recover(&self) -> std::io::Result<()> {
        if self.inside {
            if moving::recover(&self.root, &self.model, &self.target)? {
                remove(&self.journal())?;
            }
            return Ok(());
        }
        recover(&self.target, &self.root.join(ASIDE))
    }

    /// Whether an earlier run left something for an output path, or another is at it.
    pub(super) fn exists(target: &Path) -> std::io::Result<bool> {
        Ok(is_there(&working_path(target, is_mount_point(target)?)))
    }

    /// Where the result grows.
    pub(super) fn path(&self) -> &Path {
        &self.model
    }

    /// The name that the result will have.
    pub(super) fn name(&self) -> String {
        self.target.file_name().map_or_else(
            || "merged".into(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join(JOURNAL)
    }

    /// Removes all that an earlier run left, but the lock.
    pub(super) fn clear(&self) -> std::io::Result<()> {
        self.clear_but(&[])?;
        remove(&self.journal())
    }

    /// Removes all that an earlier run left, but the lock, its journal and weight files of the given names.
    pub(super) fn clear_but(&self, names: &[&str]) -> std::io::Result<()> {
        self.refuse_under_way()?;
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != LOCK && name != JOURNAL && name != MODEL {
                remove(&entry.path())?;
            }
        }
        if !fs::symlink_metadata(&self.model)?.is_dir() {
            remove(&self.model)?;
            fs::create_dir(&self.model)?;
        }
        for entry in fs::read_dir(&self.model)? {
            let entry = entry?;
            let is_kept = names.iter().any(|kept| entry.file_name() == *kept);
            // what is written through a link would be written to somebody's file
            if !is_kept || is_link(&entry.metadata()?) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Gives the folder up: nothing of it stays. The journal goes first, since nothing can be gone on with then, and the lock last.
    pub(super) fn remove(&self) -> std::io::Result<()> {
        self.refuse_under_way()?;
        let mut result = remove(&self.journal());
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_name() != LOCK {
                result = result.and(remove(&entry.path()));
            }
        }
        result?;
        remove(&self.root.join(LOCK))?;
        match fs::remove_dir(&self.root) {
            // another run has taken it already
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Nothing may be removed while somebody's files are on the move.
    fn refuse_under_way(&self) -> std::io::Result<()> {
        if self.inside && moving::is_under_way(&self.root) {
            let message = format!(
                "{}: files of {} are still in it",
                self.root.display(),
                self.target.display()
            );
            return Err(std::io::Error::other(message));
        }
        Ok(())
    }

    /// Puts the finished result in its place. After an error the folder is as complete as before and can be used again.
    pub(super) fn publish(&self, sync: bool) -> Result<(), RunError> {
        if sync {
            flush_tree(&self.model)?;
        }
        // somebody may have written there during the run
        let may_replace = || refuse_existing(&self.target, self.force);
        may_replace()?;
        if self.inside {
            moving::move_in(&self.root, &self.model, &self.target)?;
        } else {
            let aside = self.root.join(ASIDE);
            replace_folder(&self.model, &self.target, &aside, may_replace)?;
        }
        if sync {
            File::open(&self.target)?.sync_all()?;
            if let Some(parent) = self.target.parent() {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(())
    }
}

/// Removes a file, a link or a folder with all that is in it; that there is none is no error.
fn remove(path: &Path) -> std::io::Result<()> {
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let result = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Whether a file has other names, or is one for another file.
#[cfg(unix)]
fn is_link(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.is_symlink() || (metadata.is_file() && metadata.nlink() > 1)
}

#[cfg(not(unix))]
fn is_link(metadata: &std::fs::Metadata) -> bool {
    metadata.is_symlink()
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
        return target.join(weightsmith_tensors::WORKING_FOLDER);
    }
    let name = target.file_name().unwrap_or(OsStr::new("output"));
    let mut working = OsString::from(".");
    if name.len() > LONGEST_NAME {
        working.push(blake3::hash(name.as_encoded_bytes()).to_string());
    } else {
        working.push(name);
    }
    working.push(weightsmith_tensors::WORKING_FOLDER);
    target.with_file_name(working)
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
        work.publish(true).unwrap();
        work.remove().unwrap();
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
        let name = work.root.join(LOCK);
        let late = File::open(&name).unwrap();
        assert!(is_still(&late, &name));
        work.publish(false).unwrap();
        work.remove().unwrap();
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

    /// A result that was renamed into place by a process that was killed before it removed what it had worked with.
    fn killed_after_the_rename(root: &Path, old: &[&str]) -> PathBuf {
        let target = root.join("out");
        if !old.is_empty() {
            fs::create_dir(&target).unwrap();
        }
        for name in old {
            fs::write(target.join(name), "old").unwrap();
        }
        let work = WorkFolder::open(&target, true).unwrap();
        fs::write(work.journal(), "").unwrap();
        fs::write(work.path().join("new"), "new").unwrap();
        work.publish(false).unwrap();
        target
    }

    #[test]
    fn nothing_of_the_work_is_in_the_result_at_any_time() {
        for old in [&[][..], &["old"][..]] {
            let root = tempfile::tempdir().unwrap();
            let target = killed_after_the_rename(root.path(), old);
            assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
            assert!(super::super::discard(&target).unwrap());
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
            assert!(target.join("new").exists());
        }
    }

    #[test]
    fn a_run_that_replaces_takes_over_what_a_killed_one_had_replaced() {
        let root = tempfile::tempdir().unwrap();
        let target = killed_after_the_rename(root.path(), &["old"]);
        let work = WorkFolder::open(&target, true).unwrap();
        work.clear().unwrap();
        assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0);
        work.publish(false).unwrap();
        work.remove().unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_a_link_is_not_gone_on_with() {
        let root = tempfile::tempdir().unwrap();
        let work = WorkFolder::open(&root.path().join("out"), false).unwrap();
        let mine = root.path().join("mine");
        fs::write(&mine, "mine").unwrap();
        for name in ["own", "soft", "hard"] {
            fs::write(work.path().join(name), "").unwrap();
        }
        fs::remove_file(work.path().join("soft")).unwrap();
        std::os::unix::fs::symlink(&mine, work.path().join("soft")).unwrap();
        fs::remove_file(work.path().join("hard")).unwrap();
        fs::hard_link(&mine, work.path().join("hard")).unwrap();
        work.clear_but(&["own", "soft", "hard"]).unwrap();
        let kept: Vec<_> = fs::read_dir(work.path()).unwrap().collect();
        assert_eq!(kept.len(), 1);
        assert!(work.path().join("own").exists() && mine.exists());
    }
}
