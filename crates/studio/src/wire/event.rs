//! What pages are told while it happens.

use schemars::JsonSchema;
use serde::Serialize;

use super::model::ModelStatus;
use super::run::{LogLine, Run};

/// A server-sent event: its name and data.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", content = "data", rename_all = "lowercase")]
#[schemars(rename = "ServerEvent")]
pub(crate) enum Event {
    /// The start of a stream, with the number of the last event before it.
    Hello(Nothing),
    /// A run changed.
    Run(Box<Run>),
    /// A run's log has a line more.
    Log(RunLine),
    /// A model begins to load, is loaded to some percent more, speaks or cannot be loaded.
    Model(ModelChange),
    /// The list of models changed.
    Models(Nothing),
    /// Too many events were missed: fetch everything again.
    Reset(Nothing),
}

/// An event that says all by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Nothing {}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct RunLine {
    /// The run's number.
    pub(crate) run: i64,
    /// The line.
    #[serde(flatten)]
    pub(crate) line: LogLine,
}

/// The state of a model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ModelChange {
    /// The model.
    pub(crate) name: String,
    /// Its state now.
    #[serde(flatten)]
    pub(crate) status: ModelStatus,
}

impl Event {
    /// Its name in the stream.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Run(_) => "run",
            Self::Log(_) => "log",
            Self::Model(_) => "model",
            Self::Models(_) => "models",
            Self::Reset(_) => "reset",
        }
    }

    /// Its data in the stream.
    pub(crate) fn data(&self) -> String {
        let data = match self {
            Self::Hello(nothing) | Self::Models(nothing) | Self::Reset(nothing) => {
                serde_json::to_string(nothing)
            }
            Self::Run(run) => serde_json::to_string(run),
            Self::Log(line) => serde_json::to_string(line),
            Self::Model(change) => serde_json::to_string(change),
        };
        // nothing of it can fail: there are no maps, and all texts are Unicode
        data.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn names_and_data_are_those_of_the_schema() {
        let line = RunLine {
            run: 3,
            line: LogLine {
                at: 1.5,
                text: "a".into(),
            },
        };
        for event in [
            Event::Hello(Nothing {}),
            Event::Models(Nothing {}),
            Event::Reset(Nothing {}),
            Event::Log(line),
            Event::Model(ModelChange {
                name: "base".into(),
                status: ModelStatus::default(),
            }),
        ] {
            let data: Value = serde_json::from_str(&event.data()).unwrap();
            assert_eq!(
                serde_json::to_value(&event).unwrap(),
                json!({"event": event.name(), "data": data})
            );
        }
    }
}
