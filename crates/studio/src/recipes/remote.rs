//! Models of the hub that recipes name: what was learnt of them is remembered for a few minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use weightsmith::model::{RemoteModel, RemoteModels};
use weightsmith_hub::{Hub, HubError, ModelName, Silent};

use crate::events::Events;
use crate::wire::{Event, Nothing};

/// How long it is remembered what the hub said.
const REMEMBERED: Duration = Duration::from_mins(10);

/// How long it is remembered that the hub refused.
const REFUSED: Duration = Duration::from_mins(1);

/// How long a name stands in a recipe until the hub is asked for it: while somebody types, each letter makes another name.
const SETTLED: Duration = Duration::from_millis(700);

/// What the hub said of a model.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// It can be had.
    Found {
        /// Its small files are here, and the headers of its weights.
        model: RemoteModel,
        /// The size of its weights.
        bytes: u64,
    },
    /// It cannot be had.
    Refused { message: String, hints: Vec<String> },
}

/// What the hub said lately.
#[derive(Debug)]
pub(crate) struct Remotes {
    hub: Arc<Hub>,
    events: Arc<Events>,
    known: Mutex<BTreeMap<String, (Instant, Known)>>,
    /// Names of the recipe that was checked last.
    wanted: Mutex<BTreeSet<String>>,
}

impl Remotes {
    /// Nothing was asked yet.
    pub(crate) fn new(hub: Arc<Hub>, events: Arc<Events>) -> Self {
        Self {
            hub,
            events,
            known: Mutex::default(),
            wanted: Mutex::default(),
        }
    }

    /// The hub.
    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What the hub said of a model lately.
    pub(super) fn remembered(&self, name: &ModelName) -> Option<Known> {
        let known = locked(&self.known);
        let (since, known) = known.get(&name.to_string())?;
        let lasts = match known {
            Known::Found { .. } => REMEMBERED,
            Known::Refused { .. } => REFUSED,
        };
        (since.elapsed() < lasts).then(|| known.clone())
    }

    /// What the hub says of a model.
    pub(super) fn ask(&self, name: &ModelName) -> Known {
        if let Some(known @ Known::Found { .. }) = self.remembered(name) {
            return known;
        }
        let known = look(&self.hub, name).unwrap_or_else(|error| Known::Refused {
            hints: error.hints(),
            message: error.to_string(),
        });
        let mut all = locked(&self.known);
        all.retain(|_, (since, _)| since.elapsed() < REMEMBERED);
        all.insert(name.to_string(), (Instant::now(), known.clone()));
        known
    }

    /// Asks the hub for the models of a recipe that is being written, if it still names them in a moment.
    pub(super) fn ask_soon(self: &Arc<Self>, names: Vec<ModelName>) {
        let news: Vec<ModelName> = {
            let mut wanted = locked(&self.wanted);
            let before = std::mem::take(&mut *wanted);
            wanted.extend(names.iter().map(ModelName::to_string));
            let is_new = |name: &ModelName| !before.contains(&name.to_string());
            names.into_iter().filter(is_new).collect()
        };
        if news.is_empty() {
            return;
        }
        let remotes = Arc::clone(self);
        let spawned = std::thread::Builder::new()
            .name("hub names".to_owned())
            .spawn(move || {
                sleep(SETTLED);
                remotes.ask_wanted(&news);
            });
        // the next check tries again
        drop(spawned);
    }

    fn ask_wanted(&self, names: &[ModelName]) {
        for name in names {
            let text = name.to_string();
            if !locked(&self.wanted).contains(&text) {
                continue;
            }
            self.ask(name);
            locked(&self.wanted).remove(&text);
            self.events.tell(Event::Models(Nothing {}));
        }
    }
}

/// Asks for everything but the weights.
fn look(hub: &Hub, name: &ModelName) -> Result<Known, HubError> {
    let listing = hub.look(name)?;
    let folders = hub.pull_companions(std::slice::from_ref(&listing), &Silent)?;
    let folder = folders.into_iter().next().unwrap_or_default();
    let bytes = hub.weight_bytes(&listing, &folder)?;
    let checkpoint = hub.open(&listing, &folder)?;
    let model = RemoteModel {
        folder,
        commit: listing.commit,
        source: Some(Arc::new(checkpoint)),
    };
    Ok(Known::Found { model, bytes })
}

/// Models that a plan can have.
#[derive(Debug, Clone, Default)]
pub(super) struct Ready(Vec<(ModelName, RemoteModel)>);

impl Ready {
    pub(super) fn add(&mut self, name: ModelName, model: RemoteModel) {
        if self.0.iter().all(|(known, _)| *known != name) {
            self.0.push((name, model));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &ModelName> {
        self.0.iter().map(|(name, _)| name)
    }
}

impl RemoteModels for Ready {
    fn find(&self, repo: &str, revision: &str) -> Option<RemoteModel> {
        let is_it = |name: &ModelName| name.repository == repo && name.revision == revision;
        let found = self.0.iter().find(|(name, _)| is_it(name));
        found.map(|(_, model)| model.clone())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
