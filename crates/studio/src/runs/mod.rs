//! Runs: merges, evaluations, comparisons, downloads and uploads, one after the other, and their history.

mod history;
mod kinds;
mod live;
mod lookup;
mod merge;
mod migrations;
mod priority;
mod resources;
mod shared;
mod shortened;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use fs_err::File;

pub(crate) use history::Filter;
pub(crate) use resources::Resources;

use crate::clock::now;
use crate::error::Refusal;
use crate::events::Events;
use crate::wire::{LogLine, Run, RunKind, RunRequest, RunState};
use crate::{StudioError, StudioSettings, private};
use history::History;
use kinds::Lane;
use shared::{Inner, Shared, complete, known, shown};

/// How long a closing studio waits for its work to stop.
const PATIENCE: Duration = Duration::from_secs(8);

/// All runs.
#[derive(Debug)]
pub(crate) struct Runs {
    shared: Arc<Shared>,
    resources: Arc<Resources>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Locked as long as the history is in use.
    lock: Mutex<Option<File>>,
}

impl Runs {
    /// Opens the history.
    ///
    /// # Errors
    /// When it cannot be read, or another studio uses it.
    pub(crate) fn open(resources: Resources, events: Arc<Events>) -> Result<Self, StudioError> {
        let settings = &resources.settings;
        let lock = lock(settings)?;
        let file = settings.data.join("studio.db");
        private::file(&file).map_err(|source| StudioError::Folder {
            folder: settings.data.clone(),
            source,
        })?;
        for beside in ["studio.db-wal", "studio.db-shm"] {
            private::existing(&settings.data.join(beside));
        }
        let history =
            History::open(&file).map_err(|problem| StudioError::History { file, problem })?;
        Ok(Self {
            shared: Arc::new(Shared::new(history, events)),
            resources: Arc::new(resources),
            threads: Mutex::default(),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// Starts the threads that work.
    pub(crate) fn start(&self) {
        let started = worker::start(&self.resources, &self.shared);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.extend(started);
    }

    /// Ends what runs; it can be gone on with.
    pub(crate) fn close(&self) {
        let begin = Instant::now();
        self.shared.close();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let is_working = |threads: &[JoinHandle<()>]| threads.iter().any(|one| !one.is_finished());
        while is_working(&threads) && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        if !is_working(&threads) {
            threads.clear();
            // another studio may have the history
            *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Checks a request and puts it behind those that wait.
    pub(crate) fn add(&self, request: &RunRequest) -> Result<Run, Refusal> {
        let subject = kinds::check(&self.resources, request)?;
        let inner = self.shared.inner();
        // two may have asked for the same name at once
        if request.kind() == RunKind::Merge {
            refuse_twice(&inner, subject.model.as_deref().unwrap_or_default())?;
        }
        let model = subject.model.as_deref();
        let id = inner.history.add(&subject.title, model, request)?;
        drop(inner);
        self.shared.wake();
        self.told(id)
    }

    /// A run with its whole request and its log.
    pub(crate) fn get(&self, id: i64) -> Result<(Run, Vec<LogLine>), Refusal> {
        let inner = self.shared.inner();
        let mut run = known(inner.history.get_whole(id)?, id)?;
        complete(&inner, &mut run)?;
        Ok((run, inner.history.lines(id)?))
    }

    /// Runs, newest first, and whether there are more.
    pub(crate) fn list(&self, filter: &Filter) -> Result<(Vec<Run>, bool), Refusal> {
        let inner = self.shared.inner();
        let wanted = Filter {
            limit: filter.limit + 1,
            ..filter.clone()
        };
        let mut runs = inner.history.list(&wanted)?;
        let more = runs.len() > filter.limit;
        runs.truncate(filter.limit);
        for run in &mut runs {
            complete(&inner, run)?;
        }
        Ok((runs, more))
    }

    /// Takes a run that waits out of the queue, or asks one that is worked on to stop. One that was cancelled stays so.
    pub(crate) fn cancel(&self, id: i64) -> Result<Run, Refusal> {
        let inner = self.shared.inner();
        let run = shown(&inner, id)?;
        match (run.state, inner.live.get(&id)) {
            (RunState::Running, Some(live)) => live.stop(true),
            // it waits, or ended when that could not be noted
            (RunState::Queued | RunState::Running, _) => {
                let end = history::End {
                    at: now(),
                    state: RunState::Cancelled,
                    error: None,
                    result: None,
                };
                inner.history.end(id, &end)?;
            }
            (RunState::Cancelled, _) => {}
            (state, _) => {
                return Err(conflict(
                    id,
                    state,
                    "only queued and active runs can be canceled",
                ));
            }
        }
        drop(inner);
        let run = self.told(id)?;
        for lane in [Lane::Compute, Lane::Network] {
            self.shared.tell_waiting(lane);
        }
        Ok(run)
    }

    /// Puts a run that did not get to its end back into the queue.
    pub(crate) fn resume(&self, id: i64) -> Result<Run, Refusal> {
        let (run, _) = self.get(id)?;
        if !run.state.can_resume() {
            let what = "only interrupted, failed and canceled runs can be resumed";
            return Err(conflict(id, run.state, what));
        }
        if let RunRequest::Merge(request) = &run.request {
            merge::refuse_foreign(&self.resources.catalogue, request)?;
        }
        let mut inner = self.shared.inner();
        // two may have asked for it at once
        let state = shown(&inner, id)?.state;
        if state.can_resume() {
            if run.kind == RunKind::Merge {
                refuse_twice(&inner, run.model.as_deref().unwrap_or_default())?;
            }
            inner.history.queue_again(id)?;
            inner.unwritten.remove(&id);
        }
        drop(inner);
        self.shared.wake();
        self.told(id)
    }

    /// Start a run again as a run of its own. A merge gets a free name: what it made, or replaced, may be another model by now.
    pub(crate) fn rerun(&self, id: i64) -> Result<Run, Refusal> {
        let (run, _) = self.get(id)?;
        let request = match run.request {
            RunRequest::Merge(request) => RunRequest::Merge(merge::with_free_name(
                &self.resources.catalogue,
                request,
                &|name| {
                    let inner = self.shared.inner();
                    let under_way = inner.history.is_under_way(RunKind::Merge, name);
                    under_way.unwrap_or(true)
                },
            )),
            other => other,
        };
        self.add(&request)
    }

    /// Forgets a run that is over. What it made stays; what it left for going on with it goes.
    pub(crate) fn delete(&self, id: i64) -> Result<(), Refusal> {
        let inner = self.shared.inner();
        let run = ended(&inner, id)?;
        let name = run.model.as_deref().unwrap_or_default();
        let has_left =
            run.state.can_resume() && !inner.history.has_unfinished(RunKind::Merge, name, id)?;
        drop(inner);
        if let RunRequest::Merge(request) = &run.request
            && has_left
        {
            merge::discard(&self.resources.catalogue, request)?;
        }
        let mut inner = self.shared.inner();
        // somebody may have resumed it meanwhile
        ended(&inner, id)?;
        inner.history.delete(id)?;
        inner.unwritten.remove(&id);
        Ok(())
    }

    /// A run, of which the pages are told.
    fn told(&self, id: i64) -> Result<Run, Refusal> {
        self.shared.tell(id);
        shown(&self.shared.inner(), id)
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// Keeps others from using the same folder: they would take what runs here for interrupted.
fn lock(settings: &StudioSettings) -> Result<File, StudioError> {
    let folder = |source| StudioError::Folder {
        folder: settings.data.clone(),
        source,
    };
    let file = settings.data.join("studio.lock");
    let lock = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(file)
        .map_err(folder)?;
    match lock.file().try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(StudioError::InUse {
            folder: settings.data.clone(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(folder(source)),
    }
}

/// A run that is over.
fn ended(inner: &Inner, id: i64) -> Result<Run, Refusal> {
    let run = shown(inner, id)?;
    if run.state.is_ended() {
        return Ok(run);
    }
    let refusal = conflict(id, run.state, "only finished runs can be deleted");
    Err(refusal.hint("cancel it first"))
}

/// A name that a merge will take is as good as taken.
fn refuse_twice(inner: &Inner, name: &str) -> Result<(), Refusal> {
    if inner.history.is_under_way(RunKind::Merge, name)? {
        let message = format!("another merge is writing `{name}`");
        return Err(Refusal::new(StatusCode::CONFLICT, "name_taken", message)
            .hint("choose another name, or wait for it"));
    }
    Ok(())
}

fn conflict(id: i64, state: RunState, what: &str) -> Refusal {
    let message = format!("run {id} is {}; {what}", state.name());
    Refusal::new(StatusCode::CONFLICT, "wrong_state", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn a_run_whose_end_was_not_noted_can_be_cancelled() {
        let mut world = World::new();
        let studio = world.open();
        let app = studio.app();
        let id = {
            let inner = app.runs.shared.inner();
            let request = RunRequest::forgotten(RunKind::Merge);
            let added = inner.history.add("Merge a", Some("a"), &request);
            let id = added.unwrap();
            inner.history.begin(id).unwrap();
            id
        };
        assert_eq!(app.runs.get(id).unwrap().0.state, RunState::Running);
        let run = app.runs.cancel(id).unwrap();
        assert_eq!(run.state, RunState::Cancelled);
        app.runs.delete(id).unwrap();
    }
}
