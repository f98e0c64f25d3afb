//! `weightsmith.lock.json`: what a merge was made of and what it consists of, to be checked later.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weightsmith_tensors::read_regular;

use crate::plan::Plan;

/// Name of the lock in the result's folder.
pub const LOCK_FILE: &str = "weightsmith.lock.json";

/// The version of the lock's format that is written and read.
pub const LOCK_FORMAT: u32 = 1;

/// Locks above this size are not read; the lock of a model with 1000 shards has 200 KB.
const MAX_LOCK_BYTES: u64 = 64 << 20;

/// What a merge was made of and what it consists of.
///
/// Local models are named by their folders; no absolute path is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lock {
    /// [`LOCK_FORMAT`].
    pub format: u32,
    /// Version of weightsmith that made it.
    pub weightsmith: String,
    /// When, in RFC 3339 with seconds, UTC.
    pub date: String,
    /// Name of the merge method.
    pub method: String,
    /// Key of all randomness.
    pub seed: u64,
    /// BLAKE3 of the recipe's text, which is in `mergekit_config.yml`.
    pub recipe: String,
    /// BLAKE3 of all that the run depended on, by which a rerun knows its own finished result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// BLAKE3 of paths and times of the inputs' files on the machine that made it, by which a rerun there knows that they are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_inputs: Option<String>,
    /// The models that were read.
    pub inputs: Vec<LockedInput>,
    /// Number of tensors of the result.
    pub tensors: u64,
    /// Number of elements of all tensors of the result.
    pub parameters: u64,
    /// Number of NaN and infinite elements that the run allowed.
    pub non_finite: u64,
    /// Every file of the result but the lock.
    pub files: Vec<LockedFile>,
}

/// A model that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockedInput {
    /// `org/name`, or the folder's name.
    pub label: String,
    /// True for the recipe's base model.
    pub base: bool,
    /// The commit of a model of the hub; a hash of the objects' tags of one in a store.
    pub revision: Option<String>,
    /// Its weight files.
    pub files: Vec<LockedInputFile>,
}

/// A weight file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockedInputFile {
    /// Name inside the model's folder.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the header, in hex.
    pub header: String,
}

/// A file of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockedFile {
    /// Path inside the folder, with `/` between its parts.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content, in hex: what `b3sum` prints.
    pub blake3: String,
}

/// What a lock holds besides the plan.
#[derive(Debug, Clone)]
pub struct LockFacts<'a> {
    /// The recipe's text.
    pub recipe: &'a str,
    /// Stands for all that the run depended on.
    pub run: Option<&'a str>,
    /// Stands for where the inputs are and when they were written.
    pub run_inputs: Option<&'a str>,
    /// When the merge was made.
    pub date: Timestamp,
    /// NaN and infinite elements of the result.
    pub non_finite: u64,
    /// Every file of the result but the lock.
    pub files: &'a [LockedFile],
}

/// A lock that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// There is none.
    #[error("{path}: missing; models merged by weightsmith have one", path = path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is larger than any real one.
    #[error("{path}: {found} bytes, the limit for locks is {limit}", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The largest accepted size.
        limit: u64,
    },
    /// It is not JSON of the expected form.
    #[error("not a lock: {source}")]
    Json {
        /// What the JSON parser says, with line and column.
        #[from]
        source: serde_json::Error,
    },
    /// Another version of weightsmith wrote it.
    #[error("the lock has format {found}, this version reads format {LOCK_FORMAT}")]
    Format {
        /// Its format.
        found: u64,
    },
    /// A file's name leads out of the folder.
    #[error("the lock lists `{name}`, which is not a path inside the model's folder")]
    Outside {
        /// The name.
        name: String,
    },
    /// A file is listed twice.
    #[error("the lock lists `{name}` twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A hash is none.
    #[error("the lock has `{found}` as the hash of `{name}`; 64 hexadecimal digits are expected")]
    Hash {
        /// The file.
        name: String,
        /// What stands there.
        found: String,
    },
}

