//! What a model is called on the hub.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::HubError;

/// What needs no encoding in a part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// As [`PART`], with slashes.
const PATH: &AsciiSet = &PART.remove(b'/');

/// `organization/name`, with a revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelName {
    /// `organization/name`, or the bare name of an old model.
    pub repository: String,
    /// A branch, tag, commit or `refs/pr/N`.
    pub revision: String,
}

impl ModelName {
    /// A name and a revision, `main` where none is given.
    ///
    /// # Errors
    /// When either cannot be one.
    pub fn new(repository: &str, revision: Option<&str>) -> Result<Self, HubError> {
        let revision = revision.unwrap_or("main");
        if is_repository(repository) && is_revision(revision) {
            return Ok(Self {
                repository: repository.to_owned(),
                revision: revision.to_owned(),
            });
        }
        Err(HubError::NotAName {
            text: format!("{repository}@{revision}"),
        })
    }

    /// The address of an API about the model.
    pub(crate) fn api(&self, endpoint: &str, action: &str, revision: &str) -> String {
        format!(
            "{endpoint}/api/models/{}/{action}/{}",
            self.repository,
            encoded(revision)
        )
    }

    /// The address of a file.
    pub(crate) fn file(&self, endpoint: &str, commit: &str, path: &str) -> String {
        format!(
            "{endpoint}/{}/resolve/{}/{}",
            self.repository,
            encoded(commit),
            utf8_percent_encode(path, PATH)
        )
    }

    /// The page for people.
    pub(crate) fn page(&self, endpoint: &str) -> String {
        format!("{endpoint}/{}", self.repository)
    }
}

impl FromStr for ModelName {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (text, None),
        };
        Self::new(repository, revision).map_err(|_| HubError::NotAName {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repository)?;
        if self.revision == "main" {
            Ok(())
        } else {
            write!(formatter, "@{}", self.revision)
        }
    }
}

/// A revision as a part of a path: its slashes are encoded too.
fn encoded(revision: &str) -> String {
    utf8_percent_encode(revision, PART).to_string()
}

fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.is_empty()
            && part.len() <= 96
            && part.bytes().all(letters)
            && !part.starts_with(['-', '.'])
            && !part.ends_with(['-', '.'])
            && !part.contains("--")
            && !part.contains("..")
    };
    text.split('/').count() <= 2 && text.split('/').all(is_part)
}

fn is_revision(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    !text.contains(['\\', ':', '\0']) && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_revision() {
        let name: ModelName = "org/name@refs/pr/1".parse().unwrap();
        assert_eq!(
            (name.repository.as_str(), name.revision.as_str()),
            ("org/name", "refs/pr/1")
        );
        assert_eq!(name.to_string(), "org/name@refs/pr/1");
        assert_eq!(
            name.api("http://h", "tree", &name.revision),
            "http://h/api/models/org/name/tree/refs%2Fpr%2F1"
        );
        assert_eq!(
            name.file("http://h", "abc", "a b/c#.json"),
            "http://h/org/name/resolve/abc/a%20b/c%23.json"
        );
        for wrong in ["", "a/b/c", "../a", "a/b@..", "a/b@", "a b"] {
            assert!(wrong.parse::<ModelName>().is_err(), "{wrong}");
        }
    }
}
