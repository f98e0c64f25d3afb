//! Finished runs, by what they are about.

use serde_json::Value;

use super::Runs;
use crate::error::Refusal;

/// A run that is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finished {
    pub(crate) id: i64,
    pub(crate) result: Value,
}

impl Runs {
    /// The runs of a kind about a model that are done, newest first.
    #[allow(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the history is not there yet"
    )]
    pub(crate) fn finished(&self, _kind: &str, _model: &str) -> Result<Vec<Finished>, Refusal> {
        Ok(Vec::new())
    }
}
