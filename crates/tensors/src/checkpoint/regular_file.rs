//! Files of models, which come from anywhere: only regular files are opened, and none is read beyond a limit.
//!
//! A named pipe in place of `config.json` would block its reader for ever, and `/dev/zero` has no end.

use std::fs::Metadata;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::header::MAX_HEADER_BYTES;

/// The largest `config.json`, model card, template or other small file. Real ones stay below 2 MiB.
pub const MAX_SMALL_FILE_BYTES: u64 = 16 << 20;

/// The largest file of a tokenizer. Real ones stay below 50 MiB.
pub const MAX_VOCABULARY_BYTES: u64 = 256 << 20;

/// Why a file of a model is not read; inside of an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableFile {
    /// Something else than a regular file.
    #[error("{path}: {found}, not a regular file", path = path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },

    /// More bytes than any real file of its kind has.
    #[error("{path}: more than the limit of {limit} bytes", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },

    /// Text was expected.
    #[error("{path}: not UTF-8 at byte {position}", path = path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte that is not.
        position: usize,
    },
}

/// Opens a regular file for reading. Nothing else is waited for, or opened at all.
///
/// # Errors
/// [`UnreadableFile::NotRegular`], or what the system says.
pub fn open_regular(path: &Path) -> io::Result<fs_err::File> {
    // opening a device can have effects, so the kind is asked first, and once more of what was opened
    ensure_regular(path, &fs_err::metadata(path)?)?;
    let file = open_without_waiting(path)?;
    ensure_regular(path, &file.metadata()?)?;
    Ok(file)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// [`UnreadableFile`], or what the system says.
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Err(too_large(path, limit));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(path, limit));
    }
    Ok(bytes)
}

/// Reads a file of a model that is not weights: a regular file, of at most the bytes that a file of its name may have.
///
/// # Errors
/// [`UnreadableFile`], or what the system says.
pub fn read_companion(path: &Path) -> io::Result<Vec<u8>> {
    read_regular(path, companion_limit(path))
}

/// As [`read_companion`], for a file that is text.
///
/// # Errors
/// As [`read_companion`].
pub fn read_companion_text(path: &Path) -> io::Result<String> {
    text_of(path, read_companion(path)?)
}

/// As [`read_regular`], for a file that is text.
///
/// # Errors
/// As [`read_regular`].
pub fn read_regular_text(path: &Path, limit: u64) -> io::Result<String> {
    text_of(path, read_regular(path, limit)?)
}

fn too_large(path: &Path, limit: u64) -> io::Error {
    let path = path.to_owned();
    let problem = UnreadableFile::TooLarge { path, limit };
    io::Error::new(ErrorKind::FileTooLarge, problem)
}

pub(crate) fn text_of(path: &Path, bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let problem = UnreadableFile::NotText {
            path: path.to_owned(),
            position: error.utf8_error().valid_up_to(),
        };
        io::Error::new(ErrorKind::InvalidData, problem)
    })
}

/// Reads a text that the user named for this very purpose: a pipe serves as well as a file, and is waited for.
///
/// # Errors
/// [`UnreadableFile`] for more than `limit` bytes or what is no text, or what the system says.
pub fn read_given_text(path: &Path, limit: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(path, limit));
    }
    text_of(path, bytes)
}

/// The most bytes that a file of this name may have.
fn companion_limit(path: &Path) -> u64 {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is = |ending: &str| name.ends_with(ending);
    if is(".index.json") || is(".lock.json") {
        // they name tensors or files, as headers do
        MAX_HEADER_BYTES
    } else if ["tokenizer", "vocab", "added_tokens", "special_tokens"]
        .iter()
        .any(|start| name.starts_with(start))
        || is(".txt")
        || is(".model")
        || is(".tiktoken")
    {
        MAX_VOCABULARY_BYTES
    } else {
        MAX_SMALL_FILE_BYTES
    }
}

fn ensure_regular(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let kind = if metadata.is_dir() {
        ErrorKind::IsADirectory
    } else {
        ErrorKind::InvalidInput
    };
    let problem = UnreadableFile::NotRegular {
        path: path.to_owned(),
        found: kind_of(metadata),
    };
    Err(io::Error::new(kind, problem))
}

#[cfg(unix)]
fn kind_of(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind_of(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() {
        "a folder"
    } else {
        "something else"
    }
}

/// Opens a file. A pipe that takes its place meanwhile does not block.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<fs_err::File> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    fs_err::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<fs_err::File> {
    fs_err::File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(error: &io::Error) -> &UnreadableFile {
        error.get_ref().unwrap().downcast_ref().unwrap()
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs_err::write(&path, "1234").unwrap();
        assert_eq!(read_regular(&path, 4).unwrap(), b"1234");
        let error = read_regular(&path, 3).unwrap_err();
        assert!(matches!(
            problem(&error),
            UnreadableFile::TooLarge { limit: 3, .. }
        ));
        assert_eq!(read_companion_text(&path).unwrap(), "1234");
    }

    #[test]
    fn a_sparse_file_beyond_the_limit_takes_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let file = fs_err::File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        assert_eq!(
            read_companion(&path).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
    }

    #[test]
    fn text_that_is_none_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat_template.jinja");
        fs_err::write(&path, b"ab\xff").unwrap();
        let error = read_companion_text(&path).unwrap_err();
        assert!(matches!(
            problem(&error),
            UnreadableFile::NotText { position: 2, .. }
        ));
    }

    #[cfg(unix)]
    #[test]
    fn what_the_user_named_may_be_a_pipe_but_must_have_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let writer = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs_err::write(pipe, "merge_method: linear"))
        };
        assert_eq!(read_given_text(&pipe, 100).unwrap(), "merge_method: linear");
        writer.join().unwrap().unwrap();
        let error = read_given_text(Path::new("/dev/zero"), 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_missing_file_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        let error = read_companion(&folder.path().join("config.json")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_sockets_and_folders_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status()
            .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
        fs_err::create_dir(path("folder")).unwrap();
        for (name, expected) in [
            ("pipe", "a named pipe"),
            ("socket", "a socket"),
            ("link", "a device"),
            ("folder", "a folder"),
        ] {
            let error = read_companion(&path(name)).unwrap_err();
            let UnreadableFile::NotRegular { found, .. } = problem(&error) else {
                panic!("{error}");
            };
            assert_eq!(*found, expected);
        }
    }
}
