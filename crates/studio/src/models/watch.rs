//! Tells the pages when a model begins to load, how far it is, and when it can speak.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::status;
use crate::app::App;
use crate::wire::{Event, ModelChange, ModelState};

/// How often loading models are looked at.
const INTERVAL: Duration = Duration::from_millis(200);

/// Watches until nobody uses the studio any more.
pub(crate) fn watch(app: &Arc<App>) {
    let app = Arc::downgrade(app);
    let spawned = std::thread::Builder::new()
        .name("model states".to_owned())
        .spawn(move || look_again_and_again(&app));
    // without it pages ask for states themselves
    drop(spawned);
}

fn look_again_and_again(app: &Weak<App>) {
    let mut before = BTreeMap::new();
    while let Some(app) = app.upgrade() {
        look(&app, &mut before);
        drop(app);
        std::thread::sleep(INTERVAL);
    }
}

/// A model's state, the percent of it that is loaded, and what is wrong with it.
type Seen = (ModelState, Option<u8>, Option<String>);

fn look(app: &App, before: &mut BTreeMap<String, Seen>) {
    let mut now = BTreeMap::new();
    for entry in app.catalogue.list() {
        let status = status(app, &entry);
        let percent = status.progress.map(|share| (share * 100.0) as u8);
        let seen = (status.state, percent, status.error.clone());
        // what is there for the first time is news only when it is not at rest
        let is_news = match before.get(&entry.name) {
            Some(before) => *before != seen,
            None => matches!(status.state, ModelState::Loading | ModelState::Warm),
        };
        if is_news {
            app.events.tell(Event::Model(ModelChange {
                name: entry.name.clone(),
                status,
            }));
        }
        now.insert(entry.name.clone(), seen);
    }
    *before = now;
}
