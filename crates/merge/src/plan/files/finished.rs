//! Files of a result that are made when its weights are written.

use std::fmt;
use std::io;

use jiff::Timestamp;

use crate::plan::{Plan, Planned};

/// Makes files that tell what a run found, such as a model card.
pub trait FinishedFiles: fmt::Debug + Send + Sync {
    /// The names of the files, as far as the plan determines them: paths with `/` between their parts.
    fn names(&self, plan: &Plan) -> Vec<String>;

    /// The files, in the order of their names.
    ///
    /// # Errors
    /// When something that they are made from cannot be read.
    fn files(&self, facts: &RunFacts<'_>) -> io::Result<Vec<MadeFile>>;
}

/// What is known of a result when its weights are written.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts<'a> {
    /// What was run.
    pub planned: &'a Planned,
    /// Name of the result: that of its folder.
    pub title: &'a str,
    /// When the merge was made.
    pub date: Timestamp,
    /// NaN and infinite elements of the result.
    pub non_finite: u64,
}

/// A file of a result with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Path inside the result's folder, with `/` between its parts.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

impl MadeFile {
    /// A file of that content.
    pub fn new(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            content: content.into(),
        }
    }
}
