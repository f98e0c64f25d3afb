//! Files that are written whole or not at all.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Writes a file under another name, then renames it; what was there before is gone only then.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let temporary = temporary(path);
    let written = fs_err::File::create(&temporary)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs_err::rename(&temporary, path));
    if written.is_err() {
        // the first error is the one to tell
        let _ = fs_err::remove_file(&temporary);
    }
    Ok(written?)
}

/// A hidden name beside the file that no other process uses.
fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

/// Complains before any work about a path that cannot be written to.
pub(crate) fn check_target(option: &str, path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    if path.is_dir() || path.file_name().is_none() {
        return Err(Failure::usage(format!("`{option} {shown}` is a folder"))
            .hint("name a file for the chart"));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match folder {
        Some(folder) if !folder.is_dir() => Err(Failure::usage(format!(
            "`{option} {shown}`: there is no folder `{}`",
            folder.display()
        ))),
        _ => Ok(()),
    }
}
