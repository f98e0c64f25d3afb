//! Whether there is room for the result.

use std::path::Path;

use super::error::RunError;

/// Fails when the device of a folder has less room than the result needs; what the folder already holds counts as room.
#[cfg(unix)]
pub(super) fn require_space(folder: &Path, needed: u64) -> Result<(), RunError> {
    let Ok(device) = rustix::fs::statvfs(folder) else {
        return Ok(());
    };
    let available = device.f_bavail * device.f_frsize + held(folder)?;
    if available < needed {
        return Err(RunError::NoSpace {
            path: folder.to_owned(),
            needed,
            available,
        });
    }
    Ok(())
}

/// Without a way to ask, a full disk shows when the files are allocated.
#[cfg(not(unix))]
pub(super) fn require_space(_: &Path, _: u64) -> Result<(), RunError> {
    Ok(())
}

/// Bytes on the device that files of an earlier run already take.
#[cfg(unix)]
fn held(folder: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in fs_err::read_dir(folder)? {
        let metadata = entry?.metadata()?;
        if metadata.is_file() {
            bytes += metadata.blocks() * 512;
        }
    }
    Ok(bytes)
}
