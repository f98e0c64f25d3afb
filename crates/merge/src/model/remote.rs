//! Models that are not on this machine, and how they come to a plan.
//!
//! This crate speaks no network. Who does fills [`LocateOptions::remote`](super::LocateOptions::remote); a model that is not found
//! here is asked for there.

use std::fmt::Debug;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use weightsmith_tensors::Checkpoint;

use super::address::{is_in_store, label, normal};
use super::locate::locate_folder;
use super::{LocateError, LocateOptions, Located, LocatedKind};

/// Gives models that are not, or not in full, on this machine.
pub trait RemoteModels: Debug + Send + Sync {
    /// The model of the hub with that name and revision; nothing where this source does not have it.
    fn find(&self, repo: &str, revision: &str) -> Option<RemoteModel>;

    /// The model at an address in an object store, such as `s3://bucket/models/a`, without a slash at the end.
    fn find_stored(&self, _address: &str) -> Option<RemoteModel> {
        None
    }
}

/// A model of the hub or of an object store.
#[derive(Debug, Clone)]
pub struct RemoteModel {
    /// The folder with its `config.json`, tokenizer and so on.
    pub folder: PathBuf,
    /// The commit that the revision stands for; in a store, a hash of the objects' tags.
    pub commit: String,
    /// Its weights, read where they are. None where they are in the folder.
    pub checkpoint: Option<Arc<Checkpoint>>,
}

/// A model that was found, with its weights opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Where it is and what it is called.
    pub located: Located,
    /// Its tensors.
    pub checkpoint: Arc<Checkpoint>,
}

/// A model that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It was not found.
    #[error(transparent)]
    Locate(Box<LocateError>),
    /// Its weights are not sound.
    #[error(transparent)]
    Weights(#[from] weightsmith_tensors::Error),
}

impl From<LocateError> for OpenError {
    fn from(error: LocateError) -> Self {
        Self::Locate(Box::new(error))
    }
}

impl OpenError {
    /// What to do about it, most helpful first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Locate(error) => error.hints(),
            Self::Weights(_) => Vec::new(),
        }
    }
}

/// Finds a model and opens its weights: here, else through [`LocateOptions::remote`].
///
/// # Errors
/// When it is nowhere, or its weights are not sound.
pub fn open(
    path: &str,
    revision: Option<&str>,
    options: &LocateOptions,
) -> Result<Opened, OpenError> {
    if is_in_store(path) {
        return open_stored(normal(path), options);
    }
    let error = match super::locate(path, revision, options) {
        Ok(located) => return open_located(located),
        Err(error) => error,
    };
    let found = options.remote.as_ref().and_then(|remote| {
        let (repo, revision) = missing_model(path, revision, options)?;
        let model = remote.find(&repo, &revision)?;
        Some((repo, revision, model))
    });
    let Some((repo, revision, model)) = found else {
        return Err(error.into());
    };
    let checkpoint = match model.checkpoint {
        Some(checkpoint) => checkpoint,
        None => Arc::new(Checkpoint::open(&model.folder)?),
    };
    Ok(Opened {
        located: Located {
            label: repo.clone(),
            folder: model.folder,
            file: None,
            kind: LocatedKind::HubCache {
                repo,
                revision,
                commit: model.commit,
            },
        },
        checkpoint,
    })
}

/// Opens a model that is on this machine by its path, which need not be UTF-8 as names are.
///
/// # Errors
/// When there is none, or its weights are not sound.
pub fn open_path(path: &Path) -> Result<Opened, OpenError> {
    open_located(super::locate::locate_path(path)?)
}

fn open_located(located: Located) -> Result<Opened, OpenError> {
    let weights = located.file.as_ref().unwrap_or(&located.folder);
    let checkpoint = Arc::new(Checkpoint::open(weights)?);
    Ok(Opened {
        located,
        checkpoint,
    })
}

