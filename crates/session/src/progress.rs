//! How a caller follows a call and ends it.

use std::fmt;

use weightsmith_tensors::Cancel;

use crate::Outcome;
use crate::quantities::{bytes, counted};
use weightsmith::output::Mention;

/// Hears how far a call is, from any of its threads. The command line draws bars, the studio keeps it for its pages.
pub trait Progress: Sync {
    /// Work begins. What is told until [`Self::end`] is about it.
    fn begin(&self, _work: &Work<'_>) {}

    /// A part of the work begins, such as `verifying`.
    fn stage(&self, _name: &str) {}

    /// How much there is to do, and how much of it was done before. What is done is counted anew.
    fn expect(&self, _total: u64, _done: u64) {}

    /// That much more is done.
    fn advance(&self, _amount: u64) {}

    /// That many tensors of so many are done.
    fn tensors(&self, _done: u64, _total: u64) {}

    /// The files that come or go, with their sizes; those after it are counted from 0 again.
    fn files(&self, files: &[(String, u64)]) {
        self.expect(files.iter().map(|(_, size)| size).sum(), 0);
    }

    /// That many bytes of a file are there from before: they neither come nor go.
    fn file_found(&self, file: usize, bytes: u64) {
        self.file_advance(file, bytes);
    }

    /// That many more bytes of a file are done.
    fn file_advance(&self, _file: usize, bytes: u64) {
        self.advance(bytes);
    }

    /// The work is over, for better or worse.
    fn end(&self) {}

    /// Something to know meanwhile.
    fn note(&self, _note: &Note<'_>) {}
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work<'a> {
    /// Files come from the Hub.
    Downloading,
    /// Files go to the Hub or to a store.
    Uploading,
    /// A merge is written.
    Merging,
    /// Two models are compared.
    Comparing,
    /// A merged model is read again.
    Verifying,
    /// A model is measured; on what.
    Measuring(&'a str),
}

impl<'a> Work<'a> {
    /// One word for it, or what is measured on.
    pub fn name(self) -> &'a str {
        match self {
            Self::Downloading => "downloading",
            Self::Uploading => "uploading",
            Self::Merging => "merging",
            Self::Comparing => "comparing",
            Self::Verifying => "verifying",
            Self::Measuring(what) => what,
        }
    }
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteLevel {
    /// Who wants to know everything wants to know this.
    Detail,
    /// Good to know.
    Note,
    /// Something may be wrong.
    Warning,
}

/// Something to know that is no error. It can be shown as it is, or a front end finds its own words.
#[derive(Debug)]
#[non_exhaustive]
pub enum Note<'a> {
    /// A recipe can be merged, with these problems.
    Checked(&'a Outcome),
    /// The headers of a model were read where it is.
    HeadersRead {
        /// The model.
        model: &'a str,
        /// Where its weights stay.
        place: &'static str,
        /// Its files.
        files: usize,
        /// Their size.
        bytes: u64,
    },
    /// The Hub was asked for a model and gave no answer.
    NoAnswer {
        /// The model.
        model: &'a str,
        /// What went wrong.
        problem: &'a str,
    },
    /// What a revision stands for.
    AtCommit {
        /// The model.
        model: &'a str,
        /// The commit.
        commit: &'a str,
    },
    /// An earlier run has merged the model; what was not sent goes now.
    MergedBefore,
    /// A local path is published as a name.
    PathReplaced {
        /// The path.
        path: &'a str,
        /// The name.
        name: &'a str,
    },
    /// A setting with a local path is not published.
    PathLeftOut {
        /// The file.
        file: &'a str,
        /// The setting.
        key: &'a str,
    },
    /// A text that is published mentions a path of somebody's machine.
    PathMentioned(&'a Mention),
    /// Files that are not published.
    FilesLeftOut(&'a [String]),
    /// Files go to the Hub.
    Publishing {
        /// How many.
        files: usize,
        /// The repository.
        repository: &'a str,
    },
    /// What a library says.
    Text(&'a str),
}

impl Note<'_> {
    /// How much it matters.
    pub fn level(&self) -> NoteLevel {
        match self {
            Self::HeadersRead { .. } | Self::AtCommit { .. } => NoteLevel::Detail,
            Self::NoAnswer { .. } => NoteLevel::Warning,
            _ => NoteLevel::Note,
        }
    }
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checked(outcome) => {
                let mut lines = outcome.told().into_iter();
                if let Some(first) = lines.next() {
                    write!(f, "{first}")?;
                }
                lines.try_for_each(|line| write!(f, "\n{line}"))
            }
            Self::HeadersRead {
                model,
                place,
                files,
                bytes: size,
            } => write!(
                f,
                "read the headers of {} of `{model}`, which stay {place}: {}",
                counted(*files, "file"),
                bytes(*size)
            ),
            Self::NoAnswer { model, problem } => {
                write!(f, "`{model}` cannot be looked up on the Hub: {problem}")
            }
            Self::AtCommit { model, commit } => write!(f, "{model} is at commit {commit}"),
            Self::MergedBefore => {
                f.write_str("already merged by an earlier run; uploading the rest")
            }
            Self::PathReplaced { path, name } => {
                write!(f, "`{path}` is a local path: publishing `{name}` instead")
            }
            Self::PathLeftOut { file, key } => {
                write!(f, "`{file}`: `{key}` contains a local path and is removed")
            }
            Self::PathMentioned(Mention { name, line, path }) => write!(
                f,
                "`{name}`, line {line}: `{path}` looks like a local path and is published"
            ),
            Self::FilesLeftOut(names) => write!(
                f,
                "not part of the model, skipped: `{}`",
                names.join("`, `")
            ),
            Self::Publishing { files, repository } => {
                write!(f, "publishing {} as {repository}", counted(*files, "file"))
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// How a caller follows a call, and ends it.
#[derive(Clone, Copy)]
pub struct Monitor<'a> {
    /// Is told how far it is.
    pub progress: &'a dyn Progress,
    /// Ends it.
    pub cancel: &'a Cancel,
}

impl fmt::Debug for Monitor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("cancel", self.cancel)
            .finish_non_exhaustive()
    }
}

impl<'a> Monitor<'a> {
    /// Tells that work begins, and that it is over when what is given is dropped.
    pub(crate) fn begin(self, work: Work<'_>) -> Working<'a> {
        self.progress.begin(&work);
        Working(self.progress)
    }

    pub(crate) fn note(self, note: &Note<'_>) {
        self.progress.note(note);
    }
}

/// Work that goes on.
pub(crate) struct Working<'a>(&'a dyn Progress);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
