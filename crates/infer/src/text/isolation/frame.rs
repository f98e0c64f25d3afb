//! Messages behind their length, in four bytes.

use std::io::{self, Read, Write};

/// Writes a message.
pub(super) fn write(mut out: impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(|_| too_long(message.len() as u64))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(message)?;
    out.flush()
}

/// Reads a message of at most so many bytes; `None` where there are no more.
pub(super) fn read(mut from: impl Read, most: u32) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    if length > most {
        return Err(too_long(u64::from(length)));
    }
    // memory grows with what comes, not with what is announced
    let mut message = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut message)?;
    if message.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

fn too_long(length: u64) -> io::Error {
    io::Error::other(format!("a message of {length} bytes is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_as_they_were_written() {
        let mut pipe = Vec::new();
        write(&mut pipe, b"one").unwrap();
        write(&mut pipe, b"").unwrap();
        let mut rest = pipe.as_slice();
        assert_eq!(read(&mut rest, 3).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(read(&mut rest, 3).unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(read(&mut rest, 3).unwrap(), None);
    }

    #[test]
    fn what_is_too_long_or_breaks_off_is_an_error() {
        let mut pipe = Vec::new();
        write(&mut pipe, b"four").unwrap();
        let long = read(pipe.as_slice(), 3).unwrap_err();
        assert_eq!(long.to_string(), "a message of 4 bytes is too long");
        let broken = read(&pipe[..6], 4).unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::UnexpectedEof);
        // an announcement alone takes no memory
        read(&[255, 255, 255, 255, 1][..], u32::MAX).unwrap_err();
    }
}
