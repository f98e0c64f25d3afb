//! Whether a folder is one onto which a file system is mounted.

use std::io;
use std::path::Path;

/// Whether nothing can be renamed onto the folder, since another file system, or another part of the same one, is mounted there.
///
/// # Errors
/// When the system does not tell.
#[cfg(unix)]
pub(super) fn is_mount_point(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = match fs_err::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        result => result?,
    };
    let Some(parent) = path.parent() else {
        return Ok(true);
    };
    Ok(own.dev() != fs_err::metadata(parent)?.dev() || is_mount_root(path)?)
}

#[cfg(not(unix))]
pub(super) fn is_mount_point(_: &Path) -> io::Result<bool> {
    Ok(false)
}

/// A folder that is bound from the same device shows by this alone.
#[cfg(target_os = "linux")]
fn is_mount_root(path: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    use rustix::io::Errno;
    match statx(CWD, path, AtFlags::empty(), StatxFlags::empty()) {
        Ok(found) => Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
        // older systems
        Err(Errno::NOSYS) => Ok(false),
        Err(error) => {
            let error = io::Error::from(error);
            let message = format!("{}: {error}", path.display());
            Err(io::Error::new(error.kind(), message))
        }
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_mount_root(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_folder_is_none_and_the_systems_own_are() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_mount_point(folder.path()).unwrap());
        assert!(!is_mount_point(&folder.path().join("missing")).unwrap());
        #[cfg(target_os = "linux")]
        assert!(is_mount_point(Path::new("/proc")).unwrap());
    }
}
