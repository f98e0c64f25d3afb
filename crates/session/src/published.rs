//! A merged model that was published: with every file that its lock lists, not only with what a merge needs.

use std::path::{Path, PathBuf};

use weightsmith::model::{LocateError, LocatedKind, is_in_store, locate_folder};
use weightsmith::output::Lock;
use weightsmith_hub::ModelName;

use crate::moving::Moving;
use crate::{Monitor, Session, SessionError, Work};

impl Session {
    /// Refuses what a command that reads folders cannot take: a store's address, or a path at which there is nothing.
    ///
    /// # Errors
    /// When it is either.
    pub fn require_folder(folder: &Path, command: &'static str) -> Result<(), SessionError> {
        let text = folder.to_string_lossy();
        if is_in_store(&text) {
            return Err(SessionError::InStore {
                address: text.into_owned(),
                command,
            });
        }
        if !folder.exists() {
            return Err(SessionError::NoFolder {
                folder: text.into_owned(),
                or_hub: command == "verify",
            });
        }
        Ok(())
    }

    /// The folder of a model: the one that was named, else that of the model on the hub, downloaded as far as it is not here.
    ///
    /// # Errors
    /// When there is none.
    pub fn published_folder(
        &self,
        model: &Path,
        monitor: Monitor<'_>,
    ) -> Result<PathBuf, SessionError> {
        let text = model.to_string_lossy();
        if is_in_store(&text) {
            Self::require_folder(model, "verify")?;
        }
        let mut locate = self.locate.clone();
        let found = match locate_folder(&text, None, &locate) {
            Ok(located) if located.kind == LocatedKind::Local => return Ok(model.to_owned()),
            Ok(located) => Ok(located.folder),
            Err(
                error @ (LocateError::NotCached { .. } | LocateError::RevisionNotCached { .. }),
            ) => Err(error),
            // what is wrong with a path is told when it is read
            Err(_) => return Ok(model.to_owned()),
        };
        if !self.is_offline() {
            let name: ModelName = text.parse()?;
            if let Some(folder) = self.pull_published(&name, model, &mut locate.away, monitor)? {
                return Ok(folder);
            }
        }
        let found = if locate.away.is_some() {
            // with the reason in its hints
            locate_folder(&text, None, &locate).map(|located| located.folder)
        } else {
            found
        };
        Ok(found?)
    }

    fn pull_published(
        &self,
        name: &ModelName,
        model: &Path,
        away: &mut Option<String>,
        monitor: Monitor<'_>,
    ) -> Result<Option<PathBuf>, SessionError> {
        let Some(listing) = self.look(name, away, monitor)? else {
            return Ok(None);
        };
        let hub = self.hub()?;
        let _working = monitor.begin(Work::Downloading);
        let moving = Moving::new(monitor);
        let pulled = hub.pull(std::slice::from_ref(&listing), &moving)?;
        let folder = pulled.into_iter().next();
        let folder = folder.unwrap_or_else(|| model.to_owned());
        // without a lock there is nothing to verify, which is told soon
        if let Ok(lock) = Lock::read(&folder) {
            let names: Vec<String> = lock.files.into_iter().map(|file| file.name).collect();
            hub.pull_named(&listing, &names, &moving)?;
        }
        Ok(Some(folder))
    }
}
