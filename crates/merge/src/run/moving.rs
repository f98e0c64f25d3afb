//! How a finished folder takes the place of what is in a mount point.
//!
//! No rename reaches a mount point itself, so files move one by one, inside of it. A marker stands in the working folder for as long as
//! they do: readers refuse the folder meanwhile ([`weightsmith_tensors::Error::Unfinished`]). Files that a loader begins with leave first and
//! arrive last, so that other programs do not take a part for a model either.
//!
//! 1. The old files move to `leaving`, which is renamed to `replaced` when all of them are there.
//! 2. The new files move in, and the marker goes.
//!
//! A process that was killed in 1 has replaced nothing, and [`recover`] puts the old files back. In 2 the new files are complete and the old
//! ones out of the way, and [`recover`] goes on.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use fs_err as fs;
use weightsmith_tensors::MOVING_MARKER;

use super::publishing::{contents, entries, is_there};

/// The old content, while it is moved out of the way.
const LEAVING: &str = "leaving";
/// The old content, once all of it is out of the way.
const REPLACED: &str = "replaced";

/// Whether files of a working folder's mount point are where they do not belong.
pub(super) fn is_under_way(work: &Path) -> bool {
    is_there(&work.join(MOVING_MARKER))
}

/// Moves what is in `model` into the mount point `target`, whose old content goes into `work`. An error leaves both where they were, as far
/// as the file system allows it.
pub(super) fn move_in(work: &Path, model: &Path, target: &Path) -> std::io::Result<()> {
    let marker = work.join(MOVING_MARKER);
    let (leaving, replaced) = (work.join(LEAVING), work.join(REPLACED));
    fs::create_dir_all(&leaving)?;
    fs::File::create(&marker)?;
    let mut moves = Moves::default();
    let result = moves
        .all(leaving_order(contents(target)?), &leaving)
        .and_then(|()| moves.rename(&leaving, &replaced))
        .and_then(|()| moves.all(arriving_order(entries(model)?), target))
        .and_then(|()| fs::remove_file(&marker));
    if let Err(error) = result {
        moves.undo()?;
        fs::remove_file(&marker)?;
        return Err(error);
    }
    Ok(())
}

/// Puts an end to what a killed process began in [`move_in`]; tells whether the new content is in its place now.
pub(super) fn recover(work: &Path, model: &Path, target: &Path) -> std::io::Result<bool> {
    let marker = work.join(MOVING_MARKER);
    let (leaving, replaced) = (work.join(LEAVING), work.join(REPLACED));
    if !is_there(&marker) {
        return Ok(false);
    }
    let mut moves = Moves::default();
    let is_replaced = is_there(&replaced);
    if is_replaced {
        moves.all(arriving_order(entries(model)?), target)?;
    } else if is_there(&leaving) {
        moves.all(arriving_order(entries(&leaving)?), target)?;
    }
    fs::remove_file(&marker)?;
    Ok(is_replaced)
}

/// Renames that were done.
#[derive(Debug, Default)]
struct Moves(Vec<(PathBuf, PathBuf)>);

