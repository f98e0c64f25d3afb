//! What is known of a run.

use serde::Serialize;
use serde_json::Value;

/// Longer texts in a request are shown in part where many runs are shown.
const SHOWN: usize = 20_000;

/// How far a run is, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct RunError {
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
}

/// A run as the interface shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Run {
    pub(crate) id: i64,
    /// Larger than that of everything told of runs before: an event may overtake an answer.
    pub(crate) version: u64,
    /// A kind of [`super::kinds`].
    pub(crate) kind: String,
    pub(crate) state: RunState,
    pub(crate) title: String,
    /// The model that it makes or is about.
    pub(crate) model: Option<String>,
    /// As it was posted; of long texts in it only the beginning, but for who asks for the [whole](super::Runs::get).
    pub(crate) request: Value,
    /// Times are seconds since 1970.
    pub(crate) created: f64,
    pub(crate) started: Option<f64>,
    pub(crate) ended: Option<f64>,
    pub(crate) stage: Option<String>,
    pub(crate) done: u64,
    pub(crate) total: u64,
    /// How much is done in a second, lately.
    pub(crate) rate: Option<f64>,
    /// Seconds to go.
    pub(crate) eta: Option<f64>,
    pub(crate) tensors_done: Option<u64>,
    pub(crate) tensors: Option<u64>,
    /// From 1, while it waits.
    pub(crate) queue_position: Option<u64>,
    pub(crate) error: Option<RunError>,
    pub(crate) result: Option<Value>,
}

/// A request with only the beginning of its long texts, such as data to measure on.
pub(super) fn shortened(request: &Value) -> Value {
    let mut brief = request.clone();
    shorten(&mut brief);
    brief
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > SHOWN => {
            let end = (0..=SHOWN).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
            text.push('…');
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::Array(values) => values.iter_mut().for_each(shorten),
        _ => {}
    }
}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) at: f64,
    pub(crate) text: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let value = shortened(&json!({"data": {"text": "ü".repeat(SHOWN), "name": "short"}}));
        let text = value["data"]["text"].as_str().expect("text");
        assert!(text.len() <= SHOWN + 3 && text.ends_with("ü…"));
        assert_eq!(value["data"]["name"], "short");
    }

    #[test]
    fn states_are_found_by_their_names() {
        for state in RunState::ALL {
            assert_eq!(RunState::named(state.name()), Some(state));
            assert_eq!(serde_json::json!(state), state.name());
        }
        assert_eq!(RunState::named("gone"), None);
    }
}
