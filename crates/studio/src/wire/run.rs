//! Runs: what is done, what waits, what was done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run_request::RunRequest;
use super::run_result::RunResult;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunKind {
    /// Merges a model.
    Merge,
    /// Evaluates a model.
    Evaluate,
    /// Compares a model with another.
    Difference,
    /// Downloads a model.
    Pull,
    /// Publishes a model.
    Push,
}

impl RunKind {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Merge,
        Self::Evaluate,
        Self::Difference,
        Self::Pull,
        Self::Push,
    ];

    /// Its name in requests, in the history and in answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Evaluate => "evaluate",
            Self::Difference => "difference",
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }

    /// The kind of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunState {
    /// It is queued.
    Queued,
    /// It is running.
    Running,
    /// It has a result.
    Done,
    /// Something went wrong.
    Failed,
    /// It was canceled.
    Cancelled,
    /// The server shut down.
    Interrupted,
}

impl RunState {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// Its name in the history and in answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The state of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the run is finished.
    pub(crate) fn is_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// Whether it can be resumed.
    pub(crate) fn can_resume(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Interrupted)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Run {
    /// Its number.
    pub(crate) id: i64,
    /// Increases with every change of a run, since an event can overtake a response.
    pub(crate) version: u64,
    /// What it does.
    pub(crate) kind: RunKind,
    /// Its state.
    pub(crate) state: RunState,
    /// A summary.
    pub(crate) title: String,
    /// The output model or the subject.
    pub(crate) model: Option<String>,
    /// The request. Long texts are truncated in lists.
    pub(crate) request: RunRequest,
    /// When it was queued.
    pub(crate) created: f64,
    /// When it started.
    pub(crate) started: Option<f64>,
    /// When it ended.
    pub(crate) ended: Option<f64>,
    /// The current stage, such as `merging`.
    pub(crate) stage: Option<String>,
    /// The finished amount of work.
    pub(crate) done: u64,
    /// The total amount of work, in bytes where applicable.
    pub(crate) total: u64,
    /// The recent speed, per second.
    pub(crate) rate: Option<f64>,
    /// Seconds left.
    pub(crate) eta: Option<f64>,
    /// Finished tensors of a merge.
    pub(crate) tensors_done: Option<u64>,
    /// Total tensors of a merge.
    pub(crate) tensors: Option<u64>,
    /// Its position, from 1, while queued.
    #[schemars(range(min = 1))]
    pub(crate) queue_position: Option<u64>,
    /// The error.
    pub(crate) error: Option<RunError>,
    /// The result.
    pub(crate) result: Option<RunResult>,
}

/// The error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RunError {
    /// What.
    pub(crate) message: String,
    /// A hint.
    pub(crate) hints: Vec<String>,
}

/// A run with its log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct RunDetails {
    /// The run.
    #[serde(flatten)]
    pub(crate) run: Run,
    /// Its log.
    #[schemars(length(max = 5000))]
    pub(crate) log: Vec<LogLine>,
}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct LogLine {
    /// When it was written.
    pub(crate) at: f64,
    /// What it says.
    pub(crate) text: String,
}

/// Runs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct RunList {
    /// As many as were asked for.
    #[schemars(length(max = 1000))]
    pub(crate) runs: Vec<Run>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// Which runs are listed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) struct RunFilter {
    /// Only of this kind.
    #[schemars(with = "Option<RunKind>")]
    pub(crate) kind: Option<String>,
    /// Only in this state.
    #[schemars(with = "Option<RunState>")]
    pub(crate) state: Option<String>,
    /// Maximum number (default 100, at most 1000).
    pub(crate) limit: Option<usize>,
    /// Weights only, quantized.
    pub(crate) before: Option<i64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_and_states_are_found_by_their_names() {
        for kind in RunKind::ALL {
            assert_eq!(RunKind::named(kind.name()), Some(kind));
            assert_eq!(json!(kind), kind.name());
        }
        assert_eq!(RunKind::named("bake"), None);
        for state in RunState::ALL {
            assert_eq!(RunState::named(state.name()), Some(state));
            assert_eq!(json!(state), state.name());
        }
        assert_eq!(RunState::named("gone"), None);
    }
}
