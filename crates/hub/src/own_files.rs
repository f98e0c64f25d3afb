//! Files and folders in a cache that others may write to.
//!
//! Whoever can write to the cache can put a link where a file is about to be written. Links in the place of files that are written here
//! are never followed. A link in the place of a folder is one that its owner may have made with reason, such as a model on another
//! disk: it is followed when it is the user's own, root's, or of the one to whom the folder around it belongs.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};

use crate::HubError;

/// Makes a folder below a root, with all that are between them. The root may be any path that the user has named.
pub(crate) fn folder(root: &Path, below: &Path) -> Result<PathBuf, HubError> {
    fs_err::create_dir_all(root)?;
    let mut path = root.to_owned();
    for part in below.components() {
        path.push(part);
        match fs_err::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => require_known_owner(&path, &found)?,
            Ok(_) => {}
            Err(_) => match fs_err::create_dir(&path) {
                // another program was faster
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                other => other?,
            },
        }
    }
    Ok(path)
}

/// Whether a path is there and is no link that somebody else has put there.
pub(crate) fn is_trusted(path: &Path) -> bool {
    fs_err::symlink_metadata(path)
        .is_ok_and(|found| !found.is_symlink() || require_known_owner(path, &found).is_ok())
}

/// Opens a file that only this user writes to; nothing where there is none. What is there instead loses its name, and what a link leads
/// to is not touched.
pub(crate) fn open_own(path: &Path) -> io::Result<Option<File>> {
    let found = match fs_err::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if is_own(&found) {
        let file = unfollowed(OpenOptions::new().read(true).write(true)).open(path)?;
        if is_own(&file.metadata()?) {
            return Ok(Some(file));
        }
    }
    fs_err::remove_file(path)?;
    Ok(None)
}

/// Makes a file where none is.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
}

/// Opens a file that programs lock, of this user or another, and makes it where it is not there.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = unfollowed(&mut options).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    let problem = format!("`{}` is not a regular file", path.display());
    Err(io::Error::other(problem))
}

/// The text of a small regular file; nothing where there is none.
pub(crate) fn short_text(path: &Path, longest: u64) -> Option<String> {
    let found = fs_err::symlink_metadata(path).ok()?;
    if !found.is_file() || found.len() > longest {
        return None;
    }
    fs_err::read_to_string(path).ok()
}

#[cfg(unix)]
fn unfollowed(options: &mut OpenOptions) -> &mut OpenOptions {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    use rustix::fs::OFlags;

    // a pipe must not make the process wait either
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
}

#[cfg(not(unix))]
fn unfollowed(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Whether a file is a regular one, has no other name, and belongs to this user.
#[cfg(unix)]
fn is_own(found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    found.is_file() && found.nlink() == 1 && found.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(found: &Metadata) -> bool {
    found.is_file()
}

#[cfg(unix)]
fn require_known_owner(path: &Path, link: &Metadata) -> Result<(), HubError> {
    use std::os::unix::fs::MetadataExt as _;

    let around = path.parent().map(fs_err::metadata).transpose()?;
    let known = [
        Some(0),
        Some(rustix::process::geteuid().as_raw()),
        around.map(|folder| folder.uid()),
    ];
    if known.contains(&Some(link.uid())) {
        return Ok(());
    }
    Err(HubError::ForeignLink {
        path: path.to_owned(),
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn require_known_owner(_path: &Path, _link: &Metadata) -> Result<(), HubError> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::{Read as _, Write as _};

    use fs_err::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_loses_its_name_and_its_target_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (target, path) = (
            folder.path().join("secret"),
            folder.path().join("a.incomplete"),
        );
        fs_err::write(&target, "kept").unwrap();
        symlink(&target, &path).unwrap();
        assert!(open_own(&path).unwrap().is_none());
        assert!(!path.is_symlink());
        // a second name of a file is as good as a link to it
        fs_err::hard_link(&target, &path).unwrap();
        assert!(open_own(&path).unwrap().is_none());
        create_new(&path).unwrap().write_all(b"begun").unwrap();
        let mut text = String::new();
        let mut file = open_own(&path).unwrap().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "begun");
        assert_eq!(fs_err::read_to_string(&target).unwrap(), "kept");
    }

    #[test]
    fn new_files_locks_and_refs_do_not_follow_links() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("secret"), folder.path().join("link"));
        fs_err::write(&target, "kept").unwrap();
        symlink(&target, &link).unwrap();
        assert!(create_new(&link).is_err());
        assert!(open_lock(&link).is_err());
        assert_eq!(short_text(&link, 100), None);
        assert_eq!(short_text(&target, 100).as_deref(), Some("kept"));
        assert_eq!(short_text(&target, 3), None);
        assert!(open_lock(&folder.path().join("new.lock")).is_ok());
    }

    #[test]
    fn a_pipe_does_not_make_anybody_wait() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert!(open_lock(&pipe).is_err());
        assert_eq!(short_text(&pipe, 100), None);
        assert!(open_own(&pipe).unwrap().is_none());
    }

    #[test]
    fn the_users_own_linked_folders_are_followed() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), root.path().join("models--a--b")).unwrap();
        let made = folder(root.path(), Path::new("models--a--b/blobs")).unwrap();
        assert!(made.is_dir());
        assert!(elsewhere.path().join("blobs").is_dir());
        assert!(is_trusted(&root.path().join("models--a--b")));
        assert!(!is_trusted(&root.path().join("nothing")));
    }

    #[test]
    fn links_of_other_users_are_not_followed() {
        if !rustix::process::geteuid().is_root() {
            return; // nobody else can make another user's link
        }
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let link = root.path().join("blobs");
        symlink(elsewhere.path(), &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(12_345), None).unwrap();
        let error = folder(root.path(), Path::new("blobs/a")).unwrap_err();
        assert!(matches!(error, HubError::ForeignLink { .. }), "{error}");
        assert!(!is_trusted(&link));
        assert!(!elsewhere.path().join("a").exists());
    }
}
