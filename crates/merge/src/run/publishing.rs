//! How a finished folder takes its place.

use std::path::{Path, PathBuf};

use fs_err as fs;
use fs_err::File;

use super::error::RunError;

/// What a folder holds, but a working folder and what every fresh file system holds.
pub(super) fn contents(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let ignored = [weightsmith_tensors::WORKING_FOLDER, "lost+found"];
    let mut entries = entries(folder)?;
    entries.retain(|path| !ignored.iter().any(|name| path.ends_with(name)));
    Ok(entries)
}

/// The paths of all that a folder holds, sorted.
pub(super) fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    Ok(entries)
}

/// Whether there is anything at a path, a link to nothing included.
pub(super) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Puts `from` where `to` is. One of both is whole at every moment. What was at `to` is at `from` or at `aside` afterwards.
///
/// `may_replace` is asked once more before anything that is there gives way.
pub(super) fn replace_folder(
    from: &Path,
    to: &Path,
    aside: &Path,
    may_replace: impl Fn() -> Result<(), RunError>,
) -> Result<(), RunError> {
    // an empty folder gives way by itself
    let Err(refused) = fs::rename(from, to) else {
        return Ok(());
    };
    if !is_there(to) {
        return Err(refused.into());
    }
    if fs::remove_dir(to).is_ok() {
        return Ok(fs::rename(from, to)?);
    }
    may_replace()?;
    if exchange(from, to).is_ok() {
        return Ok(());
    }
    fs::rename(to, aside)?;
    if let Err(error) = fs::rename(from, to) {
        fs::rename(aside, to)?;
        return Err(error.into());
    }
    Ok(())
}

/// Puts the old content back if a process was killed between the two last steps of [`replace_folder`].
pub(super) fn recover(target: &Path, aside: &Path) -> std::io::Result<()> {
    if is_there(aside) && !is_there(target) {
        return fs::rename(aside, target);
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

    fn names(folder: &Path) -> Vec<String> {
        let entries = entries(folder).unwrap().into_iter();
        entries
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn old_content_gives_way_where_that_is_allowed_and_is_kept_apart() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fill(&at("new"), "new", &["b"]);
        fill(&at("out"), "old", &["a"]);
        let refuse = || Err(RunError::OutputExists { path: at("out") });
        assert!(replace_folder(&at("new"), &at("out"), &at("aside"), refuse).is_err());
        assert_eq!(
            (names(&at("out")), names(&at("new"))),
            (vec!["a".into()], vec!["b".into()])
        );
        replace_folder(&at("new"), &at("out"), &at("aside"), || Ok(())).unwrap();
        assert_eq!(names(&at("out")), ["b"]);
    }

    #[test]
    fn an_empty_folder_and_none_need_no_permission() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for is_there in [false, true] {
            let out = at(&format!("out-{is_there}"));
            fill(&at("new"), "new", &["b"]);
            if is_there {
                fs::create_dir(&out).unwrap();
            }
            let refuse = || Err(RunError::OutputExists { path: out.clone() });
            replace_folder(&at("new"), &out, &at("aside"), refuse).unwrap();
            assert_eq!(names(&out), ["b"]);
        }
    }

    #[test]
    fn old_content_is_put_back_where_nothing_took_its_place() {
        let root = tempfile::tempdir().unwrap();
        let (target, aside) = (root.path().join("out"), root.path().join("aside"));
        fill(&aside, "old", &["a"]);
        recover(&target, &aside).unwrap();
        assert_eq!(names(&target), ["a"]);
        fill(&aside, "older", &["a"]);
        recover(&target, &aside).unwrap();
        assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "old");
    }
}
