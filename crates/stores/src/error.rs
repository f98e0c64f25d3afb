//! What can go wrong between here and a store.

use std::error::Error as _;
use std::io;

use crate::{Address, Scheme};

/// An error of this crate; [`StoreError::hints`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The text is no address.
    #[error(
        "`{text}` is not an object store address: {problem}; expected `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`"
    )]
    NotAnAddress {
        /// The text.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The environment's settings for a kind of store cannot be used.
    #[error("`{address}` cannot be opened with the current environment: {problem}")]
    Settings {
        /// The address.
        address: Address,
        /// What the store's client says.
        problem: String,
    },

    /// There is nobody to ask as.
    #[error("there are no credentials for `{address}`")]
    NoCredentials {
        /// The address.
        address: Address,
    },

    /// The store does not know the credentials.
    #[error("the store does not accept the credentials for `{address}`: {message}")]
    BadCredentials {
        /// The address.
        address: Address,
        /// What it says.
        message: String,
    },

    /// The credentials do not allow it.
    #[error("not allowed to {action} `{address}`: {message}")]
    Denied {
        /// The address.
        address: Address,
        /// What was tried.
        action: &'static str,
        /// What the store says.
        message: String,
    },

    /// No such bucket.
    #[error("there is no {} `{}` for `{address}`", address.scheme.bucket(), address.bucket)]
    NoBucket {
        /// The address.
        address: Address,
    },

    /// The bucket is in another region.
    #[error("the bucket of `{address}` is in another region: {message}")]
    Region {
        /// The address.
        address: Address,
        /// What the store says.
        message: String,
    },

    /// Plain HTTP is not allowed.
    #[error("the endpoint for `{address}` is plain HTTP, which is not allowed")]
    PlainHttp {
        /// The address.
        address: Address,
    },

    /// Nothing is there.
    #[error("not found: `{address}`")]
    Nothing {
        /// The address.
        address: Address,
    },

    /// There are no weights.
    #[error("there are no safetensors weights at `{address}`{}", listed(found))]
    NoWeights {
        /// The address.
        address: Address,
        /// Weights in other formats.
        found: Vec<String>,
    },

    /// The index names a file that is not there.
    #[error("`{address}` has no `{file}`, which its index lists")]
    NoFile {
        /// The address.
        address: Address,
        /// The file.
        file: String,
    },

    /// The model is not complete.
    #[error(
        "the model at `{address}` is not complete: an upload is in progress or was interrupted"
    )]
    Uploading {
        /// The address.
        address: Address,
    },

    /// An object is another one than when it was first looked at.
    #[error("`{object}` in `{address}` changed while it was in use")]
    Changed {
        /// The address.
        address: Address,
        /// The object's name below it.
        object: String,
    },

    /// An earlier result is there.
    #[error("there is already a merged model at `{address}`")]
    ResultThere {
        /// The address.
        address: Address,
    },

    /// Something else is there.
    #[error("`{address}` is not empty: it has {}", shown(found))]
    Occupied {
        /// The address.
        address: Address,
        /// Some of its objects.
        found: Vec<String>,
    },

    /// Weights of another model would stay beside the new ones.
    #[error(
        "`{address}` contains weights that the new model would not replace: {}",
        shown(found)
    )]
    ForeignWeights {
        /// The address.
        address: Address,
        /// Their objects.
        found: Vec<String>,
    },

    /// Another upload goes to the same place.
    #[error("another upload to `{address}` began at {since} and has not ended")]
    Claimed {
        /// The address.
        address: Address,
        /// When, as the store has it.
        since: String,
    },

    /// Another upload came in between.
    #[error(
        "another writer changed `{address}` during this upload: {what}; the upload was not completed"
    )]
    Overtaken {
        /// The address.
        address: Address,
        /// What was found.
        what: String,
    },

    /// It was stopped from outside.
    #[error("interrupted")]
    Interrupted,

    /// Nobody answered.
    #[error("the store of `{address}` cannot be reached: {problem}")]
    Unreachable {
        /// The address.
        address: Address,
        /// What went wrong.
        problem: String,
    },

    /// The store said something else.
    #[error("cannot {action} `{address}`: {problem}")]
    Other {
        /// The address.
        address: Address,
        /// What was tried.
        action: &'static str,
        /// What it said.
        problem: String,
    },

    /// The weights or their index are not sound.
    #[error(transparent)]
    Tensors(#[from] weightsmith_tensors::Error),

    /// A file or folder here. The message names the path.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl StoreError {
    /// What an error of `object_store` means.
    pub(crate) fn of(address: &Address, action: &'static str, error: &object_store::Error) -> Self {
        let text = chain(error);
        let address = address.clone();
        let message = || said(&text).unwrap_or_else(|| text.clone());
        let has = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
        if has(&["plain HTTP to"]) {
            return Self::PlainHttp { address };
        }
        if has(&[
            "169.254.169.254",
            "169.254.170.2",
            "metadata.google.internal",
            "/latest/api/token",
            "/latest/meta-data/iam",
        ]) {
            return Self::NoCredentials { address };
        }
        if has(&[
            "NoSuchBucket",
            "ContainerNotFound",
            "The specified bucket does not exist",
        ]) {
            return Self::NoBucket { address };
        }
        if has(&[
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "InvalidToken",
            "AuthenticationFailed",
        ]) || matches!(error, object_store::Error::Unauthenticated { .. })
        {
            let message = message();
            return Self::BadCredentials { address, message };
        }
        if has(&[
            "PermanentRedirect",
            "AuthorizationHeaderMalformed",
            "redirect without LOCATION",
        ]) {
            let message = message();
            return Self::Region { address, message };
        }
        if has(&["AccessDenied"]) || matches!(error, object_store::Error::PermissionDenied { .. }) {
            let message = message();
            return Self::Denied {
                address,
                action,
                message,
            };
        }
        if text.contains("HTTP error") {
            let problem = last(error);
            return Self::Unreachable { address, problem };
        }
        let problem = message();
        Self::Other {
            address,
            action,
            problem,
        }
    }

    /// What to do about it, most helpful first.
    pub fn hints(&self) -> Vec<String> {
        let hint = |text: &str| vec![text.to_owned()];
        match self {
            Self::NoCredentials { address } | Self::Settings { address, .. } => {
                no_credentials(address.scheme)
            }
            Self::BadCredentials { address, .. } => hint(match address.scheme {
                Scheme::S3 => "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN",
                Scheme::Google => "check GOOGLE_SERVICE_ACCOUNT, or log in again with `gcloud auth application-default login`",
                Scheme::Azure => "check AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
            }),
            Self::Denied { address, .. } => vec![format!(
                "the credentials need the rights to list, read, write and delete objects of the {} `{}`, or only read for input models",
                address.scheme.bucket(),
                address.bucket
            )],
            Self::NoBucket { address } => {
                let mut hints = vec![format!(
                    "check the spelling; a {} is not created automatically",
                    address.scheme.bucket()
                )];
                if address.scheme == Scheme::S3 {
                    hints.push(
                        "set AWS_ENDPOINT_URL for a store other than Amazon's, and AWS_REGION for the bucket's region".to_owned(),
                    );
                }
                hints
            }
            Self::Region { .. } => hint("set AWS_REGION to the bucket's region"),
            Self::PlainHttp { address } => hint(match address.scheme {
                Scheme::S3 => "set AWS_ALLOW_HTTP=true if the connection is trusted, such as to a store on this machine",
                Scheme::Google => "use an `https://` address",
                Scheme::Azure => "set AZURE_ALLOW_HTTP=true if the connection is trusted, such as to a store on this machine",
            }),
            Self::Nothing { .. } => hint("check the spelling and case: an address is the folder of a model"),
            Self::NoWeights { found, .. } if !found.is_empty() => {
                hint("only safetensors weights are read; convert them first")
            }
            Self::NoWeights { .. } => hint("use the folder that contains `config.json` and the weights"),
            Self::Uploading { .. } => hint("wait for it, or run the interrupted command again"),
            Self::Changed { .. } => hint("run the same command again when nobody else is writing"),
            Self::ResultThere { .. } => hint("use `--force` to replace it"),
            Self::Occupied { .. } => hint("choose an empty prefix, or use `--force`, which keeps objects that it does not replace"),
            Self::ForeignWeights { .. } => hint("readers would load them as part of the model: delete them, or choose another prefix"),
            Self::Claimed { .. } => vec![
                "wait for it, or choose another prefix".to_owned(),
                "if it was abandoned, use `--force` to replace it, or run its command again to resume it".to_owned(),
            ],
            Self::Overtaken { .. } => hint("the merged model is kept; run the same command again when nobody else is writing"),
            Self::Unreachable { .. } => hint("run the same command again to resume"),
            Self::NotAnAddress { .. }
            | Self::NoFile { .. }
            | Self::Interrupted
            | Self::Other { .. }
            | Self::Tensors(_)
            | Self::Io(_) => Vec::new(),
        }
    }
}

