//! Whether a model's files are still those that were loaded.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use weightsmith_infer::{Decoder, Error};

/// How long a look at the files counts. A file that became shorter is noticed at once, whatever this is.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What is known about the files of an engine's model.
#[derive(Debug)]
pub(super) struct WeightCheck {
    looked: Option<Instant>,
    problem: Option<String>,
    /// Told to the engine's handles: the model must be loaded anew.
    damaged: Arc<AtomicBool>,
}

impl WeightCheck {
    pub(super) fn new(damaged: Arc<AtomicBool>) -> Self {
        Self {
            looked: None,
            problem: None,
            damaged,
        }
    }

    /// Looks at the files if it is time, or `now`. The error is for clients.
    pub(super) fn ensure_sound(&mut self, decoder: &Decoder, now: bool) -> Result<(), &str> {
        let due = self
            .looked
            .is_none_or(|looked| looked.elapsed() >= LOOK_AGAIN);
        if self.problem.is_none() && (now || due) {
            self.looked = Some(Instant::now());
            if let Err(error) = decoder.ensure_unchanged() {
                self.problem = Some(without_folder(&error));
                self.damaged.store(true, Ordering::Release);
            }
        }
        self.problem.as_deref().map_or(Ok(()), Err)
    }
}

/// The message without the folder that the file is in, which is nothing for clients.
fn without_folder(error: &Error) -> String {
    use weightsmith_tensors::Error::{Changed, Lost, Shortened};
    let message = error.to_string();
    let path = match error {
        Error::Tensors(Shortened { path, .. } | Lost { path } | Changed { path, .. }) => path,
        _ => return message,
    };
    let (whole, name) = (path.display().to_string(), path.file_name());
    let name = name.map_or_else(String::new, |name| Path::new(name).display().to_string());
    message.replace(&whole, &name)
}
