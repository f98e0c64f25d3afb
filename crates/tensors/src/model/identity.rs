//! What tells a model from any other.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ShardFile;

/// What tells a model from any other: the same on every machine, whatever its path.
///
/// It is made of the revision, where there is one, and of the names, sizes and headers of the weight files. Two trainings of
/// one model in local folders may have the same headers: whoever keeps what was computed from a folder looks at
/// [`ShardFile::modified`] too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelIdentity(String);

impl ModelIdentity {
    /// The identity of a model that is made of parts, in their order.
    pub fn of_parts<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            let part = part.as_ref();
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().to_string())
    }

    /// The identity of weight files, of a revision where it has one.
    pub fn of_files(revision: Option<&str>, files: &[ShardFile]) -> Self {
        let of_files = files.iter().flat_map(|file| {
            [
                file.name.clone(),
                file.size.to_string(),
                file.header_hash.clone(),
            ]
        });
        Self::of_parts(std::iter::once(revision.unwrap_or_default().to_owned()).chain(of_files))
    }

    /// As hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_from_one_another() {
        let of = |parts: &[&str]| ModelIdentity::of_parts(parts);
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        for other in [&["ab"][..], &["b", "a"], &["a", "", "b"], &["a"], &[]] {
            assert_ne!(of(&["a", "b"]), of(other));
        }
    }
}
