//! What is said of a recipe: its mistakes, its plan, what it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use weightsmith::plan::{Plan, Planned};
use weightsmith::run::Report;
use weightsmith::{Diagnostic, Severity, methods};
use weightsmith_hub::ModelName;
use weightsmith_report::explain::explain;

use super::planning::{Access, plan};
use super::remote::Remotes;
use crate::app::App;
use crate::error::Refusal;
use crate::wire::{
    self, Check, MissingModel, PlanDropped, PlanFile, PlanInput, RunKind, RunResult,
};

/// Bytes that a merge reads and writes in a second where no merge of this machine tells otherwise. SLERP of two models of
/// 0.5 billion parameters on two cores that others used too: 1.5, 2.2 and 4.4 GB in a second.
const USUAL_SPEED: f64 = 2.0e9;

/// Seconds that a merge takes however small it is.
const BEGINNING: f64 = 0.02;

/// Finished merges that say how fast the next will be.
const LOOKED_AT: usize = 8;

/// Merges that move fewer bytes say nothing about speed.
const TELLING: f64 = 64e6;

/// Checks a recipe from headers alone. The hub is not waited for: models of which it has to be asked are `pending`.
pub(crate) fn check(app: &Arc<App>, text: &str) -> Result<Check, Refusal> {
    let outcome = plan(app, text, &Access::Remembered)?;
    let pending = outcome.unknown.iter().map(ModelName::to_string).collect();
    Remotes::ask_soon(app, outcome.unknown);
    let planned = outcome.planned.as_ref();
    let shown = planned.map(|planned| shown(app, planned, &outcome.missing));
    Ok(Check {
        diagnostics: outcome.diagnostics,
        plan: shown.transpose()?,
        explanation: planned.map(|planned| explain(&planned.plan)),
        pending,
    })
}

/// The answer to who wants to merge a recipe that has mistakes.
pub(crate) fn refusal(diagnostics: &[Diagnostic]) -> Refusal {
    let is_wrong = |one: &&Diagnostic| one.severity == Severity::Error;
    let wrong: Vec<&Diagnostic> = diagnostics.iter().filter(is_wrong).collect();
    let message = match wrong[..] {
        [] => "the recipe cannot be planned yet".to_owned(),
        [one] => format!("the recipe cannot be merged: {}", one.message),
        [first, ..] => format!(
            "the recipe has {} mistakes; the first: {}",
            wrong.len(),
            first.message
        ),
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut refusal = Refusal::new(status, "invalid_recipe", message);
    refusal.hints = wrong.first().map_or_else(Vec::new, |one| one.hints.clone());
    refusal.with(diagnostics)
}

/// A plan as the interface shows it.
fn shown(app: &App, planned: &Planned, missing: &[(String, u64)]) -> Result<wire::Plan, Refusal> {
    let plan = &planned.plan;
    let inputs = plan.inputs.iter().enumerate();
    let files = plan.layout.shards().iter().map(|file| PlanFile {
        name: file.file_name.clone(),
        bytes: file.file_size,
    });
    let dropped = plan.dropped.iter().map(|one| PlanDropped {
        tensor: one.tensor.clone(),
        model: plan.inputs[one.input].label.clone(),
        reason: one.reason.clone(),
    });
    let missing = missing.iter().map(|(model, bytes)| MissingModel {
        model: model.clone(),
        bytes: *bytes,
    });
    let title = methods::find(&plan.method).map(|method| method.title);
    Ok(wire::Plan {
        method: plan.method.clone(),
        title: title.unwrap_or(&plan.method).to_owned(),
        inputs: inputs
            .map(|(index, input)| PlanInput {
                name: input.label.clone(),
                label: input.label.clone(),
                known: app.catalogue.find(&input.label).is_some(),
                tensors: input.tensors as u64,
                parameters: input.parameters,
                layers: input.layers,
                base: plan.base == Some(index),
                donor: plan.donor == index,
            })
            .collect(),
        tensors: plan.tensors.len(),
        parameters: plan.tensors.iter().map(|one| one.info.elements()).sum(),
        layers: plan.layers.len(),
        weights_type: main_type(plan),
        files: files.collect(),
        dropped: dropped.collect(),
        bytes_read: plan.bytes_read,
        bytes_written: plan.bytes_written,
        memory: app.settings.max_memory,
        seconds_expected: seconds(app, plan)?,
        needs_download: missing.collect(),
    })
}

/// The type that most weights have.
pub(super) fn main_type(plan: &Plan) -> String {
    let mut by_type: BTreeMap<String, u64> = BTreeMap::new();
    for tensor in &plan.tensors {
        *by_type.entry(tensor.info.dtype.to_string()).or_default() += tensor.info.elements();
    }
    let most = by_type.into_iter().max_by_key(|(_, elements)| *elements);
    most.map(|(name, _)| name).unwrap_or_default()
}

/// How long a merge will take, by how fast earlier ones were.
fn seconds(app: &App, plan: &Plan) -> Result<f64, Refusal> {
    let finished = app.runs.newest(RunKind::Merge, LOOKED_AT)?;
    let reports = finished.iter().filter_map(|run| match &run.result {
        RunResult::Merge(made) => Some(&made.report),
        _ => None,
    });
    let moved = (plan.bytes_read + plan.bytes_written) as f64;
    Ok(BEGINNING + moved / speed(reports).unwrap_or(USUAL_SPEED))
}

/// Bytes that merges read and wrote in a second.
fn speed<'a>(reports: impl Iterator<Item = &'a Report>) -> Option<f64> {
    let (mut bytes, mut seconds) = (0.0, 0.0);
    for report in reports {
        let written = report.bytes_written as f64;
        // both counts are the plan's: for what an earlier run had written nothing was read either
        let share = (written - report.resumed_bytes as f64) / written.max(1.0);
        let moved = (report.bytes_read as f64 + written) * share;
        if moved >= TELLING {
            bytes += moved;
            seconds += report.seconds;
        }
    }
    (seconds > 0.0).then(|| bytes / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_merges_large_enough_to_tell() {
        let report = |read: u64, written: u64, resumed: u64, seconds: f64| Report {
            already_there: false,
            tensors: 1,
            parameters: 1,
            bytes_read: read,
            bytes_written: written,
            resumed_bytes: resumed,
            seconds,
            peak_private: None,
            peak_resident: None,
            non_finite: Vec::new(),
            files: Vec::new(),
        };
        let reports = [
            report(1_000_000_000, 500_000_000, 0, 1.0),
            // half of it had been done before
            report(1_000_000_000, 500_000_000, 250_000_000, 1.0),
            // all of it had
            report(1_000_000_000, 500_000_000, 500_000_000, 0.001),
            report(1000, 1000, 0, 9.0),
        ];
        assert_eq!(speed(reports.iter()), Some(1.125e9));
        assert_eq!(speed([].iter()), None);
    }

    #[test]
    fn the_first_mistake_is_told_with_their_number() {
        let mistakes = [
            Diagnostic::warning("odd", None),
            Diagnostic::error("wrong", None).hint("do it right"),
            Diagnostic::error("wrong too", None),
        ];
        let refusal = refusal(&mistakes);
        assert_eq!(
            refusal.message,
            "the recipe has 2 mistakes; the first: wrong"
        );
        assert_eq!(refusal.hints, ["do it right"]);
    }
}
