//! Where text goes: data to stdout, talk to stderr.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Mutex;

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use indicatif::ProgressBar;

use crate::terminal_text::{safe, safe_lines};

const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::BrightGreen.on_default().bold();
const HELP: Style = AnsiColor::BrightCyan.on_default().bold();

/// Headings in output.
pub(crate) const HEADING: Style = Style::new().bold();

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loudness {
    /// Errors and warnings alone.
    Quiet,
    /// And what a user wants to know.
    Normal,
    /// And details.
    Verbose,
}

/// The one way to the user.
#[derive(Debug)]
pub(crate) struct Printer {
    loudness: Loudness,
    color: ColorChoice,
    /// The bar that must get out of the way of other lines.
    bar: Mutex<Option<ProgressBar>>,
}

impl Printer {
    /// A printer that has said nothing yet.
    pub(crate) fn new(loudness: Loudness, color: ColorChoice) -> Self {
        Self {
            loudness,
            color,
            bar: Mutex::new(None),
        }
    }

    /// How much is said.
    pub(crate) fn loudness(&self) -> Loudness {
        self.loudness
    }

    /// Stdout, for data. Colours are stripped where they are not wanted.
    pub(crate) fn data(&self) -> AutoStream<io::StdoutLock<'static>> {
        AutoStream::new(io::stdout().lock(), self.color)
    }

    /// A value as JSON on stdout.
    pub(crate) fn json(&self, value: &impl serde::Serialize) -> io::Result<()> {
        let mut out = io::BufWriter::new(self.data());
        serde_json::to_writer_pretty(&mut out, value)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Lines on stderr unless quiet.
    pub(crate) fn talk(&self, text: &str) {
        if self.loudness >= Loudness::Normal {
            self.stderr(text);
        }
    }

    /// Lines on stderr when details are wanted.
    pub(crate) fn detail(&self, text: &str) {
        if self.loudness >= Loudness::Verbose {
            self.stderr(text);
        }
    }

    /// `note: …` unless quiet.
    pub(crate) fn note(&self, message: &str) {
        self.talk(&format!("{NOTE}note{NOTE:#}: {}", safe(message)));
    }

    /// `warning: …`, also when quiet.
    pub(crate) fn warning(&self, message: &str) {
        self.stderr(&format!("{WARNING}warning{WARNING:#}: {}", safe(message)));
    }

    /// `error: …` with its causes and hints.
    pub(crate) fn error(&self, causes: &[String], hints: &[String]) {
        let mut text = String::new();
        for (index, cause) in causes.iter().enumerate() {
            let cause = safe_lines(cause);
            // writing to a string cannot fail
            let _ = match index {
                0 => write!(text, "{ERROR}error{ERROR:#}: {cause}"),
                _ => write!(text, "\n  caused by: {cause}"),
            };
        }
        for hint in hints {
            let _ = write!(text, "\n{HELP}hint{HELP:#}: {}", safe_lines(hint));
        }
        self.stderr(&text);
    }

    /// Text on stderr, whatever the loudness. The progress bar makes room for it.
    pub(crate) fn stderr(&self, text: &str) {
        let write = || {
            let mut stderr = AutoStream::new(io::stderr().lock(), self.color);
            // Nobody can be told that stderr is gone.
            let _ = writeln!(stderr, "{text}");
        };
        match &*self
            .bar
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Lines that are written from now on make room for this bar.
    pub(crate) fn attach(&self, bar: Option<ProgressBar>) {
        *self
            .bar
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = bar;
    }

    /// Whether what goes to stderr is coloured.
    pub(crate) fn colored_stderr(&self) -> bool {
        AutoStream::new(io::stderr().lock(), self.color).current_choice() != ColorChoice::Never
    }
}
