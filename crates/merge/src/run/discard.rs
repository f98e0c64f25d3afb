//! Gives up what a run that was stopped left.

use std::path::Path;

use super::error::RunError;
use super::output_path;
use super::work_folder::WorkFolder;

/// Removes what an unfinished run to this output path left for going on with it; tells whether there was anything.
///
/// What is at the path itself stays as it is.
///
/// # Errors
/// [`RunError::Busy`] when a run is at it; else what the file system says.
pub fn discard(out: &Path) -> Result<bool, RunError> {
    let target = output_path::resolve(out)?;
    if !WorkFolder::exists(&target)? {
        return Ok(false);
    }
    // what was there before is to be replaced by nothing, so it is no reason to refuse
    WorkFolder::open(&target, true)?.remove()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[test]
    fn what_was_begun_goes_and_what_was_there_stays() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        assert!(!discard(&target).unwrap());
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "old").unwrap();
        let work = WorkFolder::open(&target, true).unwrap();
        let path = work.path().to_owned();
        fs::write(path.join("model.safetensors"), "half").unwrap();
        assert!(matches!(discard(&target), Err(RunError::Busy { .. })));
        assert!(path.join("model.safetensors").exists());
        drop(work);
        assert!(discard(&target).unwrap());
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(target.join("old")).unwrap(), "old");
        assert!(!discard(&target).unwrap());
    }
}
