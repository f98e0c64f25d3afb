//! A model as hosts will find it: all its files, its weights or what is wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith::model::{LocateOptions, Located, LocatedKind, locate_folder, missing_model};
use weightsmith_hub::{HubError, ModelName};
use weightsmith_tensors::Checkpoint;

use crate::failure::Failure;
use crate::models::with_hints;
use crate::printer::Printer;
use crate::remote::{failure, hub};
use crate::transfer::Transfer;

/// A model whose weights may be missing or damaged.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) label: String,
    /// The commit, for a model of the hub.
    pub(crate) revision: Option<String>,
    /// The folder with its small files.
    pub(crate) folder: PathBuf,
    /// The names of all files of its main folder.
    pub(crate) files: Vec<String>,
    pub(crate) weights: Result<Arc<Checkpoint>, String>,
}

/// Finds a model: a folder, in the cache, else on the hub, of which only small files and headers come.
pub(crate) fn find(
    model: &str,
    locate: &LocateOptions,
    printer: &Printer,
) -> Result<Hosted, Failure> {
    if let Some((repo, revision)) = missing_model(model, None, locate)
        && repo.contains('/')
        && !locate.offline
    {
        let name = ModelName::new(&repo, Some(&revision)).map_err(failure)?;
        return on_hub(&name, locate, printer);
    }
    let located = locate_folder(model, None, locate).map_err(|error| {
        let hints = error.hints();
        with_hints(error, hints)
    })?;
    here(located)
}

fn on_hub(name: &ModelName, locate: &LocateOptions, printer: &Printer) -> Result<Hosted, Failure> {
    let hub = hub(locate)?;
    let listing = [hub.look(name).map_err(failure)?];
    let transfer = Transfer::new(printer, "downloading");
    let folders = hub.pull_companions(&listing, &transfer);
    transfer.finish();
    let (folders, [listing]) = (folders.map_err(failure)?, listing);
    let folder = folders.into_iter().next().unwrap_or_default();
    let weights = match hub.open(&listing, &folder) {
        Ok(checkpoint) => Ok(Arc::new(checkpoint)),
        Err(
            problem @ (HubError::NoWeights { .. } | HubError::NoFile { .. } | HubError::Tensors(_)),
        ) => Err(problem.to_string()),
        Err(other) => return Err(failure(other)),
    };
    let paths = listing.files.into_iter().map(|file| file.path);
    Ok(Hosted {
        label: name.repository.clone(),
        revision: Some(listing.commit),
        folder,
        files: paths.filter(|path| !path.contains('/')).collect(),
        weights,
    })
}

fn here(located: Located) -> Result<Hosted, Failure> {
    let weights = Checkpoint::open(located.file.as_ref().unwrap_or(&located.folder));
    Ok(Hosted {
        files: names(&located.folder)?,
        weights: weights.map(Arc::new).map_err(|error| error.to_string()),
        revision: match located.kind {
            LocatedKind::HubCache { commit, .. } => Some(commit),
            LocatedKind::Local => None,
        },
        label: located.label,
        folder: located.folder,
    })
}

fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
