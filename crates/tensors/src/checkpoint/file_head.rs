//! The first bytes of a weight file: its header, or what else it is.

use std::io::Read as _;
use std::path::Path;

use super::header::{Header, HeaderError};
use crate::Error;

/// What is looked at to tell what a file is.
const LOOKED_AT: usize = 512;

/// What other files begin with.
const BEGINNINGS: [(&[u8], &str); 9] = [
    (b"PK\x03\x04", "a zip archive, as PyTorch saves"),
    (b"GGUF", "a GGUF model"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"%PDF", "a PDF document"),
    (b"<?xml", "an XML document"),
];

/// The length of the header's text and the text, copied from a file that was just opened. Copied, since another process can
/// write to the file between a check and its use. Of what is no header, what is enough to say so.
pub(super) fn read_head(path: &Path, file: &fs_err::File, size: u64) -> Result<Vec<u8>, Error> {
    let mut head = Vec::with_capacity(LOOKED_AT);
    file.take(LOOKED_AT as u64).read_to_end(&mut head)?;
    let Ok(length) = Header::json_length(&head, size) else {
        return Ok(head);
    };
    let wanted = 8 + length as usize;
    if wanted > head.len() {
        let more = wanted - head.len();
        head.reserve_exact(more);
        file.take(more as u64).read_to_end(&mut head)?;
    }
    if head.len() < wanted {
        return Err(Error::Shortened {
            path: path.to_owned(),
            found: head.len() as u64,
            expected: size,
        });
    }
    Ok(head)
}

/// Reads the header from a file's first bytes.
pub(super) fn parse_head(path: &Path, head: &[u8], size: u64) -> Result<Header, Error> {
    Header::parse(head, size).map_err(|problem| explain(path, head, size, problem))
}

/// The error of a file whose first bytes are no sound header: what it is instead, if that can be told.
pub(super) fn explain(path: &Path, head: &[u8], size: u64, problem: HeaderError) -> Error {
    let path = path.to_owned();
    if head.starts_with(b"version https://git-lfs") {
        return Error::GitLfsPointer { path, found: size };
    }
    if !looks_like_a_header(&problem)
        && let Some(content) = content_of(head)
    {
        return Error::OtherContent { path, content };
    }
    match problem {
        HeaderError::Truncated { found, expected } => Error::Truncated {
            path,
            found,
            expected,
        },
        problem => Error::Header {
            path,
            problem: Box::new(problem),
        },
    }
}

/// Whether the file has a header at least, sound or not.
fn looks_like_a_header(problem: &HeaderError) -> bool {
    !matches!(
        problem,
        HeaderError::TooLong { .. } | HeaderError::NoBrace { .. } | HeaderError::Truncated { .. }
    )
}

/// What a file is that begins so.
fn content_of(head: &[u8]) -> Option<&'static str> {
    if head.is_empty() {
        return Some("an empty file");
    }
    if head.iter().all(|&byte| byte == 0) {
        return Some("zeros: an unfinished download");
    }
    if let Some((_, content)) = BEGINNINGS.iter().find(|(start, _)| head.starts_with(start)) {
        return Some(content);
    }
    // a pickle says its protocol first, and then most often the length of what follows
    if matches!(head, [0x80, 2..=5, ..]) {
        return Some("a pickle, as older versions of PyTorch save");
    }
    text_of(head)
}

/// What a file is that begins with text.
fn text_of(head: &[u8]) -> Option<&'static str> {
    let head = &head[..head.len().min(LOOKED_AT)];
    let text = String::from_utf8_lossy(head);
    let text = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    // the first bytes of a header that was cut can look like letters
    let is_control = |letter: char| letter < ' ' && !letter.is_ascii_whitespace();
    if text.len() < 8 || text.contains(is_control) {
        return None;
    }
    if [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<!--",
        "<script",
        "<meta",
    ]
    .iter()
    .any(|start| text.starts_with(start))
    {
        return Some("a web page");
    }
    if text.starts_with('<') {
        return Some("an XML document");
    }
    if text.starts_with(['{', '[']) {
        return Some("a JSON text, perhaps a server's message");
    }
    (!text.contains('\u{fffd}')).then_some("a text, perhaps a server's message")
}

#[cfg(test)]
mod tests {
    fn error_of(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        fs_err::write(&path, bytes).unwrap();
        let error = crate::Checkpoint::open(&path).unwrap_err().to_string();
        let start = path.display().to_string() + ": ";
        error.strip_prefix(&start).unwrap().to_owned()
    }

    #[test]
    fn what_is_saved_under_the_name_of_weights_is_called_what_it_is() {
        let cases: [(&[u8], &str); 14] = [
            (
                b"<!DOCTYPE html>\n<html><title>Access restricted</title>",
                "a web page",
            ),
            (b"\xef\xbb\xbf\r\n  <HTML lang=en>", "a web page"),
            (
                b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>",
                "an XML document",
            ),
            (
                b"<Error><Code>AccessDenied</Code></Error>",
                "an XML document",
            ),
            (
                b"{\"error\":\"Repository not found\"}",
                "a JSON text, perhaps a server's message",
            ),
            (
                b"Invalid username or password.",
                "a text, perhaps a server's message",
            ),
            (b"Entry not found", "a text, perhaps a server's message"),
            (
                b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0archive/data.pkl",
                "a zip archive, as PyTorch saves",
            ),
            (
                b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
                "a pickle, as older versions of PyTorch save",
            ),
            (b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0", "a GGUF model"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "a gzip archive"),
            (b"", "an empty file"),
            (&[0; 3], "zeros: an unfinished download"),
            (&[0; 4096], "zeros: an unfinished download"),
        ];
        for (bytes, content) in cases {
            assert_eq!(
                error_of(bytes),
                format!("{content}, not safetensors weights")
            );
        }
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5141928\n";
        assert_eq!(
            error_of(pointer),
            "a Git LFS pointer of 70 bytes, not the weights themselves"
        );
    }

    #[test]
    fn a_download_that_was_cut_is_truncated_wherever_it_was_cut() {
        let json = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let whole = [&(json.len() as u64).to_le_bytes()[..], json, &[7; 8]].concat();
        for length in 1..whole.len() {
            let error = error_of(&whole[..length]);
            assert!(error.starts_with("truncated: "), "{length}: {error}");
        }
    }
}
