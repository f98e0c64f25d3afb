//! Models from the hub and onto it.

use weightsmith::output::PublicationOptions;
use weightsmith_hub::{ModelName, PushOptions};
use weightsmith_session::{Session, SessionError};

use crate::clock::now;
use crate::models::Catalogue;
use crate::progress::{RunFailure, RunProgress, monitor};
use crate::wire::{PullRequest, PullResult, PushRequest, PushResult};

/// The commit's message where none is given.
const MESSAGE: &str = "Upload a model merged with Weightsmith";

/// The work of a run that downloads a model.
pub(crate) fn pull(
    session: &Session,
    catalogue: &Catalogue,
    request: &PullRequest,
    progress: &dyn RunProgress,
) -> Result<PullResult, RunFailure> {
    let name: ModelName = request.model.parse().map_err(SessionError::from)?;
    progress.stage("looking");
    let repository = name.repository.clone();
    let pulled = session.pull(&[name], monitor(progress))?;
    catalogue.refresh();
    Ok(PullResult {
        models: vec![repository],
        bytes: pulled.bytes,
    })
}

/// The work of a run that publishes a model.
pub(crate) fn push(
    session: &Session,
    catalogue: &Catalogue,
    request: &PushRequest,
    progress: &dyn RunProgress,
) -> Result<PushResult, RunFailure> {
    let entry = catalogue.model(&request.model)?;
    let folder = entry.folder.as_ref().ok_or_else(|| {
        RunFailure::of(format!("`{}` is not written to disk", entry.name)).hint("merge it first")
    })?;
    progress.stage("gathering");
    let monitor = monitor(progress);
    let gathered = session.gather_publication(folder, &PublicationOptions::default(), monitor)?;
    let wanted = request.repository.as_deref();
    let wanted = wanted.filter(|name| !name.is_empty());
    let options = PushOptions {
        private: request.private.unwrap_or(true),
        pull_request: false,
        message: request.message.as_deref().unwrap_or(MESSAGE).to_owned(),
    };
    let published = match session.publish(gathered, wanted, &options, monitor) {
        Err(error @ SessionError::NoName) => {
            let failure = RunFailure::caused(&error);
            return Err(failure.hint("name the repository: `account/name`"));
        }
        published => published?,
    };
    Ok(PushResult {
        url: published.pushed.page,
        commit: published.pushed.commit,
        repository: published.name.repository,
        model: entry.name.clone(),
        at: now(),
    })
}

#[cfg(test)]
mod tests;
