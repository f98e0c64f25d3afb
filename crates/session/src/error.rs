//! What can go wrong in a session.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use weightsmith::model::{LocateError, OpenError};
use weightsmith::output::{LockError, PublicationError};
use weightsmith::run::RunError;
use weightsmith::verify::VerifyError;
use weightsmith_hub::HubError;
use weightsmith_report::diff::DiffError;
use weightsmith_stores::StoreError;

use crate::{DestinationError, Outcome, RecipeTextError};

/// An error of a session; [`SessionError::hints`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A recipe's text cannot be read.
    #[error(transparent)]
    RecipeText(#[from] RecipeTextError),

    /// A recipe has mistakes.
    #[error("the recipe `{}` cannot be merged", .0.recipe.name)]
    Recipe(Box<Outcome>),

    /// A model was not found, or its weights are not sound.
    #[error(transparent)]
    Open(#[from] OpenError),

    /// The Hub has it not, or does not give it.
    #[error(transparent)]
    Hub(#[from] HubError),

    /// A store has it not, or does not give it.
    #[error(transparent)]
    Store(#[from] StoreError),

    /// The same that was said before.
    #[error(transparent)]
    Shared(Arc<SessionError>),

    /// A model cannot go there.
    #[error(transparent)]
    Destination(#[from] DestinationError),

    /// A merge could not be finished.
    #[error(transparent)]
    Run(#[from] RunError),

    /// The merged model was not sent; it is kept.
    #[error(transparent)]
    Kept(Box<Kept>),

    /// Models could not be compared.
    #[error(transparent)]
    Diff(#[from] DiffError),

    /// A folder cannot be published.
    #[error(transparent)]
    Publication(#[from] PublicationError),

    /// A merged model cannot be verified.
    #[error(transparent)]
    Verify(#[from] VerifyError),

    /// A lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),

    /// A model cannot run.
    #[error(transparent)]
    Infer(#[from] weightsmith_infer::Error),

    /// Weights are not sound.
    #[error(transparent)]
    Tensors(#[from] weightsmith_tensors::Error),

    /// A file or folder; the message names it.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// There is no folder.
    #[error("there is no folder `{folder}`")]
    NoFolder {
        /// As it was named.
        folder: String,
        /// Whether a name on the hub would do.
        or_hub: bool,
    },

    /// Something that reads folders was given an address.
    #[error("`{address}` is in an object store, and `{command}` needs a local folder")]
    InStore {
        /// The address.
        address: String,
        /// What reads folders.
        command: &'static str,
    },

    /// A model to be published has no name.
    #[error("a model without a lock has no default name")]
    NoName,

    /// A recipe that names no Hub models.
    #[error("`{recipe}` names no Hub models")]
    NothingToPull {
        /// Its path.
        recipe: String,
    },
}

/// A merged model that was not sent, and why.
#[derive(Debug)]
pub struct Kept {
    /// Why.
    pub error: SessionError,
    /// Where it is.
    pub folder: PathBuf,
    /// Whether the same call again sends what is missing.
    pub resumable: bool,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Kept {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<LocateError> for SessionError {
    fn from(error: LocateError) -> Self {
        Self::Open(error.into())
    }
}

impl SessionError {
    /// The error itself where nobody else has it.
    pub(crate) fn shared(error: Arc<Self>) -> Self {
        Arc::try_unwrap(error).unwrap_or_else(Self::Shared)
    }

    /// Whether the call ended because it was cancelled.
    pub fn is_interrupted(&self) -> bool {
        match self {
            Self::Hub(HubError::Stopped)
            | Self::Store(StoreError::Interrupted)
            | Self::Run(RunError::Interrupted)
            | Self::Diff(DiffError::Interrupted)
            | Self::Infer(weightsmith_infer::Error::Cancelled) => true,
            Self::Shared(error) => error.is_interrupted(),
            Self::Kept(kept) => kept.error.is_interrupted(),
            _ => false,
        }
    }

    /// Whether what was asked for makes no sense, as against something that could not be done.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::RecipeText(_)
            | Self::Recipe(_)
            | Self::NoFolder { .. }
            | Self::InStore { .. }
            | Self::NoName
            | Self::NothingToPull { .. } => true,
            Self::Destination(error) => error.is_usage(),
            Self::Shared(error) => error.is_usage(),
            _ => false,
        }
    }

    /// What to do about it, most helpful first.
    pub fn hints(&self) -> Vec<String> {
        let hint = |text: &str| vec![text.to_owned()];
        match self {
            Self::RecipeText(error) => error.hints(),
            Self::Open(error) => open_hints(error),
            Self::Hub(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Shared(error) => error.hints(),
            Self::Destination(error) => error.hints(),
            Self::Run(error) => error.hints(),
            Self::Publication(error) => error.hints(),
            Self::Kept(kept) => {
                let Kept {
                    error,
                    folder,
                    resumable,
                } = &**kept;
                let mut hints = error.hints();
                let folder = folder.display();
                hints.push(if *resumable {
                    format!(
                        "the merged model is kept in {folder}; run the same command again to upload the rest"
                    )
                } else {
                    format!("the merged model is in {folder}")
                });
                hints
            }
            Self::NoFolder { or_hub: true, .. } => hint(
                "OUT is the folder of a merged model, or a model on the Hub such as `organization/name`",
            ),
            Self::NoFolder { or_hub: false, .. } => hint("OUT is the folder of a merged model"),
            Self::InStore { .. } => hint("copy the model to a local folder first"),
            Self::NoName => hint("name the repository: `weightsmith push OUT account/name`"),
            Self::NothingToPull { recipe } => vec![format!(
                "run `weightsmith check {recipe}` to find problems in the recipe"
            )],
            Self::Verify(VerifyError::Lock(LockError::Missing { .. })) => hint(
                "only models written by `weightsmith merge` can be verified, because they have a lock",
            ),
            Self::Recipe(_)
            | Self::Verify(_)
            | Self::Diff(_)
            | Self::Lock(_)
            | Self::Infer(_)
            | Self::Tensors(_)
            | Self::Io(_) => Vec::new(),
        }
    }
}

/// A relative path is looked up beside a recipe only where there is one: here models are named by themselves.
fn open_hints(error: &OpenError) -> Vec<String> {
    let hints = error.hints().into_iter();
    hints
        .filter(|hint| !hint.contains("beside the recipe"))
        .collect()
}
