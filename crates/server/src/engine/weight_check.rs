//! What is known about the files of an engine's model.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use weightsmith_infer::{Decoder, Error};

/// Whether a model's files are still those that were loaded.
#[derive(Debug)]
pub(super) struct WeightCheck {
    problem: Option<String>,
    /// Told to the engine's handles: the model must be loaded anew.
    damaged: Arc<AtomicBool>,
}

impl WeightCheck {
    pub(super) fn new(damaged: Arc<AtomicBool>) -> Self {
        Self {
            problem: None,
            damaged,
        }
    }

    /// Looks at the files, after a step that failed.
    pub(super) fn look(&mut self, decoder: &Decoder) {
        if self.problem.is_none()
            && let Err(error) = decoder.ensure_unchanged()
        {
            self.problem = Some(without_folder(&error));
            self.damaged.store(true, Ordering::Release);
        }
    }

    /// What happened to the files, in words for clients.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

/// The message without the folder that the file is in, which is nothing for clients.
fn without_folder(error: &Error) -> String {
    use weightsmith_tensors::Error::{Changed, Lost, Shortened};
    let message = error.to_string();
    let Error::Tensors(Shortened { path, .. } | Lost { path } | Changed { path, .. }) = error
    else {
        return message;
    };
    let (whole, name) = (path.display().to_string(), path.file_name());
    let name = name.map_or_else(String::new, |name| Path::new(name).display().to_string());
    message.replace(&whole, &name)
}
