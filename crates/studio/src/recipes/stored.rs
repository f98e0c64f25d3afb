//! Stored recipes, planned again.

use axum::http::StatusCode;
use weightsmith::plan::Planned;
use weightsmith::{Diagnostic, Severity};
use weightsmith_report::explain::explain;

use super::planning::{Access, Planner};
use crate::error::Refusal;
use crate::models::{Entry, recipe, sorted};
use crate::wire::ExplanationAnswer;

/// What the recipe of a model does, layer by layer.
pub(crate) fn explanation(planner: &Planner, entry: &Entry) -> Result<ExplanationAnswer, Refusal> {
    let Some(text) = recipe(entry) else {
        let message = format!("`{}` has no recipe", entry.name);
        return Err(Refusal::not_found("no_recipe", message));
    };
    // headers are enough, so its models may be on the hub
    let outcome = planner.plan(&text, &Access::Headers)?;
    let Some(planned) = outcome.planned else {
        return Err(refusal(&outcome.diagnostics));
    };
    for input in &planned.plan.inputs {
        let headers = sorted(input.files.iter().map(|file| file.header_hash.clone()));
        if !entry.facts.was_read(&input.label, &headers) {
            let message = format!(
                "`{}` is no longer the model that `{}` was made from",
                input.label, entry.name
            );
            let refusal = Refusal::new(StatusCode::CONFLICT, "cannot_plan", message);
            return Err(refusal.hint(
                "start the studio with the folders in the same order, or rename one of the two",
            ));
        }
    }
    Ok(ExplanationAnswer {
        explanation: explain(&planned.plan),
    })
}

/// Plans a recipe whose models are on this machine.
///
/// # Errors
/// Why that is not possible.
pub(super) fn planned(planner: &Planner, text: &str) -> Result<Planned, Refusal> {
    let outcome = planner.plan(text, &Access::Remembered)?;
    match outcome.planned {
        Some(planned) if outcome.missing.is_empty() => Ok(planned),
        _ => Err(refusal(&outcome.diagnostics)),
    }
}

fn refusal(found: &[Diagnostic]) -> Refusal {
    let first = found.iter().find(|one| one.severity == Severity::Error);
    let message = first.map_or_else(
        || "the recipe cannot be planned: not all of its models are on this machine".to_owned(),
        |one| format!("the recipe cannot be planned: {}", one.message),
    );
    let mut refusal = Refusal::new(StatusCode::CONFLICT, "cannot_plan", message);
    refusal.hints = first.map_or_else(Vec::new, |one| one.hints.clone());
    refusal.with(found)
}
