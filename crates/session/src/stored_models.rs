//! Models in object stores: looked at, then opened where they are.

use std::sync::Arc;

use weightsmith::model::RemoteModel;
use weightsmith_stores::{Address, StoreError, Stores};

use crate::remembered::Known;
use crate::{Monitor, Note, RemoteName, Session, SessionError};

impl Session {
    /// Opens a model in a store, unless that was done lately.
    pub(crate) fn stored(
        &self,
        address: &Address,
        monitor: Monitor<'_>,
    ) -> Result<Known, SessionError> {
        let name = RemoteName::Store(address.clone());
        if let Some(known) = self.remembered().found(&name) {
            return Ok(known);
        }
        let known = match open(address, self.stores()?, monitor) {
            Ok(model) => Known::Found { model, bytes: 0 },
            Err(error) => Known::Refused(Arc::new(error.into())),
        };
        self.remembered().add(&name, known.clone());
        Ok(known)
    }
}

fn open(
    address: &Address,
    stores: &Stores,
    monitor: Monitor<'_>,
) -> Result<RemoteModel, StoreError> {
    let stored = stores.open(&stores.look(address)?)?;
    monitor.note(&Note::HeadersRead {
        model: &address.to_string(),
        place: "in the store",
        files: stored.checkpoint.files().len(),
        bytes: stored.checkpoint.bytes(),
    });
    Ok(RemoteModel {
        folder: stored.folder,
        commit: stored.version,
        source: Some(stored.checkpoint),
    })
}
