//! Where in which store.

use std::fmt;
use std::str::FromStr;

use crate::StoreError;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `s3://`: Amazon S3, and stores that speak its protocol.
    S3,
    /// `gs://`: Google Cloud Storage.
    Google,
    /// `az://`: Azure Blob Storage.
    Azure,
}

impl Scheme {
    const ALL: [Self; 3] = [Self::S3, Self::Google, Self::Azure];

    /// What an address begins with, without `://`.
    pub const fn text(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }

    /// What holds the objects.
    pub(crate) const fn bucket(self) -> &'static str {
        match self {
            Self::S3 | Self::Google => "bucket",
            Self::Azure => "container",
        }
    }
}

/// `s3://BUCKET/PREFIX`: the objects whose names begin with `PREFIX/`, as a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// The kind of store.
    pub scheme: Scheme,
    /// The bucket or container.
    pub bucket: String,
    /// The folder in it, without a slash at either end; empty for the whole bucket.
    pub prefix: String,
}

impl Address {
    /// Whether a text is meant as an address in a store.
    pub fn is_meant(text: &str) -> bool {
        split(text).is_some()
    }

    /// The last part, as a folder's name.
    pub fn name(&self) -> &str {
        self.prefix
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.bucket)
    }

    /// Whether another address is this one or lies below it.
    pub fn holds(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.bucket == other.bucket
            && other.prefix.strip_prefix(&self.prefix).is_some_and(|rest| {
                rest.is_empty() || self.prefix.is_empty() || rest.starts_with('/')
            })
    }
}

fn split(text: &str) -> Option<(Scheme, &str)> {
    Scheme::ALL.into_iter().find_map(|scheme| {
        let rest = text.strip_prefix(scheme.text())?.strip_prefix("://")?;
        Some((scheme, rest))
    })
}

impl FromStr for Address {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let wrong = |problem: &'static str| StoreError::NotAnAddress {
            text: text.to_owned(),
            problem,
        };
        let (scheme, rest) = split(text).ok_or_else(|| wrong("unknown scheme"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if bucket.is_empty() {
            return Err(wrong("no bucket"));
        }
        if !bucket.bytes().all(is_letter) {
            return Err(wrong("invalid bucket name"));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
        if !prefix.is_empty() && !prefix.split('/').all(is_part) {
            return Err(wrong("a part between two slashes is empty, `.` or `..`"));
        }
        if prefix.chars().any(char::is_control) {
            return Err(wrong("it has a control character"));
        }
        Ok(Self {
            scheme,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme.text(), self.bucket)?;
        if !self.prefix.is_empty() {
            write!(formatter, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_a_scheme_a_bucket_and_a_prefix() {
        let found = address("s3://my-bucket/models/a b/");
        assert_eq!(found.scheme, Scheme::S3);
        assert_eq!(
            (found.bucket.as_str(), found.prefix.as_str()),
            ("my-bucket", "models/a b")
        );
        assert_eq!(found.to_string(), "s3://my-bucket/models/a b");
        assert_eq!(found.name(), "a b");
        assert_eq!(address("gs://bucket").name(), "bucket");
        assert_eq!(address("az://container/").to_string(), "az://container");
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for text in [
            "s3://",
            "s3:///a",
            "s3://b//a",
            "s3://b/../a",
            "s3://b/a//",
            "s3://b?c/a",
            "s3://b/a\nb",
            "http://b/a",
            "models/a",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        assert!(Address::is_meant("az://") && !Address::is_meant("hf://a/b"));
    }

    #[test]
    fn a_folder_holds_itself_and_what_is_below_it() {
        let folder = address("s3://b/a");
        assert!(folder.holds(&folder) && folder.holds(&address("s3://b/a/c")));
        assert!(!folder.holds(&address("s3://b/ac")) && !folder.holds(&address("s3://b")));
        assert!(!folder.holds(&address("gs://b/a")));
        assert!(address("s3://b").holds(&folder));
    }
}
