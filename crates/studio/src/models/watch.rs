//! Tells the pages when a model begins to load, how far it is, and when it can speak.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Catalogue;
use crate::wire::{Event, ModelChange, ModelState};

/// How often loading models are looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// Watches until nobody uses the studio any more.
pub(crate) fn watch(catalogue: &Arc<Catalogue>) {
    let catalogue = Arc::downgrade(catalogue);
    let spawned = std::thread::Builder::new()
        .name("model states".to_owned())
        .spawn(move || look_again_and_again(&catalogue));
    // without it pages ask for states themselves
    drop(spawned);
}

fn look_again_and_again(catalogue: &Weak<Catalogue>) {
    let mut before = BTreeMap::new();
    while let Some(catalogue) = catalogue.upgrade() {
        look(&catalogue, &mut before);
        drop(catalogue);
        std::thread::sleep(INTERVAL);
    }
}

/// A model's state, the percent of it that is loaded, and what is wrong with it.
type Seen = (ModelState, Option<u8>, Option<String>);

fn look(catalogue: &Catalogue, before: &mut BTreeMap<String, Seen>) {
    let mut now = BTreeMap::new();
    for entry in catalogue.list() {
        let status = catalogue.status(&entry);
        let percent = status.progress.map(|share| (share * 100.0) as u8);
        let seen = (status.state, percent, status.error.clone());
        // what is there for the first time is news only when it is not at rest
        let is_news = match before.get(&entry.name) {
            Some(before) => *before != seen,
            None => matches!(status.state, ModelState::Loading | ModelState::Warm),
        };
        if is_news {
            catalogue.events.tell(Event::Model(ModelChange {
                name: entry.name.clone(),
                status,
            }));
        }
        now.insert(entry.name.clone(), seen);
    }
    *before = now;
}
