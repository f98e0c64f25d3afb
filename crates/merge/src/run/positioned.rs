//! Reads and writes at an offset, from any thread, without a shared cursor.

use fs_err::File;

/// Bytes handed to the system at a time.
///
/// Linux makes page-cache folios as large as a write. Folios of megabytes come from memory that a virtual machine has
/// often given back to its host, and each is fetched again: writing 1 GB took 0.6 to 2.3 s in pieces of 1 and
/// 4 MiB, and 0.2 s in pieces of 256 KiB, on the reference machine.
const PIECE: usize = 256 << 10;

/// Writes all bytes at an offset.
pub(super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    let mut at = offset;
    for piece in bytes.chunks(PIECE) {
        #[cfg(unix)]
        let result = std::os::unix::fs::FileExt::write_all_at(file.file(), piece, at);
        #[cfg(windows)]
        let result = windows::write_all_at(file.file(), piece, at);
        result.map_err(|error| named(file, &error))?;
        at += piece.len() as u64;
    }
    Ok(())
}

/// Fills the buffer from an offset.
pub(super) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    #[cfg(unix)]
    let result = std::os::unix::fs::FileExt::read_exact_at(file.file(), bytes, offset);
    #[cfg(windows)]
    let result = windows::read_exact_at(file.file(), bytes, offset);
    result.map_err(|error| named(file, &error))
}

/// Sets a file's size and takes the room for it on the device, so that a full disk shows before any work is done.
pub(super) fn allocate(file: &File, bytes: u64) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    if bytes > 0 {
        use rustix::fs::{FallocateFlags, fallocate};
        let take = || fallocate(file.file(), FallocateFlags::empty(), 0, bytes);
        match rustix::io::retry_on_intr(take) {
            // the file system cannot: it will take room as it is written
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
            result => result.map_err(|error| named(file, &error.into()))?,
        }
    }
    file.set_len(bytes)
}

/// The same error, naming the file as `fs_err` does.
fn named(file: &File, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", file.path().display()))
}

#[cfg(windows)]
mod windows {
    use std::fs::File;
    use std::os::windows::fs::FileExt;

    pub(super) fn write_all_at(
        file: &File,
        mut bytes: &[u8],
        mut offset: u64,
    ) -> std::io::Result<()> {
        while !bytes.is_empty() {
            let written = file.seek_write(bytes, offset)?;
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[written..];
            offset += written as u64;
        }
        Ok(())
    }

    pub(super) fn read_exact_at(
        file: &File,
        mut bytes: &mut [u8],
        mut offset: u64,
    ) -> std::io::Result<()> {
        while !bytes.is_empty() {
            let read = file.seek_read(bytes, offset)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            bytes = &mut bytes[read..];
            offset += read as u64;
        }
        Ok(())
    }
}