fn open_stored(address: &str, options: &LocateOptions) -> Result<Opened, OpenError> {
    let found = options.remote.as_ref();
    let Some(model) = found.and_then(|remote| remote.find_stored(address)) else {
        return Err(LocateError::InStore {
            address: address.to_owned(),
        }
        .into());
    };
    let checkpoint = match model.checkpoint {
        Some(checkpoint) => checkpoint,
        None => Arc::new(Checkpoint::open(&model.folder)?),
    };
    Ok(Opened {
        located: Located {
            label: label(address),
            folder: model.folder,
            file: None,
            kind: LocatedKind::Store {
                address: address.to_owned(),
                version: model.commit,
            },
        },
        checkpoint,
    })
}

/// The name and revision of a model that has to come from the hub; nothing where it is here, or cannot be there.
pub fn missing_model(
    path: &str,
    revision: Option<&str>,
    options: &LocateOptions,
) -> Option<(String, String)> {
    let located = match locate_folder(path, revision, options) {
        Ok(located) => located,
        Err(
            LocateError::NotCached { repo, revision, .. }
            | LocateError::RevisionNotCached { repo, revision, .. },
        ) => return Some((repo, revision)),
        Err(_) => return None,
    };
    let incomplete = matches!(
        located.require_weights(),
        Err(LocateError::NoWeights { .. } | LocateError::MissingShards { .. })
    );
    match located.kind {
        LocatedKind::HubCache { repo, revision, .. } if incomplete => Some((repo, revision)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use weightsmith_tensors::testing::{TestTensor, write_checkpoint};
    use weightsmith_tensors::{DType, TensorSource as _};

    use super::*;

    #[derive(Debug)]
    struct One(RemoteModel);

    impl RemoteModels for One {
        fn find(&self, repo: &str, revision: &str) -> Option<RemoteModel> {
            ((repo, revision) == ("org/name", "v2")).then(|| self.0.clone())
        }

        fn find_stored(&self, address: &str) -> Option<RemoteModel> {
            (address == "s3://bucket/models/a").then(|| self.0.clone())
        }
    }

    #[test]
    fn what_is_not_here_is_asked_for_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model");
        let tensor: TestTensor<'_> = ("norm.weight", DType::F32, &[1], vec![1.0]);
        write_checkpoint(&model, &[tensor]).unwrap();
        let mut options = LocateOptions::from_env(|_| None);
        options.hub_cache = folder.path().join("cache");
        assert_eq!(
            missing_model("org/name@v2", None, &options),
            Some(("org/name".into(), "v2".into()))
        );
        assert_eq!(
            missing_model("hf://org/name", None, &options),
            Some(("org/name".into(), "main".into()))
        );
        assert_eq!(missing_model("s3://bucket/a", None, &options), None);
        assert_eq!(missing_model(model.to_str().unwrap(), None, &options), None);
        assert!(open("org/name", Some("v2"), &options).is_err());
        options.remote = Some(Arc::new(One(RemoteModel {
            folder: model,
            commit: "abc".into(),
            checkpoint: None,
        })));
        let opened = open("org/name", Some("v2"), &options).unwrap();
        assert_eq!(opened.checkpoint.tensors().len(), 1);
        assert_eq!(opened.located.label, "org/name");
        assert!(open("hf://org/name", Some("v2"), &options).is_ok());
        let stored = open("s3://bucket/models/a/", None, &options).unwrap();
        assert_eq!(stored.located.label, "a");
        assert_eq!(stored.located.kind.revision(), Some("abc"));
        let error = open("s3://bucket/models/b", None, &options).unwrap_err();
        assert!(matches!(
            error,
            OpenError::Locate(error) if matches!(*error, LocateError::InStore { .. })
        ));
        let error = open("org/other", None, &options).unwrap_err();
        assert!(matches!(
            error,
            OpenError::Locate(error) if matches!(*error, LocateError::NotCached { .. })
        ));
    }
}
