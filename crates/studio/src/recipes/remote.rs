//! Models elsewhere that a recipe names while it is written: asked for when it still names them in a moment.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use weightsmith_session::{Cancel, Monitor, RemoteName, Session, Silent};

use crate::events::Events;
use crate::wire::{Event, Nothing};

/// How long a name stands in a recipe until it is asked for: while somebody types, each letter makes another name.
const SETTLED: Duration = Duration::from_millis(700);

/// Models elsewhere.
#[derive(Debug)]
pub(crate) struct Remotes {
    session: Session,
    events: Arc<Events>,
    /// Names of the recipe that was checked last.
    wanted: Mutex<BTreeSet<String>>,
}

impl Remotes {
    /// Nothing was asked yet.
    pub(crate) fn new(session: Session, events: Arc<Events>) -> Self {
        Self {
            session,
            events,
            wanted: Mutex::default(),
        }
    }

    /// What asks, and remembers the answers.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Asks for the models of a recipe that is being written, if it still names them in a moment.
    pub(super) fn ask_soon(self: &Arc<Self>, names: Vec<RemoteName>) {
        let news: Vec<RemoteName> = {
            let mut wanted = self.wanted();
            let before = std::mem::take(&mut *wanted);
            wanted.extend(names.iter().map(RemoteName::to_string));
            let is_new = |name: &RemoteName| !before.contains(&name.to_string());
            names.into_iter().filter(is_new).collect()
        };
        if news.is_empty() {
            return;
        }
        let remotes = Arc::clone(self);
        let spawned = std::thread::Builder::new()
            .name("model names".to_owned())
            .spawn(move || {
                sleep(SETTLED);
                remotes.ask_wanted(&news);
            });
        // the next check tries again
        drop(spawned);
    }

    fn ask_wanted(&self, names: &[RemoteName]) {
        let monitor = Monitor {
            progress: &Silent,
            cancel: &Cancel::default(),
        };
        for name in names {
            let text = name.to_string();
            if !self.wanted().contains(&text) {
                continue;
            }
            // what goes wrong is said when the recipe is checked or merged
            let _ = self.session.ask(name, monitor);
            self.wanted().remove(&text);
            self.events.tell(Event::Models(Nothing {}));
        }
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
