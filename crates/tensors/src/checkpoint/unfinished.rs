//! Folders in which a merge is taking its place.

use std::path::Path;

use crate::Error;

/// The end of a working folder's name; all of it where it lies inside of its output.
pub const WORKING_FOLDER: &str = ".weightsmith-partial";

/// A file in a working folder that lies inside of its output: there for as long as the output's files are moved.
pub const MOVING_MARKER: &str = "moving";

/// Refuses a folder, or a file of a folder, of which a part may be missing.
///
/// # Errors
/// [`Error::Unfinished`] while the files of a merge are moved into the folder, and after a process that did so was killed.
pub fn refuse_unfinished(path: &Path) -> Result<(), Error> {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    };
    let marker = folder.join(WORKING_FOLDER).join(MOVING_MARKER);
    if marker.symlink_metadata().is_ok() {
        return Err(Error::Unfinished {
            path: folder.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Checkpoint;
    use crate::testing::write_checkpoint;

    #[test]
    fn a_folder_whose_files_are_being_moved_is_no_checkpoint() {
        let root = tempfile::tempdir().unwrap();
        let tensors = [("x", crate::DType::F32, &[1][..], vec![1.0])];
        write_checkpoint(root.path(), &tensors).unwrap();
        let working = root.path().join(WORKING_FOLDER);
        fs_err::create_dir(&working).unwrap();
        // one that only grows in there takes nothing away
        let file = root.path().join("model.safetensors");
        assert!(Checkpoint::open(root.path()).is_ok() && Checkpoint::open(&file).is_ok());
        fs_err::write(working.join(MOVING_MARKER), "").unwrap();
        for path in [root.path(), &file] {
            let error = Checkpoint::open(path).unwrap_err();
            assert!(matches!(error, Error::Unfinished { .. }), "{error}");
        }
    }
}