impl Lock {
    /// The lock of a finished merge.
    pub fn new(plan: &Plan, facts: &LockFacts<'_>) -> Self {
        let mut files: Vec<LockedFile> = facts
            .files
            .iter()
            .filter(|file| file.name != LOCK_FILE)
            .cloned()
            .collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            format: LOCK_FORMAT,
            weightsmith: env!("CARGO_PKG_VERSION").to_owned(),
            date: facts.date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            method: plan.method.clone(),
            seed: plan.seed,
            recipe: blake3::hash(facts.recipe.as_bytes()).to_string(),
            run: facts.run.map(ToOwned::to_owned),
            run_inputs: facts.run_inputs.map(ToOwned::to_owned),
            inputs: locked_inputs(plan),
            tensors: plan.tensors.len() as u64,
            parameters: plan
                .tensors
                .iter()
                .map(|tensor| tensor.info.elements())
                .sum(),
            non_finite: facts.non_finite,
            files,
        }
    }

    /// The lock as JSON, indented, with a line end.
    ///
    /// # Errors
    /// When the serialiser fails, which no lock makes it do.
    pub fn to_json(&self) -> Result<String, LockError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads the lock of a model's folder.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(LOCK_FILE);
        let found = match fs_err::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LockError::Missing { path });
            }
            Err(error) => return Err(error.into()),
        };
        if found > MAX_LOCK_BYTES {
            return Err(LockError::TooLarge {
                path,
                found,
                limit: MAX_LOCK_BYTES,
            });
        }
        Self::parse(&read_regular(&path, MAX_LOCK_BYTES)?)
    }

    /// Parses and checks a lock.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn parse(json: &[u8]) -> Result<Self, LockError> {
        let value: serde_json::Value = weightsmith_tensors::json::read(json)?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found != u64::from(LOCK_FORMAT) => {
                return Err(LockError::Format { found });
            }
            _ => {}
        }
        let lock: Self = weightsmith_tensors::json::read(json)?;
        let mut names = BTreeSet::new();
        for file in &lock.files {
            if !is_inside(&file.name) {
                return Err(LockError::Outside {
                    name: file.name.clone(),
                });
            }
            if !names.insert(&file.name) {
                return Err(LockError::Twice {
                    name: file.name.clone(),
                });
            }
            if blake3::Hash::from_hex(&file.blake3).is_err() {
                return Err(LockError::Hash {
                    name: file.name.clone(),
                    found: file.blake3.clone(),
                });
            }
        }
        Ok(lock)
    }
}

/// True for a relative path of plain names.
fn is_inside(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
    };
    name.split('/').all(plain)
}

fn locked_inputs(plan: &Plan) -> Vec<LockedInput> {
    let files = |files: &[crate::plan::InputFile]| {
        files
            .iter()
            .map(|file| LockedInputFile {
                name: file.name.clone(),
                bytes: file.bytes,
                header: file.header_hash.clone(),
            })
            .collect()
    };
    plan.inputs
        .iter()
        .enumerate()
        .map(|(index, input)| LockedInput {
            label: input.label.clone(),
            base: plan.base == Some(index),
            revision: input.revision.clone(),
            files: files(&input.files),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::example_plans::v;

    fn lock() -> Lock {
        let file = |name: &str| LockedFile {
            name: name.to_owned(),
            bytes: 3,
            blake3: blake3::hash(b"abc").to_string(),
        };
        let files = [
            file("model.safetensors"),
            file("config.json"),
            file(LOCK_FILE),
        ];
        let date = "2026-11-24T01:02:03.456Z".parse().unwrap();
        Lock::new(
            &v(),
            &LockFacts {
                recipe: "merge_method: slerp\n",
                run: None,
                run_inputs: None,
                date,
                non_finite: 0,
                files: &files,
            },
        )
    }

    fn with_name(name: &str) -> String {
        lock().to_json().unwrap().replace("config.json", name)
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let json = lock().to_json().unwrap();
        assert_eq!(Lock::parse(json.as_bytes()).unwrap(), lock());
        assert!(
            !json.contains("/models/"),
            "no path of an input may be in it: {json}"
        );
    }

    #[test]
    fn files_are_sorted_and_the_lock_does_not_list_itself() {
        let lock = lock();
        let names: Vec<&str> = lock.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["config.json", "model.safetensors"]);
        assert_eq!(lock.date, "2026-11-24T01:02:03Z");
    }

    #[test]
    fn damaged_json_is_named_with_its_place() {
        let error = Lock::parse(b"{\n  \"format\": 1,\n")
            .unwrap_err()
            .to_string();
        insta::assert_snapshot!(error, @"not a lock: EOF while parsing a value at line 3 column 0");
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = Lock::parse(b"{\"format\": 1}").unwrap_err().to_string();
        insta::assert_snapshot!(error, @"not a lock: missing field `weightsmith` at line 1 column 13");
    }

    #[test]
    fn another_format_is_refused_before_its_fields_are_looked_at() {
        let error = Lock::parse(b"{\"format\": 7}").unwrap_err().to_string();
        assert_eq!(error, "the lock has format 7, this version reads format 1");
    }

    #[test]
    fn names_that_lead_outside_are_refused() {
        for name in [
            "../config.json",
            "/etc/passwd",
            "a//b",
            "a/../b",
            "C:config.json",
            "a\\\\b",
            "",
        ] {
            let error = Lock::parse(with_name(name).as_bytes()).unwrap_err();
            assert!(
                matches!(error, LockError::Outside { .. }),
                "{name}: {error}"
            );
        }
        assert!(Lock::parse(with_name("1_Pooling/config.json").as_bytes()).is_ok());
    }

    #[test]
    fn a_file_listed_twice_and_a_broken_hash_are_refused() {
        assert!(matches!(
            Lock::parse(with_name("model.safetensors").as_bytes()),
            Err(LockError::Twice { .. })
        ));
        let mut lock = lock();
        lock.files[0].blake3.pop();
        assert!(matches!(
            Lock::parse(lock.to_json().unwrap().as_bytes()),
            Err(LockError::Hash { .. })
        ));
    }

    #[test]
    fn a_folder_without_a_lock_is_said_to_have_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Lock::read(folder.path()),
            Err(LockError::Missing { .. })
        ));
    }
}
