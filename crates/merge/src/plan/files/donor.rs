//! The files of the donor that come along: the only place where its folder is looked into.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::output::{CompanionError, companions as in_folder};
use crate::plan::Model;

/// A file that comes along.
pub(super) struct CompanionFile {
    /// Its path below the model's folder.
    pub(super) file: PathBuf,
    pub(super) bytes: u64,
    /// Time of its last change, in nanoseconds since 1970; 0 where it is not known.
    pub(super) modified: u64,
}

/// The files of a model that come along to the result, sorted by path.
pub(super) fn companions(model: &Model) -> Result<Vec<CompanionFile>, CompanionError> {
    // the folder of a single file may be any folder
    if model.located.file.is_some() && model.config.is_none() {
        return Ok(Vec::new());
    }
    let found = in_folder(&model.located.folder)?.into_iter();
    let found = found.map(|companion| {
        let modified = fs_err::metadata(&companion.source)?.modified()?;
        let modified = modified.duration_since(UNIX_EPOCH);
        Ok(CompanionFile {
            file: companion.relative,
            bytes: companion.bytes,
            modified: modified.map_or(0, |since| since.as_nanos() as u64),
        })
    });
    found.collect()
}

/// The content of a file that comes along.
pub(super) fn read_companion(model: &Model, file: &Path) -> io::Result<Vec<u8>> {
    weightsmith_tensors::read_companion(&model.located.folder.join(file))
}

/// Opens a file that comes along, however large it is.
pub(crate) fn open_companion(model: &Model, file: &Path) -> io::Result<impl Read + use<>> {
    weightsmith_tensors::open_regular(&model.located.folder.join(file))
}
