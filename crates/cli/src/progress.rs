//! Progress of long work: a bar on a terminal, a line now and then elsewhere, nothing when quiet.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weightsmith_session::quantities::{bytes, percent, seconds};

use crate::printer::{Loudness, Printer};
use crate::terminal;

/// Time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Bytes, speed and time to go; the work's name in front.
const BAR: &str = "{prefix} {percent:>3} % {wide_bar} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} to go";

/// What bars are drawn with: where there is ASCII alone, and elsewhere.
pub(crate) const BAR_LETTERS: [&str; 2] = ["=> ", "━╸ "];

/// Tells a [`Printer`] how far the work is.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    printer: &'a Printer,
    /// What is done, such as `merging`.
    work: String,
    style: Style,
    total: AtomicU64,
    done: AtomicU64,
    /// When the work began, how much was done by then, and when the last line was written.
    clock: Mutex<Clock>,
}

#[derive(Debug)]
struct Clock {
    start: Instant,
    at_start: u64,
    line: Instant,
}

#[derive(Debug)]
enum Style {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl<'a> Progress<'a> {
    /// A bar if a person watches, lines if not.
    pub(crate) fn new(printer: &'a Printer, work: String) -> Self {
        let style = if printer.loudness() == Loudness::Quiet {
            Style::Nothing
        } else if stderr().is_terminal() {
            Style::Bar(bar(&work))
        } else {
            Style::Lines
        };
        Self::with_style(printer, work, style)
    }

    /// Nothing, whoever watches.
    pub(crate) fn hidden(printer: &'a Printer, work: String) -> Self {
        Self::with_style(printer, work, Style::Nothing)
    }

    fn with_style(printer: &'a Printer, work: String, style: Style) -> Self {
        let now = Instant::now();
        Self {
            printer,
            work,
            style,
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
            clock: Mutex::new(Clock {
                start: now,
                at_start: 0,
                line: now,
            }),
        }
    }

    /// The bar, where a person watches.
    pub(crate) fn bar(&self) -> Option<&ProgressBar> {
        match &self.style {
            Style::Bar(bar) => Some(bar),
            Style::Lines | Style::Nothing => None,
        }
    }

    /// That much was done before the work began: it does not count for the speed.
    pub(crate) fn already(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        if let Ok(mut clock) = self.clock.lock() {
            clock.at_start += bytes;
        }
        if let Some(bar) = self.bar() {
            bar.inc(bytes);
            bar.reset_eta();
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Style::Bar(bar) = &self.style {
            self.printer.attach(None);
            bar.finish_and_clear();
        }
    }

    /// Writes a line when the last one is long enough ago.
    fn line(&self) {
        // who finds the clock in use leaves the line to the one who uses it
        let Ok(mut clock) = self.clock.try_lock() else {
            return;
        };
        if clock.line.elapsed() < BETWEEN_LINES {
            return;
        }
        clock.line = Instant::now();
        let elapsed = clock.start.elapsed().as_secs_f64();
        let (done, total) = (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        );
        self.printer
            .talk(&line(&self.work, done, total, clock.at_start, elapsed));
    }
}

/// `merging: 25.0 %, 500.0 MB of 2.00 GB, 1.00 GB/s, 1.50 s to go`.
fn line(work: &str, done: u64, total: u64, at_start: u64, elapsed: f64) -> String {
    let speed = done.saturating_sub(at_start) as f64 / elapsed.max(1e-9);
    let share = if total == 0 {
        1.0
    } else {
        done as f64 / total as f64
    };
    let mut text = format!(
        "{work}: {}, {} of {}, {}/s",
        percent(share),
        bytes(done),
        bytes(total),
        bytes(speed as u64)
    );
    if speed > 0.0 {
        let left = total.saturating_sub(done) as f64 / speed;
        let _ = write!(text, ", {} to go", seconds(left));
    }
    text
}

fn bar(work: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10))
        .with_style(style.progress_chars(BAR_LETTERS[usize::from(terminal::unicode())]))
        .with_prefix(work.to_owned())
}

impl Progress<'_> {
    /// The work begins, or begins anew: so much there is, and so much of it was done before.
    pub(crate) fn started(&self, total: u64, resumed: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(resumed, Ordering::Relaxed);
        if let Ok(mut clock) = self.clock.lock() {
            let now = Instant::now();
            *clock = Clock {
                start: now,
                at_start: resumed,
                line: now,
            };
        }
        if resumed > 0 {
            self.printer.note(&format!(
                "resuming an earlier run: {} of {} already done",
                bytes(resumed),
                bytes(total)
            ));
        }
        if let Style::Bar(bar) = &self.style {
            // it may have been taken away after other work
            bar.reset();
            bar.set_length(total);
            bar.set_position(resumed);
            bar.reset_eta();
            self.printer.attach(Some(bar.clone()));
        }
    }

    /// That much more is done.
    pub(crate) fn written(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        match &self.style {
            Style::Bar(bar) => bar.inc(bytes),
            Style::Lines => self.line(),
            Style::Nothing => {}
        }
    }

    /// A part of the work begins.
    pub(crate) fn stage(&self, name: &str) {
        match &self.style {
            Style::Bar(bar) => bar.set_prefix(name.to_owned()),
            Style::Lines | Style::Nothing => self.printer.detail(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        assert_eq!(
            line("merging", 500_000_000, 2_000_000_000, 0, 0.5),
            "merging: 25.0 %, 500.0 MB of 2.00 GB, 1.00 GB/s, 1.50 s to go"
        );
    }

    #[test]
    fn what_an_earlier_run_did_does_not_count_for_the_speed() {
        assert_eq!(
            line("merging", 600_000_000, 1_000_000_000, 500_000_000, 1.0),
            "merging: 60.0 %, 600.0 MB of 1.00 GB, 100.0 MB/s, 4.00 s to go"
        );
    }

    #[test]
    fn nothing_to_do_is_done() {
        assert_eq!(
            line("merging", 0, 0, 0, 0.0),
            "merging: 100.0 %, 0 B of 0 B, 0 B/s"
        );
    }
}
