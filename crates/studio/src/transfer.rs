//! Models from the hub and onto it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use weightsmith::output::{Publication, PublicationOptions, publication};
use weightsmith_hub::{Content, Hub, HubError, ModelName, Progress, PushOptions};

use crate::clock::now;
use crate::models::Catalogue;
use crate::progress::{RunFailure, RunProgress};
use crate::wire::{PullRequest, PullResult, PushRequest, PushResult};

/// The commit's message where none is given.
const MESSAGE: &str = "Upload a model merged with Weightsmith";

/// The work of a run that downloads a model.
pub(crate) fn pull(
    hub: &Hub,
    catalogue: &Catalogue,
    request: &PullRequest,
    progress: &dyn RunProgress,
) -> Result<PullResult, RunFailure> {
    let name: ModelName = request.model.parse().map_err(failure)?;
    progress.stage("looking");
    let listing = hub.look(&name).map_err(failure)?;
    progress.log(&format!("{name} is at commit {}", listing.commit));
    progress.stage("downloading");
    let moving = Moving::new(progress);
    hub.pull(&[listing], &moving).map_err(failure)?;
    catalogue.refresh();
    Ok(PullResult {
        models: vec![name.repository],
        bytes: moving.moved.load(Ordering::Relaxed),
    })
}

/// The work of a run that publishes a model.
pub(crate) fn push(
    hub: &Hub,
    catalogue: &Catalogue,
    request: &PushRequest,
    progress: &dyn RunProgress,
) -> Result<PushResult, RunFailure> {
    let entry = catalogue.model(&request.model)?;
    let folder = entry.folder.as_ref().ok_or_else(|| {
        RunFailure::of(format!("`{}` is not written to disk", entry.name)).hint("merge it first")
    })?;
    progress.stage("gathering");
    let gathered = publication(folder, &PublicationOptions::default()).map_err(|error| {
        let failure = RunFailure::caused(&error);
        error.hints().into_iter().fold(failure, RunFailure::hint)
    })?;
    for (path, name) in &gathered.replaced {
        progress.log(&format!(
            "`{path}` is a local path: publishing `{name}` instead"
        ));
    }
    for (file, key) in &gathered.dropped {
        progress.log(&format!(
            "`{file}`: `{key}` contains a local path and is removed"
        ));
    }
    for name in &gathered.left_out {
        progress.log(&format!(
            "`{name}` is not part of the model, so it is not published"
        ));
    }
    let wanted = request.repository.as_deref();
    let wanted = wanted.filter(|name| !name.is_empty());
    let name = target(hub, &gathered, wanted)?;
    let options = PushOptions {
        private: request.private.unwrap_or(true),
        pull_request: false,
        message: request.message.as_deref().unwrap_or(MESSAGE).to_owned(),
    };
    let files: Vec<weightsmith_hub::Publication> = gathered
        .files
        .into_iter()
        .map(|file| weightsmith_hub::Publication {
            path: file.name,
            size: file.bytes,
            content: match file.content {
                Some(content) => Content::Bytes(content),
                None => Content::File(file.source),
            },
        })
        .collect();
    let count = match files.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    progress.log(&format!("publishing {count} as {name}"));
    progress.stage("uploading");
    let moving = Moving::new(progress);
    let pushed = hub
        .push(&name, &files, &options, &moving)
        .map_err(failure)?;
    Ok(PushResult {
        url: pushed.page,
        commit: pushed.commit,
        repository: name.repository,
        model: entry.name.clone(),
        at: now(),
    })
}

/// The repository: what was asked for, else the proposed name under the token's account.
fn target(
    hub: &Hub,
    publication: &Publication,
    wanted: Option<&str>,
) -> Result<ModelName, RunFailure> {
    let name = match wanted.or(publication.proposed_name.as_deref()) {
        Some(name) if name.contains('/') => name.to_owned(),
        Some(name) => format!("{}/{name}", hub.account().map_err(failure)?),
        None => {
            return Err(RunFailure::of("a model without a lock has no default name")
                .hint("name the repository: `account/name`"));
        }
    };
    name.parse().map_err(failure)
}

fn failure(error: HubError) -> RunFailure {
    match error {
        HubError::Stopped => RunFailure::Stopped,
        error => RunFailure::Failed {
            hints: error.hints(),
            message: error.to_string(),
        },
    }
}

/// Files on their way, as the progress of a run.
#[derive(Debug)]
pub(crate) struct Moving<'a> {
    progress: &'a dyn RunProgress,
    files: Mutex<Files>,
    moved: AtomicU64,
}

#[derive(Debug, Default)]
struct Files {
    total: u64,
    /// Bytes that were there before, as long as nothing else came.
    before: u64,
    /// Of files that are not complete: name, size, bytes.
    open: BTreeMap<usize, (String, u64, u64)>,
}

impl<'a> Moving<'a> {
    pub(crate) fn new(progress: &'a dyn RunProgress) -> Self {
        Self {
            progress,
            files: Mutex::default(),
            moved: AtomicU64::new(0),
        }
    }

    /// Notes bytes of a file; says so when it is complete.
    fn note(&self, file: usize, bytes: u64) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, size, done)) = files.open.get_mut(&file) else {
            return;
        };
        *done += bytes;
        if *done >= *size
            && let Some((name, size, _)) = files.open.remove(&file)
        {
            self.progress.log(&format!("{name}: {size} bytes"));
        }
    }
}

impl Progress for Moving<'_> {
    fn begin(&self, files: &[(String, u64)]) {
        let total = files.iter().map(|(_, size)| size).sum();
        let open = files.iter().enumerate();
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = Files {
            total,
            before: 0,
            open: open
                .map(|(index, (name, size))| (index, (name.clone(), *size, 0)))
                .collect(),
        };
        self.progress.expect(total, 0);
    }

    fn already(&self, file: usize, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.before += bytes;
        self.progress.expect(files.total, files.before);
        drop(files);
        self.note(file, bytes);
    }

    fn advance(&self, file: usize, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.progress.advance(bytes);
        self.note(file, bytes);
    }

    fn is_stopped(&self) -> bool {
        self.progress.interrupt().load(Ordering::Relaxed)
    }

    fn note(&self, text: &str) {
        self.progress.log(text);
    }
}

#[cfg(test)]
mod tests;