impl Moves {
    /// Moves entries into a folder.
    fn all(&mut self, entries: Vec<PathBuf>, to: &Path) -> std::io::Result<()> {
        for entry in entries {
            let target = to.join(entry.file_name().unwrap_or(OsStr::new("")));
            self.rename(&entry, &target)?;
        }
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> std::io::Result<()> {
        // whoever put something there meanwhile does not lose it
        if is_there(to) {
            let message = format!(
                "{} is in the way of {}: move or remove one of them",
                to.display(),
                from.display()
            );
            return Err(std::io::Error::new(
                std::io::ErrorKind::AlreadyExists,
                message,
            ));
        }
        fs::rename(from, to)?;
        self.0.push((from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn undo(self) -> std::io::Result<()> {
        for (from, to) in self.0.into_iter().rev() {
            fs::rename(to, from)?;
        }
        Ok(())
    }
}

/// Entries in the order in which they arrive: last what a loader begins with.
fn arriving_order(mut entries: Vec<PathBuf>) -> Vec<PathBuf> {
    entries.sort_by_key(|path| rank(path));
    entries
}

fn leaving_order(entries: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut entries = arriving_order(entries);
    entries.reverse();
    entries
}

/// How early a loader asks for a file.
fn rank(path: &Path) -> u8 {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match &*name {
        "config.json" => 3,
        name if name.ends_with(".index.json") => 2,
        name if name.ends_with(".safetensors") => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folders {
        _root: tempfile::TempDir,
        target: PathBuf,
        work: PathBuf,
        model: PathBuf,
    }

    const NAMES: [&str; 4] = [
        "README.md",
        "model.safetensors",
        "model.safetensors.index.json",
        "config.json",
    ];

    impl Folders {
        /// A mount point with old files, and a working folder in it with new ones.
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let target = root.path().to_owned();
            let work = target.join(weightsmith_tensors::WORKING_FOLDER);
            let model = work.join("model");
            let folders = Self {
                _root: root,
                target,
                work,
                model,
            };
            fill(&folders.target, "old", &NAMES);
            fill(&folders.model, "new", &NAMES);
            folders
        }

        /// Who owns the files of the mount point; fails unless it is one owner.
        fn owner(&self) -> String {
            let owners: Vec<String> = NAMES
                .iter()
                .map(|name| fs::read_to_string(self.target.join(name)).unwrap())
                .collect();
            assert!(owners.iter().all(|owner| *owner == owners[0]), "{owners:?}");
            assert_eq!(contents(&self.target).unwrap().len(), NAMES.len());
            assert!(!is_under_way(&self.work));
            owners[0].clone()
        }
    }

    /// Files whose content is their owner's name.
    fn fill(folder: &Path, owner: &str, names: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), owner).unwrap();
        }
    }

    #[test]
    fn a_mount_points_content_is_replaced_from_inside() {
        let folders = Folders::new();
        move_in(&folders.work, &folders.model, &folders.target).unwrap();
        assert_eq!(folders.owner(), "new");
        assert!(!recover(&folders.work, &folders.model, &folders.target).unwrap());
        assert_eq!(folders.owner(), "new");
    }

    #[test]
    fn a_process_killed_at_any_step_leaves_what_the_next_one_completes() {
        // the renames of `move_in`: four old files, the folder of them, four new files
        for done in 0..=9 {
            let folders = Folders::new();
            let leaving = folders.work.join(LEAVING);
            let replaced = folders.work.join(REPLACED);
            fs::create_dir_all(&leaving).unwrap();
            fs::write(folders.work.join(MOVING_MARKER), "").unwrap();
            for name in NAMES.iter().rev().take(done) {
                fs::rename(folders.target.join(name), leaving.join(name)).unwrap();
            }
            if done > 4 {
                fs::rename(&leaving, &replaced).unwrap();
            }
            for name in NAMES.iter().take(done.saturating_sub(5)) {
                fs::rename(folders.model.join(name), folders.target.join(name)).unwrap();
            }
            // a loader begins with the config, which is there at the ends alone
            let has_config = folders.target.join("config.json").exists();
            assert_eq!(has_config, done == 0 || done == 9);
            let is_new = recover(&folders.work, &folders.model, &folders.target).unwrap();
            assert_eq!(is_new, done > 4);
            assert_eq!(folders.owner(), if is_new { "new" } else { "old" });
        }
    }

    #[test]
    fn an_error_in_the_middle_puts_everything_back() {
        let folders = Folders::new();
        // nothing can be moved onto a folder of that name
        fs::create_dir_all(folders.work.join(LEAVING).join("README.md")).unwrap();
        let error = move_in(&folders.work, &folders.model, &folders.target).unwrap_err();
        assert!(error.to_string().contains("is in the way of"), "{error}");
        assert_eq!(folders.owner(), "old");
        assert_eq!(entries(&folders.model).unwrap().len(), NAMES.len());
    }

    #[test]
    fn a_file_that_appeared_meanwhile_is_not_overwritten() {
        let folders = Folders::new();
        let leaving = folders.work.join(LEAVING);
        fs::create_dir_all(&leaving).unwrap();
        fs::write(folders.work.join(MOVING_MARKER), "").unwrap();
        fs::rename(
            folders.target.join("config.json"),
            leaving.join("config.json"),
        )
        .unwrap();
        fs::write(folders.target.join("config.json"), "mine").unwrap();
        let error = recover(&folders.work, &folders.model, &folders.target).unwrap_err();
        assert!(error.to_string().contains("is in the way of"), "{error}");
        let mine = fs::read_to_string(folders.target.join("config.json")).unwrap();
        assert_eq!(mine, "mine");
    }
}
