//! Finished runs, by what they are about.

use super::{Filter, Runs};
use crate::error::Refusal;
use crate::wire::{RunKind, RunResult, RunState};

/// Finished runs that are looked at.
const MOST: usize = 1000;

/// A run that is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finished {
    pub(crate) id: i64,
    /// In seconds since 1970.
    pub(crate) ended: f64,
    pub(crate) result: RunResult,
}

impl Runs {
    /// The runs of a kind about a model that are done, newest first.
    pub(crate) fn finished(&self, kind: RunKind, model: &str) -> Result<Vec<Finished>, Refusal> {
        self.done(kind, Some(model), MOST)
    }

    /// When the model of that name was merged here last, in seconds since 1970: what was found before is about another one.
    pub(crate) fn made(&self, model: &str) -> Result<Option<f64>, Refusal> {
        let merges = self.finished(RunKind::Merge, model)?;
        Ok(merges.into_iter().map(|merge| merge.ended).reduce(f64::max))
    }

    /// The newest runs of a kind that are done.
    pub(crate) fn newest(&self, kind: RunKind, count: usize) -> Result<Vec<Finished>, Refusal> {
        self.done(kind, None, count)
    }

    fn done(
        &self,
        kind: RunKind,
        model: Option<&str>,
        most: usize,
    ) -> Result<Vec<Finished>, Refusal> {
        let filter = Filter {
            kind: Some(kind),
            state: Some(RunState::Done),
            model: model.map(str::to_owned),
            before: None,
            limit: most,
        };
        let (runs, _) = self.list(&filter)?;
        let finished = runs.into_iter().filter_map(|run| {
            Some(Finished {
                id: run.id,
                ended: run.ended.unwrap_or_default(),
                result: run.result?,
            })
        });
        Ok(finished.collect())
    }
}
