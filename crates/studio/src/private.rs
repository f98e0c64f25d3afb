//! Files and folders that nobody else on the machine may read: the history has recipes, texts and paths in it.

use std::path::Path;

/// Makes a folder that others cannot look into. One that is there is closed to them too if nothing but ours is in it: it may
/// be one that is shared for other reasons.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn folder(folder: &Path) -> std::io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs_err::create_dir_all(parent)?;
    }
    let is_new = make(folder)?;
    if !is_new && is_ours(folder) {
        close(folder);
    }
    Ok(())
}

/// Closes a file to others, and makes it where it is not there: what others write beside it, as SQLite does, has its permissions.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn file(file: &Path) -> std::io::Result<()> {
    let mut options = fs_err::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(file)?;
    close(file);
    Ok(())
}

/// Closes a file to others if it is there.
pub(crate) fn existing(file: &Path) {
    if file.is_file() {
        close(file);
    }
}

/// Whether the folder was not there before.
#[cfg(unix)]
fn make(folder: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::DirBuilderExt as _;

    if folder.is_dir() {
        return Ok(false);
    }
    std::fs::DirBuilder::new().mode(0o700).create(folder)?;
    Ok(true)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> std::io::Result<bool> {
    fs_err::create_dir_all(folder)?;
    Ok(false)
}

/// Whether a folder holds a studio's things and nothing else.
fn is_ours(folder: &Path) -> bool {
    const OURS: [&str; 5] = [
        "models",
        "differences",
        "ended-sessions",
        "studio.lock",
        "studio.db",
    ];
    let Ok(entries) = fs_err::read_dir(folder) else {
        return false;
    };
    let mut names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    names.all(|name| {
        name.is_ok_and(|name| {
            let name = name.to_string_lossy();
            OURS.contains(&&*name) || name.starts_with("studio.db-")
        })
    })
}

/// Takes all permissions from others. Where that is not allowed, who owns the file has decided otherwise.
#[cfg(unix)]
fn close(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    if let Ok(metadata) = fs_err::metadata(path) {
        let mode = metadata.permissions().mode();
        if mode & 0o077 != 0 {
            let closed = std::fs::Permissions::from_mode(mode & 0o700);
            let _ = fs_err::set_permissions(path, closed);
        }
    }
}

#[cfg(not(unix))]
fn close(_: &Path) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs_err::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn open_to_all(path: &Path) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_closed_and_what_was_open_is_closed() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("share/weightsmith");
        folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        let database = data.join("studio.db");
        file(&database).unwrap();
        assert_eq!(mode(&database), 0o600);
        let log = data.join("studio.db-wal");
        fs_err::write(&log, "kept").unwrap();
        for path in [&data, &database, &log] {
            open_to_all(path);
        }
        folder(&data).unwrap();
        file(&database).unwrap();
        existing(&log);
        assert_eq!(
            [&data, &database, &log].map(|path| mode(path)),
            [0o700, 0o600, 0o600]
        );
        assert_eq!(fs_err::read_to_string(log).unwrap(), "kept");
    }

    #[test]
    fn a_folder_that_holds_other_things_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        fs_err::write(root.path().join("thesis.txt"), "").unwrap();
        open_to_all(root.path());
        folder(root.path()).unwrap();
        assert_eq!(mode(root.path()), 0o755);
    }
}
