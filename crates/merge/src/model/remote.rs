//! Models that are not on this machine, and how they come to a plan.
//!
//! This crate speaks no network. Who does fills [`LocateOptions::remote`](super::LocateOptions::remote); a model that is not found
//! here is asked for there.

use std::fmt::Debug;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use weightsmith_tensors::{Checkpoint, ModelSource};

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
    /// The model with its weights where they are. None where they are in the folder.
    pub source: Option<Arc<dyn ModelSource>>,
}

impl RemoteModel {
    /// The model, opened from its folder where its weights are there.
    fn opened(&self) -> Result<Arc<dyn ModelSource>, weightsmith_tensors::Error> {
        match &self.source {
            Some(source) => Ok(Arc::clone(source)),
            None => open_weights(&self.folder, Some(&self.commit)),
        }
    }
}

impl Located {
    /// Opens its weights.
    ///
    /// # Errors
    /// When they are not sound.
    pub fn open(&self) -> Result<Opened, weightsmith_tensors::Error> {
        let weights = self.file.as_ref().unwrap_or(&self.folder);
        Ok(Opened {
            source: open_weights(weights, self.kind.revision())?,
            label: self.label.clone(),
            kind: self.kind.clone(),
        })
    }
}

fn open_weights(
    path: &Path,
    revision: Option<&str>,
) -> Result<Arc<dyn ModelSource>, weightsmith_tensors::Error> {
    let checkpoint = Checkpoint::open(path)?;
    Ok(match revision {
        Some(revision) => Arc::new(checkpoint.at_revision(revision)),
        None => Arc::new(checkpoint),
    })
}

/// A model that was found and opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What to call it where paths must not appear.
    pub label: String,
    /// Where it was found.
    pub kind: LocatedKind,
    /// Its tensors and other files.
    pub source: Arc<dyn ModelSource>,
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

/// Finds a model and opens it: one that was given, one that is here, else through [`LocateOptions::remote`].
///
/// # Errors
/// When it is nowhere, or its weights are not sound.
pub fn open(
    path: &str,
    revision: Option<&str>,
    options: &LocateOptions,
) -> Result<Opened, OpenError> {
    if let Some(source) = options.given.get(path) {
        return Ok(Opened {
            label: path.to_owned(),
            kind: LocatedKind::Given,
            source: Arc::clone(source),
        });
    }
    if is_in_store(path) {
        return open_stored(normal(path), options);
    }
    let error = match super::locate(path, revision, options) {
        Ok(located) => return Ok(located.open()?),
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
    Ok(Opened {
        label: repo.clone(),
        source: model.opened()?,
        kind: LocatedKind::HubCache {
            repo,
            revision,
            commit: model.commit,
        },
    })
}

/// Opens a model that is on this machine by its path, which need not be UTF-8 as names are.
///
/// # Errors
/// When there is none, or its weights are not sound.
pub fn open_path(path: &Path) -> Result<Opened, OpenError> {
    Ok(super::locate::locate_path(path)?.open()?)
}

fn open_stored(address: &str, options: &LocateOptions) -> Result<Opened, OpenError> {
    let found = options.remote.as_ref();
    let Some(model) = found.and_then(|remote| remote.find_stored(address)) else {
        return Err(LocateError::InStore {
            address: address.to_owned(),
        }
        .into());
    };
    Ok(Opened {
        label: label(address),
        source: model.opened()?,
        kind: LocatedKind::Store {
            address: address.to_owned(),
            version: model.commit,
        },
    })
}

/// The name and revision of a model that has to come from the hub; nothing where it is here, or cannot be there.
pub fn missing_model(
    path: &str,
    revision: Option<&str>,
    options: &LocateOptions,
) -> Option<(String, String)> {
    if options.given.contains_key(path) {
        return None;
    }
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
    use weightsmith_tensors::DType;
    use weightsmith_tensors::testing::{TestTensor, write_checkpoint};

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
            source: None,
        })));
        let opened = open("org/name", Some("v2"), &options).unwrap();
        assert_eq!(opened.source.tensors().len(), 1);
        assert_eq!(opened.label, "org/name");
        assert!(open("hf://org/name", Some("v2"), &options).is_ok());
        let stored = open("s3://bucket/models/a/", None, &options).unwrap();
        assert_eq!(stored.label, "a");
        assert_eq!(stored.kind.revision(), Some("abc"));
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
