//! How much of a long prompt was read, on a terminal.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printer::{Loudness, Printer};
use crate::terminal;

/// Prompts that are read sooner need no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tokens and time; how long the rest takes is hard to say, since a token takes the longer the more came before it.
const BAR: &str =
    "processing the prompt {percent:>3} % {wide_bar} {human_pos} of {human_len} tokens, {elapsed}";

/// A bar that appears when a prompt takes long, and goes when this is dropped.
#[derive(Debug)]
pub(crate) struct PromptProgress<'a> {
    printer: &'a Printer,
    /// Whether somebody watches.
    watched: bool,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl<'a> PromptProgress<'a> {
    /// Nothing to see yet, and never anything where stderr is no terminal.
    pub(crate) fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            watched: printer.loudness() > Loudness::Quiet && stderr().is_terminal(),
            begun: Instant::now(),
            bar: None,
        }
    }

    /// So many of so many tokens are read.
    pub(crate) fn update(&mut self, done: usize, total: usize) {
        if !self.watched || (self.bar.is_none() && self.begun.elapsed() < PATIENCE) {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = bar(total as u64).with_elapsed(self.begun.elapsed());
            self.printer.attach(Some(bar.clone()));
            bar
        });
        bar.set_position(done as u64);
    }
}

impl Drop for PromptProgress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            self.printer.attach(None);
            bar.finish_and_clear();
        }
    }
}

fn bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    let characters = if terminal::unicode() {
        "━╸ "
    } else {
        "=> "
    };
    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style.progress_chars(characters))
}