fn no_credentials(scheme: Scheme) -> Vec<String> {
    let hints: &[&str] = match scheme {
        Scheme::S3 => &[
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws configure export-credentials --format env` prints the ones of a profile",
            "for a public bucket set AWS_SKIP_SIGNATURE=true",
        ],
        Scheme::Google => &[
            "set GOOGLE_SERVICE_ACCOUNT to the path of a key, or run `gcloud auth application-default login`",
            "for a public bucket set GOOGLE_SKIP_SIGNATURE=true",
        ],
        Scheme::Azure => &[
            "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
            "for a public container set AZURE_SKIP_SIGNATURE=true",
        ],
    };
    hints.iter().map(|&hint| hint.to_owned()).collect()
}

/// An error and its causes; each repeats the next, so only what is new is added.
fn chain(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}

/// The innermost cause.
fn last(error: &object_store::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = cause.to_string();
        source = cause.source();
    }
    words
}

/// The code and message of an answer in XML.
fn said(text: &str) -> Option<String> {
    let between = |tag: &str| {
        let start = text.find(&format!("<{tag}>"))? + tag.len() + 2;
        let length = text[start..].find(&format!("</{tag}>"))?;
        Some(text[start..start + length].trim())
    };
    match (between("Code"), between("Message")) {
        (Some(code), Some(message)) if !message.is_empty() => Some(format!("{message} ({code})")),
        (code, message) => Some(code.or(message)?.to_owned()),
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; found `{}`", names.join("`, `"))
    }
}

/// A few names, and how many more there are.
fn shown(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let first: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> StoreError {
        let address = "s3://b/a".parse().unwrap();
        let error = object_store::Error::Generic {
            store: "S3",
            source: text.to_owned().into(),
        };
        StoreError::of(&address, "list", &error)
    }

    #[test]
    fn the_stores_codes_are_told_apart() {
        let xml = |code: &str| {
            format!("status 4xx: <Error><Code>{code}</Code><Message>Why.</Message></Error>")
        };
        assert!(matches!(
            of(&xml("NoSuchBucket")),
            StoreError::NoBucket { .. }
        ));
        assert!(matches!(
            of("Error performing PUT http://169.254.169.254/latest/api/token"),
            StoreError::NoCredentials { .. }
        ));
        assert!(matches!(
            of(&xml("SignatureDoesNotMatch")),
            StoreError::BadCredentials { .. }
        ));
        assert!(matches!(
            of(&xml("PermanentRedirect")),
            StoreError::Region { .. }
        ));
        let denied = of(&xml("AccessDenied"));
        assert_eq!(
            denied.to_string(),
            "not allowed to list `s3://b/a`: Why. (AccessDenied)"
        );
        assert_eq!(
            of(&xml("SlowDown")).to_string(),
            "cannot list `s3://b/a`: Why. (SlowDown)"
        );
    }
}
