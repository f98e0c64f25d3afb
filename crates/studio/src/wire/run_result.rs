//! What comes of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use weightsmith::run::Report;

use super::evaluation::Evaluation;
use super::run::RunKind;

/// The result of a run, by kind.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum RunResult {
    /// Of a merge.
    Merge(MergeResult),
    /// Of an evaluation.
    Evaluate(EvaluateResult),
    /// Of a comparison.
    Difference(DifferenceResult),
    /// Of a download.
    Pull(PullResult),
    /// Of a publication.
    Push(PushResult),
}

/// A model that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct MergeResult {
    /// The model's name in the list.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) path: String,
    /// How it was merged.
    pub(crate) report: Report,
    /// Summary of the recipe.
    pub(crate) words: Vec<String>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EvaluateResult {
    /// What was measured.
    pub(crate) evaluation: Evaluation,
}

/// A comparison that was made; `/api/models/{name}/difference` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct DifferenceResult {
    /// The other model.
    pub(crate) against: String,
}

/// Models that were downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PullResult {
    /// Their names in the list.
    pub(crate) models: Vec<String>,
    /// Bytes downloaded.
    pub(crate) bytes: u64,
}

/// A model that was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PushResult {
    /// Its page.
    pub(crate) url: String,
    /// Its commit, if known.
    pub(crate) commit: Option<String>,
    /// Where it is.
    pub(crate) repository: String,
    /// The model's name in the list.
    pub(crate) model: String,
    /// When it was published.
    pub(crate) at: f64,
}

impl RunResult {
    /// The stored request of a run; none if it cannot be read.
    pub(crate) fn read(kind: RunKind, result: Value) -> Option<Self> {
        let read = match kind {
            RunKind::Merge => serde_json::from_value(result).map(Self::Merge),
            RunKind::Evaluate => serde_json::from_value(result).map(Self::Evaluate),
            RunKind::Difference => serde_json::from_value(result).map(Self::Difference),
            RunKind::Pull => serde_json::from_value(result).map(Self::Pull),
            RunKind::Push => serde_json::from_value(result).map(Self::Push),
        };
        read.ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn results_of_the_history_are_read() {
        let report = json!({
            "already_there": false, "tensors": 74, "parameters": 10, "bytes_read": 20, "bytes_written": 10,
            "resumed_bytes": 0, "seconds": 0.5, "peak_private": null, "peak_resident": 5,
            "non_finite": [["a", 1]], "files": [{"name": "b", "bytes": 10, "blake3": "c"}],
        });
        let score =
            json!({"model": "a", "metric": "exact_match", "value": 0.5, "error": null, "count": 4});
        let evaluation = json!({
            "run": null, "at": 3, "data": {"name": "a", "kind": "tasks"}, "scores": [score],
        });
        for (kind, result) in [
            (
                RunKind::Merge,
                json!({"name": "a", "path": "/a", "report": report, "words": ["b"]}),
            ),
            (RunKind::Evaluate, json!({"evaluation": evaluation})),
            (RunKind::Difference, json!({"against": "a"})),
            (RunKind::Pull, json!({"models": ["a/b"], "bytes": 3})),
            (
                RunKind::Push,
                json!({"url": "u", "commit": "c", "repository": "a/b", "model": "b", "at": 1.5}),
            ),
        ] {
            let read = RunResult::read(kind, result.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), result);
            assert_eq!(RunResult::read(kind, json!({})), None);
        }
    }
}
