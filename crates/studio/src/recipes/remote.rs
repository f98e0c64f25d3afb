//! Models elsewhere that a recipe names while it is written: asked for when it still names them in a moment.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use weightsmith_session::{Cancel, Monitor, RemoteName, Silent};

use crate::app::App;

/// How long a name stands in a recipe until it is asked for: while somebody types, each letter makes another name.
const SETTLED: Duration = Duration::from_millis(700);

/// Names of the recipe that was checked last.
#[derive(Debug, Default)]
pub(crate) struct Remotes(Mutex<BTreeSet<String>>);

impl Remotes {
    /// Asks for the models of a recipe that is being written, if it still names them in a moment.
    pub(super) fn ask_soon(app: &Arc<App>, names: Vec<RemoteName>) {
        let news: Vec<RemoteName> = {
            let mut wanted = app.remotes.wanted();
            let before = std::mem::take(&mut *wanted);
            wanted.extend(names.iter().map(RemoteName::to_string));
            let is_new = |name: &RemoteName| !before.contains(&name.to_string());
            names.into_iter().filter(is_new).collect()
        };
        if news.is_empty() {
            return;
        }
        let app = Arc::clone(app);
        let spawned = std::thread::Builder::new()
            .name("model names".to_owned())
            .spawn(move || {
                sleep(SETTLED);
                app.remotes.ask_wanted(&app, &news);
            });
        // the next check tries again
        drop(spawned);
    }

    fn ask_wanted(&self, app: &App, names: &[RemoteName]) {
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
            let _ = app.session.ask(name, monitor);
            self.wanted().remove(&text);
            app.events.tell("models", json!({}));
        }
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
