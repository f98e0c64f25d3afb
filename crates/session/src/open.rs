//! Models that are named: found, and their weights opened.

use std::ffi::OsStr;
use std::path::Path;

use weightsmith::model::{Opened, is_in_store};

use crate::remote::{Standing, remote_name};
use crate::{Access, Monitor, RemoteName, Session, SessionError};

impl Session {
    /// Finds models and opens their weights: here, else in a store or on the hub, from which `access` says how much comes. All are looked
    /// at before anything is downloaded. What is not UTF-8 is no name, so it is a path here.
    ///
    /// # Errors
    /// When one of them cannot be had or is not sound.
    pub fn open_all<N: AsRef<OsStr>>(
        &self,
        models: &[N],
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Vec<Opened>, SessionError> {
        let names = models.iter().filter_map(|model| model.as_ref().to_str());
        let names: Vec<&str> = names.collect();
        let session = self.with_models(&names, access, monitor)?;
        let open = |model: &N| {
            let model = model.as_ref();
            let opened = match model.to_str() {
                Some(name) => weightsmith::model::open(name, None, &session.locate),
                None => weightsmith::model::open_path(Path::new(model)),
            };
            Ok(opened?)
        };
        models.iter().map(open).collect()
    }

    /// Finds one model, as [`Self::open_all`].
    ///
    /// # Errors
    /// As there.
    pub fn open(
        &self,
        model: impl AsRef<OsStr>,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Opened, SessionError> {
        let mut opened = self.open_all(&[model], access, monitor)?;
        Ok(opened.remove(0))
    }

    /// The session with those of some models ready that are not on this machine.
    pub(crate) fn with_models(
        &self,
        models: &[&str],
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Self, SessionError> {
        let mut session = self.clone();
        let mut names: Vec<RemoteName> = Vec::new();
        for model in models {
            let Some(name) = remote_name(model, None, &session.locate) else {
                continue;
            };
            // only a few old models have no organisation: far more likely a folder's name
            if !is_in_store(model) && !is_organised(&name) {
                continue;
            }
            let name = name?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let fetched = self.fetch(&names, &mut session.locate, access, monitor)?;
        for standing in fetched.standings {
            if let Standing::Refused(error) = standing {
                return Err(SessionError::shared(error));
            }
        }
        Ok(session)
    }
}

/// Whether a name on the hub has an organisation in it, or is none.
fn is_organised(name: &Result<RemoteName, SessionError>) -> bool {
    match name {
        Ok(RemoteName::Hub(name)) => name.repository.contains('/'),
        _ => true,
    }
}
