//! Models of the hub: asked for, then downloaded or opened where they are.

use std::sync::Arc;

use weightsmith::model::{LocateOptions, RemoteModel};
use weightsmith_hub::{Hub, HubError, Listing, ModelName};

use crate::moving::Moving;
use crate::remembered::Known;
use crate::remote::{Fetched, MissingModel, Ready, Standing};
use crate::{Access, Monitor, Note, RemoteName, Session, SessionError, Work};

/// What the hub says of a model.
enum Looked {
    Listed(Listing),
    NoAnswer,
    Refused(HubError),
}

impl Session {
    /// Looks at models, then downloads them or opens them where they are; nothing where one of them cannot be had.
    pub(crate) fn fetch_from_hub(
        &self,
        names: &[(usize, &ModelName)],
        fetched: &mut Fetched,
        ready: &mut Ready,
        locate: &mut LocateOptions,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<(), SessionError> {
        let hub = self.hub()?;
        let mut listings = Vec::new();
        let mut places = Vec::new();
        for &(index, name) in names {
            match look(hub, name, &mut locate.away, monitor) {
                Looked::Listed(listing) => {
                    listings.push(listing);
                    places.push(index);
                }
                Looked::NoAnswer => {
                    fetched.standings[index] = Standing::NoAnswer;
                    let reason = locate.away.clone().unwrap_or_default();
                    self.remember(name, Known::NoAnswer(reason));
                }
                Looked::Refused(error) => {
                    let error = Arc::new(SessionError::from(error));
                    fetched.standings[index] = Standing::Refused(Arc::clone(&error));
                    self.remember(name, Known::Refused(error));
                }
            }
        }
        let is_refused = |one: &Standing| matches!(one, Standing::Refused(_));
        if listings.is_empty() || fetched.standings.iter().any(is_refused) {
            return Ok(());
        }
        let folders = {
            let _working = monitor.begin(Work::Downloading);
            let moving = Moving::new(monitor);
            match access {
                Access::Download => hub.pull(&listings, &moving),
                Access::Headers | Access::Remembered => hub.pull_companions(&listings, &moving),
            }
        }?;
        for ((index, listing), folder) in places.into_iter().zip(listings).zip(folders) {
            let name = RemoteName::Hub(listing.name.clone());
            let mut model = RemoteModel {
                folder,
                commit: listing.commit.clone(),
                source: None,
            };
            if access == Access::Download {
                monitor.note(&Note::AtCommit {
                    model: &listing.name.to_string(),
                    commit: &listing.commit,
                });
            } else if let Err(error) = self.open_on_hub(hub, &listing, &mut model, fetched, monitor)
            {
                let error = Arc::new(SessionError::from(error));
                self.remembered()
                    .add(&name, Known::Refused(Arc::clone(&error)));
                fetched.standings[index] = Standing::Refused(error);
                continue;
            }
            ready.add(name, model);
            fetched.standings[index] = Standing::Ready;
        }
        Ok(())
    }

    /// Opens a model's weights where they are.
    fn open_on_hub(
        &self,
        hub: &Hub,
        listing: &Listing,
        model: &mut RemoteModel,
        fetched: &mut Fetched,
        monitor: Monitor<'_>,
    ) -> Result<(), HubError> {
        let bytes = hub.weight_bytes(listing, &model.folder)?;
        let checkpoint = hub.open(listing, &model.folder)?;
        let name = listing.name.to_string();
        monitor.note(&Note::HeadersRead {
            model: &name,
            place: "on the Hub",
            files: checkpoint.files().len(),
            bytes: checkpoint.bytes(),
        });
        model.source = Some(Arc::new(checkpoint));
        let known = Known::Found {
            model: model.clone(),
            bytes,
        };
        self.remember(&listing.name, known);
        fetched.missing.push(MissingModel { name, bytes });
        Ok(())
    }

    fn remember(&self, name: &ModelName, known: Known) {
        self.remembered().add(&RemoteName::Hub(name.clone()), known);
    }

    /// Looks at a model that a command cannot do without.
    ///
    /// # Errors
    /// When it cannot be had. A hub that gives no answer is no error here.
    pub(crate) fn look(
        &self,
        name: &ModelName,
        away: &mut Option<String>,
        monitor: Monitor<'_>,
    ) -> Result<Option<Listing>, SessionError> {
        match look(self.hub()?, name, away, monitor) {
            Looked::Listed(listing) => Ok(Some(listing)),
            Looked::NoAnswer => Ok(None),
            Looked::Refused(error) => Err(error.into()),
        }
    }
}

/// Looks at a model. A hub that cannot be reached is no error here: that the model is not on this machine is one by itself, and its hints
/// have the reason.
fn look(hub: &Hub, name: &ModelName, away: &mut Option<String>, monitor: Monitor<'_>) -> Looked {
    match hub.look(name) {
        Ok(listing) => Looked::Listed(listing),
        Err(error @ HubError::NoConnection { .. }) => {
            *away = Some(error.to_string());
            Looked::NoAnswer
        }
        Err(error @ (HubError::Unreachable { .. } | HubError::Status { .. })) => {
            monitor.note(&Note::NoAnswer {
                model: &name.to_string(),
                problem: &error.to_string(),
            });
            Looked::NoAnswer
        }
        Err(error) => Looked::Refused(error),
    }
}
