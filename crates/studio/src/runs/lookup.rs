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
    pub(crate) result: Value,
}

impl Runs {
    /// The runs of a kind about a model that are done, newest first.
    pub(crate) fn finished(&self, kind: &str, model: &str) -> Result<Vec<Finished>, Refusal> {
        self.done(kind, Some(model), MOST)
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
                result: run.result.unwrap_or_default(),
            })
            .collect())
    }
}
