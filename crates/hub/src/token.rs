//! The secret that says who asks, and where it comes from.

use std::ffi::OsString;
use std::fmt;
use std::io::Read as _;
use std::path::Path;

use crate::HubError;

/// The longest token file.
const LONGEST_FILE: u64 = 64 << 10;

/// A secret that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The token in a text that may have spaces and line ends around it; none where there is nothing else.
    fn read(text: &str, from: &str) -> Result<Option<Self>, HubError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let problem = if text.is_empty() {
            return Ok(None);
        } else if text.contains(['\n', '\r']) {
            "it has a line break in the middle"
        } else if !text.is_ascii() {
            "it has a letter that is not ASCII"
        } else if text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            "it has a space or a control character in the middle"
        } else {
            return Ok(Some(Self(text.to_owned())));
        };
        Err(HubError::TokenText {
            from: from.to_owned(),
            problem,
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

/// The token of the environment, else of the file that `hf auth login` leaves.
pub(crate) fn find(
    get: &impl Fn(&str) -> Option<OsString>,
    file: &Path,
) -> Result<Option<Token>, HubError> {
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
        if let Some(value) = get(name)
            && let Some(token) = Token::read(&value.to_string_lossy(), &format!("`{name}`"))?
        {
            return Ok(Some(token));
        }
    }
    if !file.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    fs_err::File::open(file)?
        .take(LONGEST_FILE)
        .read_to_end(&mut bytes)?;
    Token::read(&decoded(&bytes), &format!("`{}`", file.display()))
}

/// The text of a file as editors and shells write it: UTF-8, or UTF-16 with its mark, as `>` of Windows PowerShell does.
fn decoded(bytes: &[u8]) -> String {
    let units = |decode: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2);
        let units: Vec<u16> = pairs.map(|pair| decode([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(bytes: &[u8]) -> Result<Option<Token>, HubError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs_err::write(&file, bytes).unwrap();
        find(&|_| None, &file)
    }

    #[test]
    fn a_token_file_is_read_as_editors_and_shells_write_it() {
        let expected = Some(Token::new("hf_abc"));
        let utf16 = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let little: Vec<u8> = utf16("\u{feff}hf_abc\r\n")
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = utf16("\u{feff}hf_abc")
            .into_iter()
            .flat_map(u16::to_be_bytes)
            .collect();
        for bytes in [
            b"hf_abc".as_slice(),
            b"hf_abc\n",
            b"\xef\xbb\xbfhf_abc\r\n",
            b"\n  hf_abc \n\n",
            &little,
            &big,
        ] {
            assert_eq!(from_file(bytes).unwrap(), expected, "{bytes:?}");
        }
        for empty in [b"".as_slice(), b"\n", b"\xef\xbb\xbf"] {
            assert_eq!(from_file(empty).unwrap(), None);
        }
    }

    #[test]
    fn a_token_that_cannot_be_one_is_named_by_its_place_and_never_shown() {
        for (text, problem) in [
            ("hf_sec\nret", "a line break"),
            ("hf_sec\r\nret", "a line break"),
            ("hf_secrét", "not ASCII"),
            ("hf_sec ret", "a space"),
            ("hf_sec\0ret", "a control character"),
        ] {
            let get = |name: &str| (name == "HF_TOKEN").then(|| text.into());
            let error = find(&get, Path::new("/nowhere")).unwrap_err();
            let shown = format!("{error} {error:?} {}", error.hints().join(" "));
            assert!(shown.contains("`HF_TOKEN`"), "{shown}");
            assert!(shown.contains(problem), "{shown}");
            assert!(!shown.contains("sec"), "{shown}");
        }
        let error = from_file(b"hf_sec\nret").unwrap_err().to_string();
        assert!(
            error.contains("/token`") && !error.contains("sec"),
            "{error}"
        );
    }
}
