//! What a session tells, on a terminal.

use std::sync::{PoisonError, RwLock};

use weightsmith_session::{Monitor, Note, NoteLevel, Progress, Work};

use crate::diagnostics;
use crate::interrupt;
use crate::printer::Printer;
use crate::terminal_text::safe;
use crate::transfer::Transfer;

/// Names that a note shows.
const MOST_NAMES: usize = 20;

/// Bars for work, lines for notes.
#[derive(Debug)]
pub(crate) struct TerminalProgress<'a> {
    printer: &'a Printer,
    /// The work that goes on.
    current: RwLock<Option<Transfer<'a>>>,
}

impl<'a> TerminalProgress<'a> {
    /// Nothing goes on yet.
    pub(crate) fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            current: RwLock::new(None),
        }
    }

    /// For calls that Ctrl-C ends once [`interrupt::listen`] was called, and the process with them until then.
    pub(crate) fn monitor(&self) -> Monitor<'_> {
        Monitor {
            progress: self,
            cancel: interrupt::cancel(),
        }
    }

    fn with(&self, tell: impl FnOnce(&Transfer<'a>)) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(work) = &*current {
            tell(work);
        }
    }

    fn replace(&self, work: Option<Transfer<'a>>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *current, work) {
            before.finish();
        }
    }
}

impl Progress for TerminalProgress<'_> {
    fn begin(&self, work: &Work<'_>) {
        self.replace(Some(Transfer::new(self.printer, work)));
    }

    fn stage(&self, name: &str) {
        self.with(|work| work.whole().stage(name));
    }

    fn expect(&self, total: u64, done: u64) {
        self.with(|work| work.whole().started(total, done));
    }

    fn advance(&self, amount: u64) {
        self.with(|work| work.whole().written(amount));
    }

    fn files(&self, files: &[(String, u64)]) {
        self.with(|work| work.begin(files));
    }

    fn file_found(&self, file: usize, bytes: u64) {
        self.with(|work| work.already(file, bytes));
    }

    fn file_advance(&self, file: usize, bytes: u64) {
        self.with(|work| work.advance(file, bytes));
    }

    fn end(&self) {
        self.replace(None);
    }

    fn note(&self, note: &Note<'_>) {
        let printer = self.printer;
        match note {
            Note::Checked(outcome) => diagnostics::show(outcome, printer),
            Note::FilesLeftOut(names) => printer.note(&left_out(names)),
            Note::PathMentioned(_) => printer.note(&safe(&note.to_string())),
            Note::Publishing { .. } => printer.talk(&note.to_string()),
            note => match note.level() {
                NoteLevel::Detail => printer.detail(&safe(&note.to_string())),
                NoteLevel::Note => printer.note(&note.to_string()),
                NoteLevel::Warning => printer.warning(&note.to_string()),
            },
        }
    }
}

/// What stays here, and how it would go along.
fn left_out(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| format!("`{}`", safe(name)))
        .collect();
    let more = match names.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!(
        "not part of the model, skipped: {}{more} (use `--include` to add files)",
        shown.join(", ")
    )
}
