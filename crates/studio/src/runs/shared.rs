//! What the threads that work and those that answer share: the history, and the runs that are worked on.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::history::{End, History, Standing};
use super::kinds::{self, Lane};
use super::live::Live;
use crate::clock::now;
use crate::error::Refusal;
use crate::events::Events;
use crate::wire::{Event, LogLine, Run, RunLine, RunState};

/// A history that cannot be written, as on a full disk, is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long an operation waits for a lock that is held on the history.
const LOCKED: Duration = Duration::from_secs(5);

/// How long all operations together wait for locks once the studio is closing.
const LOCKED_AT_CLOSE: Duration = Duration::from_secs(1);

/// What all share.
#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// Where the pages are told.
    events: Arc<Events>,
    /// Since when nothing more is begun.
    closing: OnceLock<Instant>,
}

/// What is looked at and changed by one at a time.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) history: History,
    pub(super) live: BTreeMap<i64, Arc<Live>>,
    /// Ends of runs that the history could not take yet.
    pub(super) unwritten: BTreeMap<i64, Unwritten>,
    /// Counts what is told of runs, also from one start of the server to the next.
    versions: Cell<u64>,
}

/// What the history does not say yet of a run that has ended.
#[derive(Debug)]
pub(super) struct Unwritten {
    standing: Standing,
    end: End,
}

impl Unwritten {
    /// Puts it into what the history says of the run.
    pub(super) fn show_in(&self, run: &mut Run) {
        self.standing.show_in(run);
        run.state = self.end.state;
        run.ended = Some(self.end.at);
        run.error.clone_from(&self.end.error);
        run.result.clone_from(&self.end.result);
    }
}

impl Inner {
    /// Writes the ends that the history could not take before.
    fn write_ends(&mut self) -> rusqlite::Result<()> {
        while let Some(entry) = self.unwritten.first_entry() {
            let Unwritten { standing, end } = entry.get();
            self.history.note(*entry.key(), standing)?;
            self.history.end(*entry.key(), end)?;
            entry.remove();
        }
        Ok(())
    }

    /// The number of what is told now.
    pub(super) fn version(&self) -> u64 {
        self.versions.set(self.versions.get() + 1);
        self.versions.get()
    }
}

