//! How far a measurement is.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weightsmith_session::Cancel;

use crate::printer::{Loudness, Printer};

/// A bar on a terminal, nothing elsewhere; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Work<'a> {
    printer: &'a Printer,
    bar: ProgressBar,
    stop: &'static Cancel,
}

impl<'a> Work<'a> {
    /// Begins; `name` stands before the bar.
    pub(super) fn new(printer: &'a Printer, stop: &'static Cancel, name: &str) -> Self {
        let target = if printer.loudness() == Loudness::Quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let style = ProgressStyle::with_template("{prefix} {percent:>3} % {wide_bar} {eta} to go");
        let bar = ProgressBar::with_draw_target(Some(0), target)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_prefix(crate::terminal_text::safe(name).into_owned());
        printer.attach(Some(bar.clone()));
        Self { printer, bar, stop }
    }

    /// What a measurement tells, and how it is ended.
    pub(super) fn progress(&self) -> impl FnMut(usize, usize) -> ControlFlow<()> {
        let (bar, stop) = (self.bar.clone(), self.stop);
        move |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            if stop.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.printer.attach(None);
        self.bar.finish_and_clear();
    }
}
