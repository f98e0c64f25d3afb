//! What happens, told to every page that listens.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::broadcast;

use crate::wire::{self, Nothing};

/// Events that are kept for pages that were away for a moment.
const KEPT: usize = 512;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// Counts up, also from one start of the server to the next.
    pub(crate) id: u64,
    pub(crate) told: Arc<wire::Event>,
}

/// Tells events to all who listen, and keeps the newest.
#[derive(Debug)]
pub(crate) struct Events {
    told: Mutex<Told>,
}

#[derive(Debug)]
struct Told {
    kept: VecDeque<Event>,
    last: u64,
    /// None when the studio is closed: who listens hears the end.
    sender: Option<broadcast::Sender<Event>>,
}

/// What somebody hears from now on.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The number of the last event before this moment.
    pub(crate) last: u64,
    /// What was missed.
    pub(crate) missed: Vec<Event>,
    /// What comes; none when the studio is closed.
    pub(crate) coming: Option<broadcast::Receiver<Event>>,
}

impl Default for Events {
    fn default() -> Self {
        // who heard the server that ran before must not take the new one's events for those that it knows
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::starting_at(since.map_or(0, |since| since.as_millis() as u64))
    }
}

impl Events {
    fn starting_at(last: u64) -> Self {
        Self {
            told: Mutex::new(Told {
                kept: VecDeque::new(),
                last,
                sender: Some(broadcast::Sender::new(KEPT)),
            }),
        }
    }

    /// Tells an event.
    pub(crate) fn tell(&self, event: wire::Event) {
        let mut told = self.told();
        told.last += 1;
        let event = Event {
            id: told.last,
            told: Arc::new(event),
        };
        told.kept.push_back(event.clone());
        if told.kept.len() > KEPT {
            told.kept.pop_front();
        }
        if let Some(sender) = &told.sender {
            // nobody may be listening
            let _ = sender.send(event);
        }
    }

    /// Listens from now on, or from behind an event that was heard: where too much was missed, `reset` says so.
    pub(crate) fn listen(&self, heard: Option<u64>) -> Listening {
        let told = self.told();
        let oldest = told.kept.front().map_or(told.last + 1, |event| event.id);
        let missed = match heard {
            None => Vec::new(),
            Some(heard) if heard + 1 >= oldest && heard <= told.last => {
                let news = told.kept.iter().filter(|event| event.id > heard);
                news.cloned().collect()
            }
            Some(_) => vec![reset(told.last)],
        };
        Listening {
            last: told.last,
            missed,
            coming: told.sender.as_ref().map(broadcast::Sender::subscribe),
        }
    }

    /// Ends what all hear.
    pub(crate) fn close(&self) {
        self.told().sender = None;
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That too much was missed: everything must be fetched again.
fn reset(id: u64) -> Event {
    Event {
        id,
        told: Arc::new(wire::Event::Reset(Nothing {})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Event as Told;

    fn ids(listening: &Listening) -> Vec<(u64, &'static str)> {
        let missed = listening.missed.iter();
        missed.map(|event| (event.id, event.told.name())).collect()
    }

    #[test]
    fn what_was_missed_is_told_and_too_much_is_reset() {
        let events = Events::starting_at(100);
        for _ in 0..3 {
            events.tell(Told::Models(Nothing {}));
        }
        assert!(ids(&events.listen(None)).is_empty());
        assert_eq!(
            ids(&events.listen(Some(101))),
            [(102, "models"), (103, "models")]
        );
        assert!(ids(&events.listen(Some(103))).is_empty());
        assert_eq!(ids(&events.listen(Some(100))).len(), 3);
        // of the server that ran before, or of none
        assert_eq!(ids(&events.listen(Some(7))), [(103, "reset")]);
        assert_eq!(ids(&events.listen(Some(104))), [(103, "reset")]);
        for _ in 0..KEPT {
            events.tell(Told::Models(Nothing {}));
        }
        assert_eq!(ids(&events.listen(Some(102)))[0].1, "reset");
        assert_eq!(ids(&events.listen(Some(103))).len(), KEPT);
    }

    #[tokio::test]
    async fn who_listens_hears_the_end() {
        let events = Events::default();
        let mut coming = events.listen(None).coming.expect("it is open");
        events.tell(Told::Models(Nothing {}));
        events.close();
        assert_eq!(coming.recv().await.expect("an event").told.name(), "models");
        assert!(coming.recv().await.is_err());
        assert!(events.listen(None).coming.is_none());
    }
}
