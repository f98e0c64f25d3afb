//! The kinds of runs: what each needs, where it waits and who does it.

use std::sync::Arc;

use serde_json::Value;
use weightsmith_hub::ModelName;

use super::merge;
use super::progress::{RunFailure, RunProgress};
use crate::app::App;
use crate::error::Refusal;
use crate::{difference, evaluation, transfer};

/// Runs of a lane are done one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Work of the processor.
    Compute,
    /// Downloads and uploads.
    Network,
}

/// Does the work of a run; gives its result.
pub(crate) type Execute = fn(&Arc<App>, &Value, &dyn RunProgress) -> Result<Value, RunFailure>;

/// A kind of run.
#[derive(Debug)]
pub(crate) struct RunKind {
    /// Its name in requests.
    pub(crate) name: &'static str,
    pub(crate) lane: Lane,
    /// Looks at a request before it waits; gives the run's title and the model that it is about.
    pub(crate) check: fn(&Arc<App>, &Value) -> Result<Subject, Refusal>,
    pub(crate) execute: Execute,
}

/// What a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) title: String,
    pub(crate) model: Option<String>,
}

impl Subject {
    fn new(verb: &str, model: &str) -> Self {
        Self {
            title: format!("{verb} {model}"),
            model: Some(model.to_owned()),
        }
    }
}

/// All kinds.
pub(crate) const KINDS: &[RunKind] = &[
    RunKind {
        name: "merge",
        lane: Lane::Compute,
        check: |app, request| {
            let name = merge::check(app, request)?;
            Ok(Subject::new("Merge", &name))
        },
        execute: merge::run,
    },
    RunKind {
        name: "evaluate",
        lane: Lane::Compute,
        check: check_evaluation,
        execute: evaluation::run,
    },
    RunKind {
        name: "difference",
        lane: Lane::Compute,
        check: |app, request| {
            let (model, against) = (
                known(app, request, "model")?,
                known(app, request, "against")?,
            );
            if model == against {
                let message = "`model` and `against` are the same, expected two different models";
                return Err(Refusal::invalid(message));
            }
            Ok(Subject {
                title: format!("Compare {model} with {against}"),
                model: Some(model),
            })
        },
        execute: difference::run,
    },
    RunKind {
        name: "pull",
        lane: Lane::Network,
        check: |_, request| {
            let text = text(request, "model")?;
            let name: ModelName = text.parse().map_err(|error: weightsmith_hub::HubError| {
                Refusal::invalid(error.to_string())
                    .hint("Hub models are written `organization/name`")
            })?;
            Ok(Subject::new("Pull", &name.repository))
        },
        execute: transfer::pull,
    },
    RunKind {
        name: "push",
        lane: Lane::Network,
        check: |app, request| Ok(Subject::new("Publish", &known(app, request, "model")?)),
        execute: transfer::push,
    },
];

/// The kind that a request names.
pub(crate) fn of(request: &Value) -> Result<&'static RunKind, Refusal> {
    let name = text(request, "kind")?;
    KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let message = format!("unknown kind of run `{name}`");
        Refusal::invalid(message).hint(format!("expected one of {}", names.join(", ")))
    })
}

fn check_evaluation(app: &Arc<App>, request: &Value) -> Result<Subject, Refusal> {
    let model = known(app, request, "model")?;
    for other in request["against"].as_array().into_iter().flatten() {
        known_as(app, other.as_str().unwrap_or_default(), "against")?;
    }
    let data = &request["data"];
    if !matches!(data["kind"].as_str(), Some("perplexity" | "tasks")) {
        let message = "`data.kind` is missing or unknown, expected `perplexity` or `tasks`";
        return Err(Refusal::invalid(message));
    }
    if !data["text"].is_string() && !data["file"].is_string() {
        let message = "no evaluation data: expected `data.text` or `data.file`";
        return Err(Refusal::invalid(message));
    }
    let on = evaluation::data_name(data).unwrap_or_else(|| "a text".to_owned());
    Ok(Subject {
        title: format!("Evaluate {model} on {on}"),
        model: Some(model),
    })
}

/// A text of a request.
pub(super) fn text(request: &Value, field: &str) -> Result<String, Refusal> {
    match request[field].as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(Refusal::invalid(format!(
            "`{field}` is missing or empty, expected a string"
        ))),
    }
}

/// The name of a model that there is.
fn known(app: &App, request: &Value, field: &str) -> Result<String, Refusal> {
    known_as(app, &text(request, field)?, field)
}

fn known_as(app: &App, name: &str, field: &str) -> Result<String, Refusal> {
    if app.catalogue.find(name).is_none() {
        app.catalogue.refresh_if_old(app);
    }
    match app.catalogue.find(name) {
        Some(entry) => Ok(entry.name.clone()),
        None => Err(
            Refusal::invalid(format!("`{field}`: no model `{name}`"))
                .hint("see `GET /api/models`"),
        ),
    }
}
