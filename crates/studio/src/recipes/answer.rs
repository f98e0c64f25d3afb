//! What is said of a recipe: its mistakes, its plan, what it does.

use axum::http::StatusCode;
use weightsmith::plan::{Plan, Planned};
use weightsmith::{Diagnostic, Severity, methods};
use weightsmith_report::explain::explain;
use weightsmith_session::{Access, Outcome, RemoteName};
use weightsmith_tensors::main_dtype;

use super::planning::Planner;
use crate::error::Refusal;
use crate::wire::{self, Check, MissingModel, PlanDropped, PlanFile, PlanInput};

/// Bytes that a merge reads and writes in a second where no merge of this machine tells otherwise. SLERP of two models of
/// 0.5 billion parameters on two cores that others used too: 1.5, 2.2 and 4.4 GB in a second.
const USUAL_SPEED: f64 = 2.0e9;

/// Seconds that a merge takes however small it is.
const BEGINNING: f64 = 0.02;

/// Checks a recipe from headers alone; `speed` is how many bytes a merge reads and writes in a second, where that is known. The hub is not waited for: models of which it has to be asked are `pending`.
pub(crate) fn check(planner: &Planner, text: &str, speed: Option<f64>) -> Result<Check, Refusal> {
    let mut outcome = planner.plan(text, Access::Remembered)?;
    let unknown = std::mem::take(&mut outcome.unknown);
    let pending = unknown.iter().map(RemoteName::to_string).collect();
    planner.remotes.ask_soon(unknown);
    let planned = outcome.planned.as_ref();
    let shown = planned.map(|planned| shown(planner, planned, &outcome.missing, speed));
    Ok(Check {
        diagnostics: outcome.told(),
        plan: shown,
        explanation: planned.map(|planned| explain(&planned.plan)),
        pending,
    })
}

/// The answer to who wants to merge a recipe that has mistakes.
pub(crate) fn refusal(outcome: &Outcome) -> Refusal {
    refused(&outcome.told())
}

fn refused(diagnostics: &[Diagnostic]) -> Refusal {
    let is_wrong = |one: &&Diagnostic| one.severity == Severity::Error;
    let wrong: Vec<&Diagnostic> = diagnostics.iter().filter(is_wrong).collect();
    let message = match wrong[..] {
        [] => "the recipe cannot be planned yet".to_owned(),
        [one] => format!("the recipe cannot be merged: {}", one.message),
        [first, ..] => format!(
            "the recipe has {} errors; the first: {}",
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
fn shown(
    planner: &Planner,
    planned: &Planned,
    missing: &[weightsmith_session::MissingModel],
    speed: Option<f64>,
) -> wire::Plan {
    let plan = &planned.plan;
    let inputs = plan.inputs.iter().enumerate();
    let files = plan.layout.shards().iter().map(|file| PlanFile {
        name: file.file_name.clone(),
        bytes: file.file_size,
    });
    let dropped = plan.dropped.iter().map(|one| PlanDropped {
        tensor: one.tensor.clone(),
        model: plan.inputs[one.input].label.clone(),
        reason: one.reason.to_string(),
    });
    let missing = missing.iter().map(|one| MissingModel {
        model: one.name.clone(),
        bytes: one.bytes,
    });
    let title = methods::find(&plan.method).map(|method| method.title);
    let moved = (plan.bytes_read + plan.bytes_written) as f64;
    wire::Plan {
        method: plan.method.clone(),
        title: title.unwrap_or(&plan.method).to_owned(),
        inputs: inputs
            .map(|(index, input)| PlanInput {
                name: input.label.clone(),
                label: input.label.clone(),
                known: planner.catalogue.find(&input.label).is_some(),
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
        memory: planner.settings.max_memory,
        seconds_expected: BEGINNING + moved / speed.unwrap_or(USUAL_SPEED),
        needs_download: missing.collect(),
    }
}

/// The type that most weights have.
fn main_type(plan: &Plan) -> String {
    let tensors = plan.tensors.iter().map(|tensor| &tensor.info);
    main_dtype(tensors).map_or_else(String::new, |dtype| dtype.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mistake_is_told_with_their_number() {
        let mistakes = [
            Diagnostic::warning("odd", None),
            Diagnostic::error("wrong", None).hint("do it right"),
            Diagnostic::error("wrong too", None),
        ];
        let refusal = refused(&mistakes);
        assert_eq!(refusal.message, "the recipe has 2 errors; the first: wrong");
        assert_eq!(refusal.hints, ["do it right"]);
    }
}
