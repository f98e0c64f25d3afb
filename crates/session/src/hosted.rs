//! A model as hosts will find it: all its files, its weights or what is wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith::model::{Located, locate_folder, missing_model};
use weightsmith_hub::{HubError, ModelName};
use weightsmith_tensors::Checkpoint;

use crate::moving::Moving;
use crate::{Monitor, Session, SessionError, Work};

/// A model whose weights may be missing or damaged.
#[derive(Debug)]
pub struct HostCandidate {
    /// What to call it.
    pub label: String,
    /// The commit, for a model of the hub.
    pub revision: Option<String>,
    /// The folder with its small files.
    pub folder: PathBuf,
    /// The names of all files of its main folder.
    pub files: Vec<String>,
    /// Its weights, or what is wrong with them.
    pub weights: Result<Arc<Checkpoint>, String>,
}

impl Session {
    /// Finds a model: a folder, in the cache, else on the hub, of which only small files and headers come.
    ///
    /// # Errors
    /// When there is none.
    pub fn hosted(&self, model: &str, monitor: Monitor<'_>) -> Result<HostCandidate, SessionError> {
        if let Some((repo, revision)) = missing_model(model, None, &self.locate)
            && repo.contains('/')
            && !self.is_offline()
        {
            let name = ModelName::new(&repo, Some(&revision))?;
            return self.hosted_on_hub(&name, monitor);
        }
        HostCandidate::here(locate_folder(model, None, &self.locate)?)
    }

    fn hosted_on_hub(
        &self,
        name: &ModelName,
        monitor: Monitor<'_>,
    ) -> Result<HostCandidate, SessionError> {
        let hub = self.hub()?;
        let listing = [hub.look(name)?];
        let folders = {
            let _working = monitor.begin(Work::Downloading);
            hub.pull_companions(&listing, &Moving::new(monitor))
        };
        let (folders, [listing]) = (folders?, listing);
        let folder = folders.into_iter().next().unwrap_or_default();
        let weights = match hub.open(&listing, &folder) {
            Ok(checkpoint) => Ok(Arc::new(checkpoint)),
            Err(
                problem @ (HubError::NoWeights { .. }
                | HubError::NoFile { .. }
                | HubError::Tensors(_)),
            ) => Err(problem.to_string()),
            Err(other) => return Err(other.into()),
        };
        let paths = listing.files.into_iter().map(|file| file.path);
        Ok(HostCandidate {
            label: name.repository.clone(),
            revision: Some(listing.commit),
            folder,
            files: paths.filter(|path| !path.contains('/')).collect(),
            weights,
        })
    }
}

impl HostCandidate {
    /// A model that is on this machine.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub fn here(located: Located) -> Result<Self, SessionError> {
        let weights = Checkpoint::open(located.file.as_ref().unwrap_or(&located.folder));
        Ok(Self {
            files: names(&located.folder)?,
            weights: weights.map(Arc::new).map_err(|error| error.to_string()),
            revision: located.kind.revision().map(str::to_owned),
            label: located.label,
            folder: located.folder,
        })
    }
}

fn names(folder: &Path) -> Result<Vec<String>, SessionError> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
