//! What the Hub and stores said of models lately.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use weightsmith::model::RemoteModel;

use crate::{RemoteName, SessionError};

/// How long it is remembered what was found.
const REMEMBERED: Duration = Duration::from_mins(10);

/// How long it is remembered that a model cannot be had.
const REFUSED: Duration = Duration::from_mins(1);

/// What was said of a model.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// It can be had: its small files are here, and the headers of its weights.
    Found {
        model: RemoteModel,
        /// The size of its weights.
        bytes: u64,
    },
    /// It cannot be had.
    Refused(Arc<SessionError>),
    /// The Hub gave no answer; why.
    NoAnswer(String),
}

/// What was said lately.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<BTreeMap<String, (Instant, Known)>>);

impl Remembered {
    /// What was said of a model lately.
    pub(crate) fn get(&self, name: &RemoteName) -> Option<Known> {
        let all = self.all();
        let (since, known) = all.get(&name.to_string())?;
        let lasts = match known {
            Known::Found { .. } => REMEMBERED,
            Known::Refused(_) | Known::NoAnswer(_) => REFUSED,
        };
        (since.elapsed() < lasts).then(|| known.clone())
    }

    /// The same for a model that can be had.
    pub(crate) fn found(&self, name: &RemoteName) -> Option<Known> {
        self.get(name)
            .filter(|known| matches!(known, Known::Found { .. }))
    }

    pub(crate) fn add(&self, name: &RemoteName, known: Known) {
        let mut all = self.all();
        all.retain(|_, (since, _)| since.elapsed() < REMEMBERED);
        all.insert(name.to_string(), (Instant::now(), known));
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, (Instant, Known)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
