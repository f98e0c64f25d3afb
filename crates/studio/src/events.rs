//! What happens, told to every page that listens.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::broadcast;

/// Events that are kept for pages that were away for a moment.
const KEPT: usize = 512;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// Counts up from 1.
    pub(crate) id: u64,
    /// `run`, `model`, `models` or `log`.
    pub(crate) kind: &'static str,
    pub(crate) data: Value,
}

/// Tells events to all who listen, and keeps the newest.
#[derive(Debug)]
pub(crate) struct Events {
    kept: Mutex<VecDeque<Event>>,
    sender: broadcast::Sender<Event>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            sender: broadcast::Sender::new(KEPT),
        }
    }
}

impl Events {
    /// Tells an event.
    pub(crate) fn tell(&self, kind: &'static str, data: Value) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let id = kept.back().map_or(1, |last| last.id + 1);
        let event = Event { id, kind, data };
        kept.push_back(event.clone());
        if kept.len() > KEPT {
            kept.pop_front();
        }
        // nobody may be listening
        let _ = self.sender.send(event);
    }
}
