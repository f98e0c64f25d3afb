//! Where the lines of a chat come from: an editor on a terminal, else standard input.

use std::io::{self, BufRead as _, IsTerminal as _, stdin};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::printer::Printer;

/// What stands before a line on a terminal.
const PROMPT: &str = "> ";

/// Gives lines.
#[derive(Debug)]
pub(super) enum Reader {
    /// With editing and history.
    Editor(Box<DefaultEditor>),
    /// As they come.
    Plain,
}

impl Reader {
    /// An editor where somebody types, else plain lines.
    pub(super) fn new() -> rustyline::Result<Self> {
        if stdin().is_terminal() {
            Ok(Self::Editor(Box::new(DefaultEditor::new()?)))
        } else {
            Ok(Self::Plain)
        }
    }

    /// Whether somebody types.
    pub(super) fn is_interactive(&self) -> bool {
        matches!(self, Self::Editor(_))
    }

    /// The next line; `None` at the end: of the input, or when Ctrl-C was pressed twice.
    pub(super) fn line(&mut self, printer: &Printer) -> rustyline::Result<Option<String>> {
        match self {
            Self::Editor(editor) => edited(editor, printer),
            Self::Plain => plain().map_err(ReadlineError::Io),
        }
    }
}

fn edited(editor: &mut DefaultEditor, printer: &Printer) -> rustyline::Result<Option<String>> {
    let mut interrupted = false;
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                editor.add_history_entry(&line)?;
                return Ok(Some(line));
            }
            Err(ReadlineError::Eof) => return Ok(None),
            Err(ReadlineError::Interrupted) if interrupted => return Ok(None),
            Err(ReadlineError::Interrupted) => {
                interrupted = true;
                printer.stderr("press Ctrl-C again or type /quit to exit");
            }
            Err(error) => return Err(error),
        }
    }
}

fn plain() -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then_some(line))
}
