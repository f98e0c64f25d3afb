//! How a finished folder takes its place, and what a process that was killed meanwhile left.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::File;

use super::work_folder::INSIDE;

/// Inside a mount point: the old content, while it is moved out of the way.
const REPLACING: &str = ".weightsmith-replacing";
/// Inside a mount point: the old content, once all of it is out of the way.
const REPLACED: &str = ".weightsmith-replaced";

/// What a folder holds, but working folders and what every fresh file system holds.
pub(super) fn contents(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let ignored = [INSIDE, REPLACING, REPLACED, "lost+found"];
    entries(folder, &ignored)
}

/// What a folder holds, but files of some names, sorted.
fn entries(folder: &Path, ignored: &[&str]) -> std::io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !ignored.iter().any(|name| entry.file_name() == *name) {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

/// Puts `from` where `to` is, keeping one of both whole at every moment. Returns why the old content could not be removed.
pub(super) fn replace_folder(from: &Path, to: &Path) -> std::io::Result<Option<std::io::Error>> {
    // an empty folder is removed, one with content is not
    if !to.exists() || fs::remove_dir(to).is_ok() {
        return fs::rename(from, to).map(|()| None);
    }
    if exchange(from, to).is_ok() {
        return Ok(fs::remove_dir_all(from).err());
    }
    let aside = aside(from);
    fs::rename(to, &aside)?;
    if let Err(error) = fs::rename(from, to) {
        fs::rename(&aside, to)?;
        return Err(error);
    }
    Ok(fs::remove_dir_all(aside).err())
}

/// Where the old content waits while the new one takes its place.
pub(super) fn aside(working: &Path) -> PathBuf {
    working.with_extension("weightsmith-replaced")
}

/// Puts the old content back if a process was killed between the two steps of [`replace_folder`], and removes it if the process was
/// killed after them.
pub(super) fn recover(target: &Path, aside: &Path) -> std::io::Result<()> {
    match (aside.exists(), target.exists()) {
        (true, false) => fs::rename(aside, target),
        (true, true) => fs::remove_dir_all(aside),
        (false, _) => Ok(()),
    }
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

/// Moves what is in `from`, but some files, into the mount point `to` around it, whose old content goes out of the way first.
///
/// `config.json` comes last: without it no loader takes the folder for a model. [`recover_inside`] undoes what a killed
/// process began. Returns why the old content could not be removed.
pub(super) fn move_files(
    from: &Path,
    to: &Path,
    ignored: &[&str],
) -> std::io::Result<Option<std::io::Error>> {
    let (replacing, replaced) = (to.join(REPLACING), to.join(REPLACED));
    fs::create_dir_all(&replacing)?;
    move_all(contents(to)?, &replacing)?;
    fs::rename(&replacing, &replaced)?;
    let mut new = entries(from, ignored)?;
    new.sort_by_key(|path| path.ends_with("config.json"));
    move_all(new, to)?;
    let left = fs::remove_dir_all(&replaced).err();
    fs::remove_dir_all(from)?;
    Ok(left)
}

/// Puts the old content of a mount point back if a process was killed in [`move_files`], and the new one back into its working folder.
pub(super) fn recover_inside(from: &Path, to: &Path, ignored: &[&str]) -> std::io::Result<()> {
    let (replacing, replaced) = (to.join(REPLACING), to.join(REPLACED));
    if replacing.exists() {
        move_all(entries(&replacing, &[])?, to)?;
        fs::remove_dir(&replacing)?;
    }
    if replaced.exists() {
        if entries(from, ignored)?.is_empty() {
            // the new content was in its place
            return fs::remove_dir_all(&replaced);
        }
        move_all(contents(to)?, from)?;
        move_all(entries(&replaced, &[])?, to)?;
        fs::remove_dir(&replaced)?;
    }
    Ok(())
}

fn move_all(entries: Vec<PathBuf>, to: &Path) -> std::io::Result<()> {
    for entry in entries {
        let name = entry.file_name().unwrap_or(OsStr::new(""));
        fs::rename(&entry, to.join(name))?;
    }
    Ok(())
}

/// Flushes a folder and all that is in it to the device.
pub(super) fn flush_tree(folder: &Path) -> std::io::Result<()> {
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

    /// A folder with files whose content is their owner's name.
    fn fill(folder: &Path, owner: &str, names: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), owner).unwrap();
        }
    }

    fn read(path: PathBuf) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_mount_points_content_is_replaced_from_inside() {
        let root = tempfile::tempdir().unwrap();
        let (to, from) = (root.path(), root.path().join(INSIDE));
        fill(to, "old", &["config.json", "other"]);
        fill(&from, "new", &["config.json", ".lock", "weights"]);
        assert!(move_files(&from, to, &[".lock"]).unwrap().is_none());
        let names = entries(to, &[]).unwrap();
        assert_eq!(names, [to.join("config.json"), to.join("weights")]);
        assert_eq!(read(to.join("config.json")), "new");
    }

    #[test]
    fn a_process_killed_at_any_step_leaves_the_old_or_the_new_content() {
        // steps of `move_files` that were done: old files out of the way, all of them, new files in place
        for (old_moved, complete, new_moved) in [
            (1, false, 0),
            (2, false, 0),
            (2, true, 0),
            (2, true, 1),
            (2, true, 2),
        ] {
            let root = tempfile::tempdir().unwrap();
            let (to, from) = (root.path(), root.path().join(INSIDE));
            let names = ["config.json", "weights"];
            let away = to.join(if complete { REPLACED } else { REPLACING });
            fill(to, "old", &names[old_moved..]);
            fill(&away, "old", &names[..old_moved]);
            fill(to, "new", &names[..new_moved]);
            fill(&from, "new", &names[new_moved..]);
            fill(&from, "lock", &[".lock"]);
            recover_inside(&from, to, &[".lock"]).unwrap();
            let expected = if new_moved == 2 { "new" } else { "old" };
            for name in names {
                assert_eq!(read(to.join(name)), expected);
                assert_eq!(from.join(name).exists(), new_moved < 2);
            }
            assert!(!to.join(REPLACED).exists() && !to.join(REPLACING).exists());
        }
    }

    #[test]
    fn old_content_is_put_back_or_removed_by_whether_the_new_one_is_in_its_place() {
        let root = tempfile::tempdir().unwrap();
        let (target, aside) = (root.path().join("out"), root.path().join("aside"));
        fill(&aside, "old", &["a"]);
        recover(&target, &aside).unwrap();
        assert_eq!(read(target.join("a")), "old");
        fill(&aside, "older", &["a"]);
        recover(&target, &aside).unwrap();
        assert_eq!(read(target.join("a")), "old");
        assert!(!aside.exists());
    }

    #[test]
    fn a_folder_with_nothing_but_a_forgotten_working_folder_can_be_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("new"), root.path().join("out"));
        fill(&to.join(INSIDE), "old", &["a"]);
        fill(&from, "new", &["b"]);
        assert!(replace_folder(&from, &to).unwrap().is_none());
        assert_eq!(entries(&to, &[]).unwrap(), [to.join("b")]);
        assert!(!from.exists());
    }
}
