//! The models of a recipe on their way from the hub.

use weightsmith::model::RemoteModel;
use weightsmith_hub::{Hub, HubError};

use super::remote::Ready;
use crate::error::Refusal;
use crate::progress::RunProgress;
use crate::transfer::Moving;

/// Downloads all of them.
pub(super) fn download(
    hub: &Hub,
    wanted: &Ready,
    progress: &dyn RunProgress,
) -> Result<Ready, Refusal> {
    let refused = |error: HubError| {
        let mut refusal = Refusal::internal(error.to_string());
        refusal.hints = error.hints();
        refusal
    };
    progress.stage("downloading");
    let listings = wanted.names().map(|name| hub.look(name));
    let listings: Vec<_> = listings.collect::<Result<_, _>>().map_err(refused)?;
    for listing in &listings {
        progress.log(&format!("{} is at commit {}", listing.name, listing.commit));
    }
    let folders = hub
        .pull(&listings, &Moving::new(progress))
        .map_err(refused)?;
    let mut ready = Ready::default();
    for (listing, folder) in listings.into_iter().zip(folders) {
        let model = RemoteModel {
            folder,
            commit: listing.commit,
            source: None,
        };
        ready.add(listing.name, model);
    }
    Ok(ready)
}
