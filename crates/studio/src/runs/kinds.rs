//! The kinds of runs: what each needs, where it waits and who does it.

use weightsmith_hub::ModelName;

use super::merge;
use super::resources::Resources;
use crate::error::Refusal;
use crate::models::Catalogue;
use crate::progress::{RunFailure, RunProgress};
use crate::wire::{
    DifferenceRequest, EvaluateRequest, PullRequest, RunKind, RunRequest, RunResult,
};
use crate::{difference, evaluation, transfer};

/// Runs of a lane are done one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Work of the processor.
    Compute,
    /// Downloads and uploads.
    Network,
}

/// What a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) title: String,
    pub(crate) model: Option<String>,
}

impl Subject {
    fn new(verb: &str, model: String) -> Self {
        Self {
            title: format!("{verb} {model}"),
            model: Some(model),
        }
    }
}

/// Where the runs of a kind wait.
pub(super) fn lane(kind: RunKind) -> Lane {
    match kind {
        RunKind::Merge | RunKind::Evaluate | RunKind::Difference => Lane::Compute,
        RunKind::Pull | RunKind::Push => Lane::Network,
    }
}

/// Looks at a request before it waits.
pub(super) fn check(resources: &Resources, request: &RunRequest) -> Result<Subject, Refusal> {
    let catalogue = &resources.catalogue;
    match request {
        RunRequest::Merge(request) => {
            let name = merge::check(catalogue, &resources.planner, request)?;
            Ok(Subject::new("Merge", name))
        }
        RunRequest::Evaluate(request) => check_evaluation(catalogue, request),
        RunRequest::Difference(request) => check_difference(catalogue, request),
        RunRequest::Pull(request) => check_pull(request),
        RunRequest::Push(request) => Ok(Subject::new(
            "Publish",
            known(catalogue, &request.model, "model")?,
        )),
    }
}

/// Does the work of a run.
pub(super) fn execute(
    resources: &Resources,
    request: &RunRequest,
    progress: &dyn RunProgress,
) -> Result<RunResult, RunFailure> {
    let Resources {
        settings,
        registry,
        hub,
        catalogue,
        planner,
    } = resources;
    Ok(match request {
        RunRequest::Merge(request) => {
            RunResult::Merge(merge::run(settings, catalogue, planner, request, progress)?)
        }
        RunRequest::Evaluate(request) => RunResult::Evaluate(evaluation::run(
            settings, catalogue, registry, request, progress,
        )?),
        RunRequest::Difference(request) => RunResult::Difference(difference::run(
            settings, catalogue, planner, request, progress,
        )?),
        RunRequest::Pull(request) => {
            RunResult::Pull(transfer::pull(hub, catalogue, request, progress)?)
        }
        RunRequest::Push(request) => {
            RunResult::Push(transfer::push(hub, catalogue, request, progress)?)
        }
    })
}

fn check_difference(
    catalogue: &Catalogue,
    request: &DifferenceRequest,
) -> Result<Subject, Refusal> {
    let model = known(catalogue, &request.model, "model")?;
    let against = known(catalogue, &request.against, "against")?;
    if model == against {
        let message = "`model` and `against` are the same, expected two different models";
        return Err(Refusal::invalid(message));
    }
    Ok(Subject {
        title: format!("Compare {model} with {against}"),
        model: Some(model),
    })
}

fn check_pull(request: &PullRequest) -> Result<Subject, Refusal> {
    let text = given(&request.model, "model")?;
    let name: ModelName = text.parse().map_err(|error: weightsmith_hub::HubError| {
        Refusal::invalid(error.to_string()).hint("Hub models are written `organization/name`")
    })?;
    Ok(Subject::new("Pull", name.repository))
}

fn check_evaluation(catalogue: &Catalogue, request: &EvaluateRequest) -> Result<Subject, Refusal> {
    let model = known(catalogue, &request.model, "model")?;
    for other in request.against.iter().flatten() {
        known(catalogue, other, "against")?;
    }
    let data = &request.data;
    if data.text.is_none() && data.file.is_none() {
        let message = "no evaluation data: expected `data.text` or `data.file`";
        return Err(Refusal::invalid(message));
    }
    let on = evaluation::data_name(data).unwrap_or_else(|| "a text".to_owned());
    Ok(Subject {
        title: format!("Evaluate {model} on {on}"),
        model: Some(model),
    })
}

/// A text of a request that must be there.
pub(super) fn given<'a>(text: &'a str, field: &str) -> Result<&'a str, Refusal> {
    if text.trim().is_empty() {
        let message = format!("`{field}` is missing or empty, expected a string");
        return Err(Refusal::invalid(message));
    }
    Ok(text)
}

/// The name of a model that there is.
fn known(catalogue: &Catalogue, name: &str, field: &str) -> Result<String, Refusal> {
    let name = given(name, field)?;
    if catalogue.find(name).is_none() {
        catalogue.refresh_if_old();
    }
    match catalogue.find(name) {
        Some(entry) => Ok(entry.name.clone()),
        None => {
            Err(Refusal::invalid(format!("`{field}`: no model `{name}`"))
                .hint("see `GET /api/models`"))
        }
    }
}