impl Shared {
    pub(super) fn new(history: History, events: Arc<Events>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                history,
                live: BTreeMap::new(),
                unwritten: BTreeMap::new(),
                versions: Cell::new((now() * 1000.0) as u64),
            }),
            changed: Condvar::new(),
            events,
            closing: OnceLock::new(),
        }
    }

    /// The history and the runs that are worked on.
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.history.wait_at_most(self.patience());
        inner
    }

    /// How long an operation may wait for a lock on the history now.
    fn patience(&self) -> Duration {
        match self.closing.get() {
            Some(begin) => LOCKED_AT_CLOSE.saturating_sub(begin.elapsed()),
            None => LOCKED,
        }
    }

    /// Says that there may be something to do.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Nothing more is begun.
    pub(super) fn close(&self) {
        // before the lock is had: those who have it first are to be quick
        self.closing.get_or_init(Instant::now);
        // under the lock, so that who is about to wait sees it
        let inner = self.inner();
        for live in inner.live.values() {
            live.stop(false);
        }
        drop(inner);
        self.wake();
    }

    /// Whether nothing more is begun.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.get().is_some()
    }

    /// Waits for the next run of a lane and takes it; nothing when the studio is closed.
    pub(super) fn next(self: &Arc<Self>, lane: Lane) -> Option<(Run, Arc<Live>)> {
        let mut inner = self.inner();
        loop {
            if self.is_closing() {
                return None;
            }
            match take(&mut inner, lane, Arc::downgrade(self)) {
                Ok(Some(taken)) => {
                    drop(inner);
                    self.wake();
                    return Some(taken);
                }
                Ok(None) => inner = self.wait(inner),
                // the history cannot be written now
                Err(_) => {
                    let waited = self.changed.wait_timeout(inner, AGAIN);
                    inner = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// Waits until something is worked on; false when the studio is closed and nothing is.
    pub(super) fn wait_for_work(&self) -> bool {
        let mut inner = self.inner();
        while inner.live.is_empty() {
            if self.is_closing() {
                return false;
            }
            inner = self.wait(inner);
        }
        true
    }

    /// The runs that are worked on.
    pub(super) fn live(&self) -> Vec<(i64, Arc<Live>)> {
        let inner = self.inner();
        let live = inner.live.iter();
        live.map(|(id, live)| (*id, Arc::clone(live))).collect()
    }

    /// Notes how far a run is. Next time will do as well.
    pub(super) fn note(&self, id: i64, live: &Live) {
        let inner = self.inner();
        if inner.live.contains_key(&id) {
            let _ = inner.history.note(id, &live.standing());
        }
    }

    /// Notes that a run has ended. Where the history cannot be written the end is kept here, and written before the next run
    /// begins.
    ///
    /// # Errors
    /// Why it could not be written now.
    pub(super) fn end(&self, id: i64, live: &Live, end: End) -> rusqlite::Result<()> {
        let mut inner = self.inner();
        let standing = live.standing();
        inner.unwritten.insert(id, Unwritten { standing, end });
        inner.live.remove(&id);
        let written = inner.write_ends();
        drop(inner);
        self.wake();
        written
    }

    /// Writes a line into a run's log.
    pub(super) fn log(&self, id: i64, text: &str) {
        let line = LogLine {
            at: now(),
            text: text.to_owned(),
        };
        let kept = self.inner().history.log(id, &line);
        if kept.unwrap_or(true) {
            self.events.tell(Event::Log(RunLine { run: id, line }));
        }
    }

    /// Tells the pages of a run.
    pub(super) fn tell(&self, id: i64) {
        // under the lock, so that nobody tells something older later
        let inner = self.inner();
        if let Ok(run) = shown(&inner, id) {
            self.events.tell(Event::Run(Box::new(run)));
        }
    }

    /// Tells the pages of all runs that wait: their places have changed.
    pub(super) fn tell_waiting(&self, lane: Lane) {
        let waiting = self.inner().history.waiting(lane);
        for id in waiting.unwrap_or_default() {
            self.tell(id);
        }
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        let waited = self.changed.wait(inner);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run with what is known of it at this moment.
pub(super) fn shown(inner: &Inner, id: i64) -> Result<Run, Refusal> {
    let mut run = known(inner.history.get(id)?, id)?;
    complete(inner, &mut run)?;
    Ok(run)
}

/// A run that there is.
pub(super) fn known(run: Option<Run>, id: i64) -> Result<Run, Refusal> {
    run.ok_or_else(|| Refusal::not_found("unknown_run", format!("no run {id}")))
}

/// Adds what only this process knows.
pub(super) fn complete(inner: &Inner, run: &mut Run) -> Result<(), Refusal> {
    run.version = inner.version();
    if let Some(live) = inner.live.get(&run.id) {
        live.show_in(run);
    }
    if let Some(unwritten) = inner.unwritten.get(&run.id) {
        unwritten.show_in(run);
    }
    if run.state == RunState::Queued {
        let waiting = inner.history.waiting(kinds::lane(run.kind))?;
        let place = waiting.iter().position(|id| *id == run.id);
        run.queue_position = place.map(|place| place as u64 + 1);
    }
    Ok(())
}

fn take(
    inner: &mut Inner,
    lane: Lane,
    shared: Weak<Shared>,
) -> rusqlite::Result<Option<(Run, Arc<Live>)>> {
    inner.write_ends()?;
    let Some(id) = inner.history.waiting(lane)?.first().copied() else {
        return Ok(None);
    };
    inner.history.begin(id)?;
    let Some(run) = inner.history.get_whole(id)? else {
        return Ok(None);
    };
    let live = Arc::new(Live::new(id, shared));
    inner.live.insert(id, Arc::clone(&live));
    Ok(Some((run, live)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{DifferenceResult, RunKind, RunRequest, RunResult};

    #[test]
    fn a_closing_studio_does_not_wait_for_a_locked_history_and_knows_how_runs_ended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("studio.db");
        let history = History::open(&file).unwrap();
        let id = history
            .add("a run", None, &RunRequest::forgotten(RunKind::Difference))
            .unwrap();
        history.begin(id).unwrap();
        let shared = Shared::new(history, Arc::default());
        let live = Arc::new(Live::new(id, Weak::new()));
        shared.inner().live.insert(id, Arc::clone(&live));
        let other = rusqlite::Connection::open(&file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let result = RunResult::Difference(DifferenceResult {
            against: "a model".to_owned(),
        });
        let end = End {
            at: 12.5,
            state: RunState::Done,
            error: None,
            result: Some(result.clone()),
        };

        let begin = Instant::now();
        shared.close();
        for _ in 0..20 {
            shared.note(id, &live);
        }
        assert!(shared.end(id, &live, end).is_err());
        assert!(begin.elapsed() < Duration::from_secs(5));
        assert!(shared.live().is_empty());
        let run = shown(&shared.inner(), id).unwrap();
        assert_eq!((run.state, run.ended), (RunState::Done, Some(12.5)));
        assert_eq!(run.result, Some(result));

        other.execute_batch("ROLLBACK").unwrap();
        let mut inner = shared.inner();
        assert_eq!(
            take(&mut inner, Lane::Compute, Weak::new())
                .unwrap()
                .map(|(run, _)| run),
            None
        );
        assert!(inner.unwritten.is_empty());
        let run = inner.history.get(id).unwrap().unwrap();
        assert_eq!((run.state, run.ended), (RunState::Done, Some(12.5)));
    }
}
