//! What a file's bytes must hash to.

use std::fmt::Write as _;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// A hash that the hub promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// SHA-256 of the bytes: files in LFS or xet.
    Sha256(String),
    /// The name that git gives: SHA-1 of a short header and the bytes.
    Git(String),
}

impl Expected {
    pub(crate) fn sha256(text: &str) -> Option<Self> {
        is_hexadecimal(text, 64).then(|| Self::Sha256(text.to_ascii_lowercase()))
    }

    pub(crate) fn git(text: &str) -> Option<Self> {
        is_hexadecimal(text, 40).then(|| Self::Git(text.to_ascii_lowercase()))
    }

    /// The hash in hexadecimal: what the cache calls the file.
    pub(crate) fn text(&self) -> &str {
        let (Self::Sha256(text) | Self::Git(text)) = self;
        text
    }

    /// Begins to hash a file of that size.
    pub(crate) fn hasher(&self, size: u64) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Self::Git(_) => {
                let mut hasher = Sha1::new();
                hasher.update(format!("blob {size}\0"));
                Hasher::Git(hasher)
            }
        }
    }
}

/// A hash on the way.
#[derive(Debug)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Git(Sha1),
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Git(hasher) => hasher.update(bytes),
        }
    }

    /// The hash in hexadecimal.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Sha256(hasher) => hexadecimal(&hasher.finalize()),
            Self::Git(hasher) => hexadecimal(&hasher.finalize()),
        }
    }
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Bytes in hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_has_the_name_that_git_gives_it() {
        let git = Expected::git("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391").unwrap();
        assert_eq!(git.hasher(0).finish(), git.text());
        assert_eq!(Expected::git("../../etc"), None);
    }
}
