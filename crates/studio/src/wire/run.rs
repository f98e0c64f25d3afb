//! Runs: what is done, what waits, what was done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run_request::RunRequest;
use super::run_result::RunResult;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunKind {
    /// Makes a model.
    Merge,
    /// Measures how good a model is.
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

/// How far a run is, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunState {
    /// It waits for its turn.
    Queued,
    /// It is worked on.
    Running,
    /// It has a result.
    Done,
    /// Something went wrong.
    Failed,
    /// Somebody did not want it any more.
    Cancelled,
    /// The server ended meanwhile.
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

    /// Whether nothing will happen by itself any more.
    pub(crate) fn is_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// Whether it can be gone on with.
    pub(crate) fn can_resume(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled | Self::Interrupted)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Run {
    /// Its number.
    pub(crate) id: i64,
    /// Larger than that of everything told of runs before: an event may overtake an answer.
    pub(crate) version: u64,
    /// What it does.
    pub(crate) kind: RunKind,
    /// How far it is, or how it ended.
    pub(crate) state: RunState,
    /// What it does, in words.
    pub(crate) title: String,
    /// The model that it makes or is about.
    pub(crate) model: Option<String>,
    /// What was asked for. Of long texts in it only the beginning, but where a single run is asked for.
    pub(crate) request: RunRequest,
    /// When it was asked for.
    pub(crate) created: f64,
    /// When it began.
    pub(crate) started: Option<f64>,
    /// When it ended.
    pub(crate) ended: Option<f64>,
    /// What is done now, such as `merging`.
    pub(crate) stage: Option<String>,
    /// How much is done.
    pub(crate) done: u64,
    /// How much there is in all; bytes, where the work is about bytes.
    pub(crate) total: u64,
    /// How much is done in a second, lately.
    pub(crate) rate: Option<f64>,
    /// Seconds to go.
    pub(crate) eta: Option<f64>,
    /// Tensors of a merge that are done.
    pub(crate) tensors_done: Option<u64>,
    /// Tensors of a merge in all.
    pub(crate) tensors: Option<u64>,
    /// From 1, while it waits.
    #[schemars(range(min = 1))]
    pub(crate) queue_position: Option<u64>,
    /// What went wrong.
    pub(crate) error: Option<RunError>,
    /// What came of it.
    pub(crate) result: Option<RunResult>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RunError {
    /// What.
    pub(crate) message: String,
    /// What to do about it.
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
    /// Of that kind alone.
    #[schemars(with = "Option<RunKind>")]
    pub(crate) kind: Option<String>,
    /// In that state alone.
    #[schemars(with = "Option<RunState>")]
    pub(crate) state: Option<String>,
    /// So many at most: 100 unless told, and no more than 1000.
    pub(crate) limit: Option<usize>,
    /// With smaller numbers alone.
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
