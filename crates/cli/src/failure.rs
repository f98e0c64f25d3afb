//! Why a command ended early: an error with hints and the exit code that goes with it.

use std::io;

use serde_json::json;
use weightsmith_session::SessionError;

use crate::diagnostics;
use crate::exit_code::ExitCode;
use crate::printer::Printer;

/// An error on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    error: anyhow::Error,
    hints: Vec<String>,
    code: ExitCode,
}

impl Failure {
    /// The work could not be done.
    pub(crate) fn new(error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        let told = error.downcast_ref::<SessionError>();
        Self {
            hints: told.map_or_else(Vec::new, SessionError::hints),
            code: match told {
                Some(error) if error.is_interrupted() => ExitCode::Interrupted,
                Some(error) if error.is_usage() => ExitCode::Usage,
                _ => ExitCode::NotDone,
            },
            error,
        }
    }

    /// The command line asks for something that cannot be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: ExitCode::Usage,
            ..Self::new(anyhow::Error::msg(message.into()))
        }
    }

    /// The same with advice.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What went wrong, in one line.
    pub(crate) fn sentence(&self) -> String {
        let causes: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        causes.join(": ")
    }

    /// Tells the user, and gives the exit code. A reader that closed the pipe has seen what it wanted: that is no error.
    pub(crate) fn report(&self, printer: &Printer) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::Done;
        }
        if let Some(SessionError::Recipe(outcome)) = self.error.downcast_ref() {
            diagnostics::show(outcome, printer);
            return self.code;
        }
        let causes: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        printer.error(&causes, &self.hints);
        self.code
    }

    /// The same for programs that read stdout.
    pub(crate) fn report_json(&self, printer: &Printer) -> ExitCode {
        let told = match self.error.downcast_ref() {
            Some(SessionError::Recipe(outcome)) => {
                let name = &outcome.recipe.name;
                let message = diagnostics::sentence(outcome.count(), name);
                let told = outcome.told();
                let problems = diagnostics::json(name, &told);
                json!({"error": {"message": message, "diagnostics": problems}})
            }
            _ => json!({"error": {"message": self.sentence(), "hints": self.hints}}),
        };
        // what cannot be written there is still said on stderr
        let _ = printer.json(&told);
        self.report(printer)
    }

    /// Advice.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The exit code that goes with it.
    pub(crate) fn code(&self) -> ExitCode {
        self.code
    }

    /// Whether a reader closed the pipe, which is told to nobody.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.error.chain().any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        })
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}
