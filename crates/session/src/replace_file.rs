//! Files that are written whole or not at all.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file under another name, then renames it; what was there before is gone only then.
///
/// # Errors
/// Those of the system. What was there stays then.
pub fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let written = fs_err::File::create(&temporary)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs_err::rename(&temporary, path));
    if written.is_err() {
        // the first error is the one to tell
        let _ = fs_err::remove_file(&temporary);
    }
    written
}

/// A hidden name beside the file that no other process uses.
fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}
