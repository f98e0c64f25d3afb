//! The table of models: from a name to a folder. No name is ever part of a path.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

use crate::app::App;

/// How a model came to be in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// Merged here.
    Made,
    /// In a folder that was given.
    Folder,
    /// In the Hugging Face cache.
    Cache,
    /// Named on the command line.
    Given,
    /// A merge that was not written.
    Preview,
}

/// A model of the table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its name: in addresses, in requests for texts, in recipes.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    /// Its folder; none for what was not written or was given by the command line.
    pub(crate) folder: Option<PathBuf>,
}

/// All models.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    entries: RwLock<Vec<Arc<Entry>>>,
}

impl Catalogue {
    /// Looks for models again; tells the pages when something changed.
    pub(crate) fn refresh(&self, app: &App) {
        let mut found = Vec::new();
        let made = app.settings.made();
        for (origin, folder) in app
            .settings
            .folders
            .iter()
            .map(|folder| (Origin::Folder, folder))
            .chain([(Origin::Made, &made)])
        {
            found.extend(models_in(folder, origin));
        }
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.clone()
    }

    /// The model of that name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find(|entry| entry.name == name).cloned()
    }
}

fn models_in(folder: &Path, origin: Origin) -> Vec<Arc<Entry>> {
    let Ok(children) = fs_err::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<_> = children
        .filter_map(Result::ok)
        .map(|child| child.path())
        .filter(|path| path.join("config.json").is_file())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let folder = Some(path);
            Some(Arc::new(Entry {
                name,
                origin,
                folder,
            }))
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
