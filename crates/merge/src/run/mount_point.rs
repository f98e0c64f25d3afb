//! Whether a folder is one onto which a file system is mounted.

use std::path::Path;

/// Whether nothing can be renamed onto the folder, since another file system, or another part of the same one, is mounted there.
#[cfg(unix)]
pub(super) fn is_mount_point(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(own), Some(Ok(parent))) = (fs_err::metadata(path), path.parent().map(fs_err::metadata))
    else {
        return false;
    };
    own.dev() != parent.dev() || is_mount_root(path)
}

#[cfg(not(unix))]
pub(super) fn is_mount_point(_: &Path) -> bool {
    false
}

/// A folder that is bound from the same device shows by this alone.
#[cfg(target_os = "linux")]
fn is_mount_root(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::empty(), StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_mount_root(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_folder_is_none_and_the_systems_own_are() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_mount_point(folder.path()));
        assert!(!is_mount_point(&folder.path().join("missing")));
        #[cfg(target_os = "linux")]
        assert!(is_mount_point(Path::new("/proc")));
    }
}
