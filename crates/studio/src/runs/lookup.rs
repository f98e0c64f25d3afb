//! Finished runs, by what they are about.

use serde_json::Value;

use super::{Filter, RunState, Runs};
use crate::error::Refusal;

/// Finished runs that are looked at.
const MOST: usize = 1000;

/// A run that is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finished {
    pub(crate) id: i64,
    /// In seconds since 1970.
    pub(crate) ended: f64,
    pub(crate) result: Value,
}

impl Runs {
    /// The runs of a kind about a model that are done, newest first.
    pub(crate) fn finished(&self, kind: &str, model: &str) -> Result<Vec<Finished>, Refusal> {
        self.done(kind, Some(model), MOST)
    }

    /// When the model of that name was merged here last, in seconds since 1970: what was found before is about another one.
    pub(crate) fn made(&self, model: &str) -> Result<Option<f64>, Refusal> {
        let merges = self.finished("merge", model)?;
        Ok(merges.into_iter().map(|merge| merge.ended).reduce(f64::max))
    }

    /// The newest runs of a kind that are done.
    pub(crate) fn newest(&self, kind: &str, count: usize) -> Result<Vec<Finished>, Refusal> {
        self.done(kind, None, count)
    }

    fn done(&self, kind: &str, model: Option<&str>, most: usize) -> Result<Vec<Finished>, Refusal> {
        let filter = Filter {
            kind: Some(kind.to_owned()),
            state: Some(RunState::Done),
            model: model.map(str::to_owned),
            before: None,
            limit: most,
        };
        let (runs, _) = self.list(&filter)?;
        Ok(runs
            .into_iter()
            .map(|run| Finished {
                id: run.id,
                ended: run.ended.unwrap_or_default(),
                result: run.result.unwrap_or_default(),
            })
            .collect())
    }
}
