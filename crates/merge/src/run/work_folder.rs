//! The folder in which a result grows, and how it takes its place.
//!
//! A result appears at its final path complete or not at all. It grows in a hidden folder beside that path (inside it where it is a
//! mount point, since no rename crosses devices), under a lock, and is renamed into place at the end.

use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::File;

use super::error::RunError;

/// Name of the lock inside a working folder.
const LOCK: &str = ".lock";
/// Name of the journal inside a working folder.
const JOURNAL: &str = ".journal";
/// Name of the working folder inside an output that is a mount point.
const INSIDE: &str = ".weightsmith-partial";

/// A locked working folder.
#[derive(Debug)]
pub(super) struct WorkFolder {
    target: PathBuf,
    path: PathBuf,
    inside: bool,
    /// Held for as long as the folder is used; the system lets go of it when the process dies.
    lock: File,
}

impl WorkFolder {
    /// Takes the working folder of an output path, creating it where there is none.
    pub(super) fn open(target: &Path, force: bool) -> Result<Self, RunError> {
        let target = std::path::absolute(target)?;
        let inside = is_mount_point(&target);
        recover(&target, &aside(&working_path(&target, inside)))?;
        refuse_existing(&target, force)?;
        let path = working_path(&target, inside);
        fs::create_dir_all(&path)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))?;
        match lock.file().try_lock() {
            Ok(()) => Ok(Self {
                target,
                path,
                inside,
                lock,
            }),
            Err(std::fs::TryLockError::WouldBlock) => Err(RunError::Busy { path: target }),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
        }
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

    /// Removes all that an earlier run left, but the lock.
    pub(super) fn clear(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name() == LOCK {
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

    /// Gives the folder up: nothing of it stays.
    pub(super) fn remove(self) -> std::io::Result<()> {
        fs::remove_dir_all(&self.path)
    }

    /// Puts the finished result in its place.
    pub(super) fn publish(self, sync: bool) -> Result<(), RunError> {
        let journal = self.journal();
        if journal.exists() {
            fs::remove_file(journal)?;
        }
        if sync {
            flush_tree(&self.path)?;
        }
        fs::remove_file(self.path.join(LOCK))?;
        if self.inside {
            move_files(&self.path, &self.target)?;
        } else {
            replace_folder(&self.path, &self.target)?;
        }
        if sync && let Some(parent) = self.target.parent() {
            File::open(parent)?.sync_all()?;
        }
        drop(self.lock);
        Ok(())
    }
}

fn refuse_existing(target: &Path, force: bool) -> Result<(), RunError> {
    let Ok(metadata) = fs::metadata(target) else {
        return Ok(());
    };
    let occupied = !metadata.is_dir() || contents(target)?.next().is_some();
    if occupied && (!force || !metadata.is_dir()) {
        return Err(RunError::OutputExists {
            path: target.to_owned(),
        });
    }
    Ok(())
}

/// What a folder holds, but a working folder and what every fresh file system holds.
fn contents(folder: &Path) -> std::io::Result<impl Iterator<Item = PathBuf>> {
    let entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    Ok(entries
        .into_iter()
        .filter(|entry| entry.file_name() != INSIDE && entry.file_name() != "lost+found")
        .map(|entry| entry.path()))
}

fn working_path(target: &Path, inside: bool) -> PathBuf {
    if inside {
        return target.join(INSIDE);
    }
    let name = target.file_name().map_or_else(
        || "output".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    target.with_file_name(format!(".{name}.weightsmith-partial"))
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

/// Puts `from` where `to` is, keeping one of both whole at every moment.
fn replace_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    if !to.exists() {
        return fs::rename(from, to);
    }
    if contents(to)?.next().is_none() {
        fs::remove_dir(to)?;
        return fs::rename(from, to);
    }
    if exchange(from, to).is_ok() {
        return fs::remove_dir_all(from);
    }
    let aside = aside(from);
    fs::rename(to, &aside)?;
    if let Err(error) = fs::rename(from, to) {
        fs::rename(&aside, to)?;
        return Err(error);
    }
    fs::remove_dir_all(aside)
}

/// Where the old content waits while the new one takes its place.
fn aside(working: &Path) -> PathBuf {
    working.with_extension("weightsmith-replaced")
}

/// Puts the old content back if a process was killed between the two steps of [`replace_folder`].
fn recover(target: &Path, aside: &Path) -> std::io::Result<()> {
    if aside.exists() && !target.exists() {
        fs::rename(aside, target)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn exchange(a: &Path, b: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Moves what is in `from` into `to`, `config.json` last: without it no loader takes the folder for a model.
fn move_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for old in contents(to)? {
        if old.is_dir() {
            fs::remove_dir_all(old)?;
        } else {
            fs::remove_file(old)?;
        }
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(from)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    entries.sort_by_key(|path| (path.ends_with("config.json"), path.clone()));
    for entry in entries {
        if let Some(name) = entry.file_name() {
            fs::rename(&entry, to.join(name))?;
        }
    }
    fs::remove_dir(from)
}

fn flush_tree(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            flush_tree(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
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
        assert!(target.join("new").exists() && !target.join("old").exists());
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
            Err(RunError::OutputExists { .. })
        ));
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
