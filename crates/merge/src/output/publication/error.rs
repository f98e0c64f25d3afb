//! Why a folder is not published.

use std::io;
use std::path::PathBuf;

use super::super::LockError;
use super::super::secrets::Secret;

/// Places of keys that a message shows.
const SHOWN: usize = 10;

/// A folder that cannot be published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// There is no model in it.
    #[error("{}: no model: expected `config.json` and `.safetensors` files", folder.display())]
    NoModel {
        /// The folder.
        folder: PathBuf,
    },
    /// Its lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A merge is about to take its place in it.
    #[error(transparent)]
    Tensors(#[from] weightsmith_tensors::Error),
    /// A file cannot be read. The message names it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A link leads to a file that may be somebody's own.
    #[error(
        "`{name}` is a link to `{target}`, outside the model's folder; replace it with a copy to publish it",
        target = target.display()
    )]
    Link {
        /// The file.
        name: String,
        /// Where it leads.
        target: PathBuf,
    },
    /// A pattern of files to be published fits none.
    #[error("no file in the folder matches `{pattern}`")]
    NothingIncluded {
        /// The pattern.
        pattern: String,
    },
    /// Texts hold what looks like keys or tokens.
    #[error("{}; nothing was sent", places(found))]
    Secrets {
        /// Where.
        found: Vec<Secret>,
    },
}

impl PublicationError {
    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Secrets { found } => vec![
                "remove it from the file, and revoke it if the file was ever shared".to_owned(),
                format!(
                    "if it is not a secret: `weightsmith push --allow-secret {} ...`",
                    found.first().map_or("FILE", |secret| &secret.name)
                ),
            ],
            Self::NothingIncluded { .. } => {
                vec!["`--include` takes a name, a path or a pattern such as `docs/*.md`".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

fn places(found: &[Secret]) -> String {
    let text = found
        .iter()
        .take(SHOWN)
        .map(|secret| {
            format!(
                "`{}`, line {}: what looks like {}",
                secret.name, secret.line, secret.kind
            )
        })
        .collect::<Vec<_>>()
        .join("; ");
    match found.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}
