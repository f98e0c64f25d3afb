//! Models that are not on this machine.

use std::fmt;
use std::sync::Arc;

use weightsmith::model::{LocateOptions, RemoteModel, RemoteModels, is_in_store, missing_model};
use weightsmith_hub::ModelName;
use weightsmith_stores::Address;

use crate::remembered::Known;
use crate::{Monitor, Session, SessionError};

/// How much is fetched of models that are not on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: what was learnt of them lately has to do.
    Remembered,
    /// Small files and headers; tensors are read where they are, when somebody reads them.
    Headers,
    /// Everything that a merge needs. Models in stores are read where they are all the same.
    Download,
}

/// A model elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteName {
    /// On the Hub.
    Hub(ModelName),
    /// In an object store.
    Store(Address),
}

impl fmt::Display for RemoteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(name) => name.fmt(f),
            Self::Store(address) => address.fmt(f),
        }
    }
}

/// A model of the Hub whose weights are not on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingModel {
    /// Its name.
    pub name: String,
    /// The size of its weights.
    pub bytes: u64,
}

/// What became of a model that was wanted.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// It can be used.
    Ready,
    /// It cannot be had.
    Refused(Arc<SessionError>),
    /// Nobody asked yet.
    Unknown,
    /// The Hub gave no answer, or must not be asked. What is on this machine counts.
    NoAnswer,
    /// It can be had, and nothing was fetched because others cannot.
    Waiting,
}

/// Models that were asked for.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// In the order of the names.
    pub(crate) standings: Vec<Standing>,
    pub(crate) missing: Vec<MissingModel>,
}

/// Models elsewhere that are ready to be used.
#[derive(Debug, Default)]
pub(crate) struct Ready(Vec<(RemoteName, RemoteModel)>);

impl Ready {
    pub(crate) fn add(&mut self, name: RemoteName, model: RemoteModel) {
        self.0.push((name, model));
    }

    fn model(&self, is_it: impl Fn(&RemoteName) -> bool) -> Option<RemoteModel> {
        let found = self.0.iter().find(|(name, _)| is_it(name));
        found.map(|(_, model)| model.clone())
    }
}

impl RemoteModels for Ready {
    fn find(&self, repo: &str, revision: &str) -> Option<RemoteModel> {
        self.model(|name| {
            matches!(name, RemoteName::Hub(name) if name.repository == repo && name.revision == revision)
        })
    }

    fn find_stored(&self, address: &str) -> Option<RemoteModel> {
        self.model(|name| matches!(name, RemoteName::Store(known) if known.to_string() == address))
    }
}

/// The name of a model that has to come from elsewhere; nothing for one that is here, or cannot be anywhere.
pub(crate) fn remote_name(
    path: &str,
    revision: Option<&str>,
    locate: &LocateOptions,
) -> Option<Result<RemoteName, SessionError>> {
    if is_in_store(path) {
        let address = path.parse().map(RemoteName::Store);
        return Some(address.map_err(SessionError::from));
    }
    let (repo, revision) = missing_model(path, revision, locate)?;
    let name = ModelName::new(&repo, Some(&revision)).map(RemoteName::Hub);
    Some(name.map_err(SessionError::from))
}

impl Session {
    /// Makes models ready, as far as `access` says, and lets `locate` find them. All are looked at before anything is downloaded.
    ///
    /// # Errors
    /// When a transfer fails or is cancelled. That a model cannot be had is part of what is given.
    pub(crate) fn fetch(
        &self,
        names: &[RemoteName],
        locate: &mut LocateOptions,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Fetched, SessionError> {
        let mut ready = Ready::default();
        let mut fetched = Fetched {
            standings: vec![Standing::Unknown; names.len()],
            missing: Vec::new(),
        };
        let mut on_hub = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let known = match (access, name) {
                (Access::Remembered, _) => self.remembered().get(name),
                (_, RemoteName::Store(address)) => Some(self.stored(address, monitor)?),
                (Access::Headers, RemoteName::Hub(_)) => self.remembered().found(name),
                (Access::Download, RemoteName::Hub(_)) => None,
            };
            let is_away = matches!(name, RemoteName::Hub(_)) && self.is_offline();
            fetched.standings[index] = match (known, name) {
                _ if is_away => Standing::NoAnswer,
                (Some(Known::Found { model, bytes }), _) => {
                    if let RemoteName::Hub(name) = name {
                        let name = name.to_string();
                        fetched.missing.push(MissingModel { name, bytes });
                    }
                    ready.add(name.clone(), model);
                    Standing::Ready
                }
                (Some(Known::Refused(error)), _) => Standing::Refused(error),
                (Some(Known::NoAnswer(reason)), _) => {
                    locate.away = Some(reason);
                    Standing::NoAnswer
                }
                (None, RemoteName::Hub(name)) if access != Access::Remembered => {
                    on_hub.push((index, name));
                    Standing::Waiting
                }
                (None, _) => Standing::Unknown,
            };
        }
        if !on_hub.is_empty() {
            self.fetch_from_hub(&on_hub, &mut fetched, &mut ready, locate, access, monitor)?;
        }
        locate.remote = Some(Arc::new(ready));
        Ok(fetched)
    }

    /// Asks for a model elsewhere, whatever was said of it before; what is said is remembered.
    ///
    /// # Errors
    /// When it cannot be asked for at all.
    pub fn ask(&self, name: &RemoteName, monitor: Monitor<'_>) -> Result<(), SessionError> {
        let mut locate = self.locate.clone();
        let asked = self.fetch(
            std::slice::from_ref(name),
            &mut locate,
            Access::Headers,
            monitor,
        );
        asked.map(drop)
    }
}
