//! What the threads that work and those that answer share: the history, and the runs that are worked on.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::history::{End, History, now};
use super::kinds::Lane;
use super::live::Live;
use crate::app::App;
use crate::wire::Run;

/// A history that cannot be written, as on a full disk, is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// That often.
const TIMES: usize = 60;

/// What all share.
#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    closing: AtomicBool,
}

/// What is looked at and changed by one at a time.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) history: History,
    pub(super) live: BTreeMap<i64, Arc<Live>>,
    /// Counts what is told of runs, also from one start of the server to the next.
    versions: Cell<u64>,
}

impl Inner {
    /// The number of what is told now.
    pub(super) fn version(&self) -> u64 {
        self.versions.set(self.versions.get() + 1);
        self.versions.get()
    }
}

impl Shared {
    pub(super) fn new(history: History) -> Self {
        Self {
            inner: Mutex::new(Inner {
                history,
                live: BTreeMap::new(),
                versions: Cell::new((now() * 1000.0) as u64),
            }),
            changed: Condvar::new(),
            closing: AtomicBool::new(false),
        }
    }

    /// The history and the runs that are worked on.
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that there may be something to do.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Nothing more is begun.
    pub(super) fn close(&self) {
        // under the lock, so that who is about to wait sees it
        let inner = self.inner();
        self.closing.store(true, Ordering::Relaxed);
        for live in inner.live.values() {
            live.stop(false);
        }
        drop(inner);
        self.wake();
    }

    /// Whether nothing more is begun.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Waits for the next run of a lane and takes it; nothing when the studio is closed.
    pub(super) fn next(&self, lane: Lane, app: &Weak<App>) -> Option<(Run, Arc<Live>)> {
        let mut inner = self.inner();
        loop {
            if self.is_closing() {
                return None;
            }
            match take(&mut inner, lane, app) {
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

    /// Notes that a run has ended.
    pub(super) fn end(&self, id: i64, live: &Live, end: &End) {
        for _ in 0..TIMES {
            let inner = self.inner();
            let noted = inner
                .history
                .note(id, &live.standing())
                .and_then(|()| inner.history.end(id, end));
            drop(inner);
            if noted.is_ok() || self.is_closing() {
                break;
            }
            std::thread::sleep(AGAIN);
        }
        self.inner().live.remove(&id);
        self.wake();
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        let waited = self.changed.wait(inner);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(
    inner: &mut Inner,
    lane: Lane,
    app: &Weak<App>,
) -> rusqlite::Result<Option<(Run, Arc<Live>)>> {
    let Some(id) = inner.history.waiting(lane)?.first().copied() else {
        return Ok(None);
    };
    inner.history.begin(id)?;
    let Some(run) = inner.history.get_whole(id)? else {
        return Ok(None);
    };
    let live = Arc::new(Live::new(id, app.clone()));
    inner.live.insert(id, Arc::clone(&live));
    Ok(Some((run, live)))
}
