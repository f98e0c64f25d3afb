//! Progress of work, file by file where files come or go.

use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use weightsmith_session::Work;
use weightsmith_session::quantities::bytes;

use crate::env_vars::DISABLE_PROGRESS_BARS;
use crate::printer::Printer;
use crate::progress::{BAR_LETTERS, Progress};
use crate::terminal;
use crate::terminal_text::safe;

/// A line for a file that is on its way.
const FILE_BAR: &str =
    "  {prefix} {percent:>3} % {wide_bar} {decimal_bytes} of {decimal_total_bytes}";

/// Characters of a file's name beside its bar.
const NAME_WIDTH: usize = 40;

/// Bars that are shown at the same time, whatever a hub has under way: a small terminal has 24 lines.
const MOST_BARS: usize = 16;

/// A bar for each file that is on its way, with one for all of them below; where nobody watches, a line now and then. A line in
/// detail for each file that is complete.
#[derive(Debug)]
pub(crate) struct Transfer<'a> {
    printer: &'a Printer,
    progress: Progress<'a>,
    /// Where a person watches: the place of the bars.
    bars: Option<MultiProgress>,
    files: Mutex<Vec<File>>,
}

/// A file that comes or goes.
#[derive(Debug)]
struct File {
    name: String,
    size: u64,
    done: u64,
    /// While it is under way.
    bar: Option<ProgressBar>,
}

impl<'a> Transfer<'a> {
    /// Work that begins.
    pub(crate) fn new(printer: &'a Printer, work: &Work<'_>) -> Self {
        let name = work_name(work);
        let moves_files = matches!(work, Work::Downloading | Work::Uploading);
        let progress = if moves_files && is_hidden() {
            Progress::hidden(printer, name)
        } else {
            Progress::new(printer, name)
        };
        let bars = progress.bar().map(|total| {
            let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            bars.add(total.clone());
            bars
        });
        Self {
            printer,
            progress,
            bars,
            files: Mutex::default(),
        }
    }

    /// Takes the bars away.
    pub(crate) fn finish(&self) {
        for file in self.files().iter_mut() {
            self.take_away(file);
        }
        self.progress.finish();
    }

    /// The work as a whole.
    pub(crate) fn whole(&self) -> &Progress<'a> {
        &self.progress
    }

    fn files(&self) -> MutexGuard<'_, Vec<File>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_away(&self, file: &mut File) {
        if let (Some(bars), Some(bar)) = (&self.bars, file.bar.take()) {
            bar.finish_and_clear();
            bars.remove(&bar);
        }
    }

    /// A bar above that of all files, unless there are too many.
    fn show(&self, file: &File, shown: usize) -> Option<ProgressBar> {
        let (bars, total) = (self.bars.as_ref()?, self.progress.bar()?);
        if shown >= MOST_BARS {
            return None;
        }
        let style =
            ProgressStyle::with_template(FILE_BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
        let letters = BAR_LETTERS[usize::from(terminal::unicode())];
        let bar = ProgressBar::with_draw_target(Some(file.size), ProgressDrawTarget::hidden())
            .with_style(style.progress_chars(letters))
            .with_prefix(short_name(&safe(&file.name)));
        let bar = bars.insert_before(total, bar);
        bar.set_position(file.done);
        Some(bar)
    }
}

/// What stands before the bar.
fn work_name(work: &Work<'_>) -> String {
    safe(work.name()).into_owned()
}

/// Whether huggingface_hub's variable asks for no bars.
fn is_hidden() -> bool {
    std::env::var_os(DISABLE_PROGRESS_BARS).is_some_and(|value| {
        let value = value.to_string_lossy().to_ascii_uppercase();
        matches!(value.as_str(), "1" | "ON" | "YES" | "TRUE")
    })
}

/// The end of a name, which tells shards apart, in as many characters as a name has.
fn short_name(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME_WIDTH {
        return format!("{name:NAME_WIDTH$}");
    }
    let gap = if terminal::unicode() { "…" } else { "~" };
    let end = name.chars().skip(length - NAME_WIDTH + 1);
    gap.chars().chain(end).collect()
}

impl Transfer<'_> {
    /// The files that come or go; those before are done.
    pub(crate) fn begin(&self, files: &[(String, u64)]) {
        let mut known = self.files();
        for file in known.iter_mut() {
            self.take_away(file);
        }
        let file = |(name, size): &(String, u64)| File {
            name: name.clone(),
            size: *size,
            done: 0,
            bar: None,
        };
        *known = files.iter().map(file).collect();
        self.progress
            .started(files.iter().map(|(_, size)| size).sum(), 0);
    }

    /// That many bytes of a file are there from before.
    pub(crate) fn already(&self, file: usize, count: u64) {
        self.progress.already(count);
        if let Some(file) = self.files().get_mut(file) {
            file.done += count;
        }
    }

    /// That many more bytes of a file are done.
    pub(crate) fn advance(&self, file: usize, count: u64) {
        let mut files = self.files();
        let shown = files.iter().filter(|file| file.bar.is_some()).count();
        if let Some(file) = files.get_mut(file)
            && count > 0
        {
            let before = file.done;
            file.done += count;
            if file.done < file.size {
                match &file.bar {
                    Some(bar) => bar.set_position(file.done),
                    None => file.bar = self.show(file, shown),
                }
            } else {
                self.take_away(file);
                // an upload that was sent twice counts more than its bytes
                if before < file.size {
                    self.printer
                        .detail(&format!("{}: {}", safe(&file.name), bytes(file.size)));
                }
            }
        }
        drop(files);
        self.progress.written(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_end_that_tells_shards_apart() {
        assert_eq!(short_name("a"), format!("a{}", " ".repeat(39)));
        let long = short_name("organisation/a-model-with-a-name model-00017-of-00030.safetensors");
        assert_eq!(long.chars().count(), NAME_WIDTH);
        assert!(
            long.ends_with(" model-00017-of-00030.safetensors"),
            "{long}"
        );
    }
}
