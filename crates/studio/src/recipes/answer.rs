//! What is said of a recipe: its mistakes, its plan, what it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use weightsmith::plan::{Plan, Planned};
use weightsmith::{Diagnostic, Severity, methods};
use weightsmith_hub::ModelName;
use weightsmith_report::explain::explain;

use super::planning::{Access, plan};
use super::remote::Remotes;
use crate::app::App;
use crate::error::Refusal;

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
pub(crate) fn check(app: &Arc<App>, text: &str) -> Result<Value, Refusal> {
    let outcome = plan(app, text, &Access::Remembered)?;
    let pending: Vec<String> = outcome.unknown.iter().map(ModelName::to_string).collect();
    Remotes::ask_soon(app, outcome.unknown);
    let planned = outcome.planned.as_ref();
    let shown = planned.map(|planned| shown(app, planned, &outcome.missing));
    Ok(json!({
        "diagnostics": outcome.diagnostics,
        "plan": shown.transpose()?,
        "explanation": planned.map(|planned| explain(&planned.plan)),
        "pending": pending,
    }))
}

/// The answer to who wants to merge a recipe that has mistakes.
pub(crate) fn refusal(diagnostics: &[Diagnostic]) -> Refusal {
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
    refusal.with("diagnostics", json!(diagnostics))
}

/// A plan as the interface shows it.
fn shown(app: &App, planned: &Planned, missing: &[(String, u64)]) -> Result<Value, Refusal> {
    let plan = &planned.plan;
    let elements: u64 = plan.tensors.iter().map(|one| one.info.elements()).sum();
    let inputs = plan.inputs.iter().enumerate().map(|(index, input)| {
        let name = &input.label;
        json!({
            "name": name,
            "label": input.label,
            "known": app.catalogue.find(name).is_some(),
            "tensors": input.tensors,
            "parameters": input.parameters,
            "layers": input.layers,
            "base": plan.base == Some(index),
            "donor": plan.donor == index,
        })
    });
    let files = plan.layout.shards().iter();
    let files = files.map(|file| json!({"name": file.file_name, "bytes": file.file_size}));
    let dropped = plan.dropped.iter().map(|one| {
        let model = &plan.inputs[one.input].label;
        json!({"tensor": one.tensor, "model": model, "reason": one.reason})
    });
    let missing = missing
        .iter()
        .map(|(model, bytes)| json!({"model": model, "bytes": bytes}));
    let title = methods::find(&plan.method).map(|method| method.title);
    Ok(json!({
        "method": plan.method,
        "title": title.unwrap_or(&plan.method),
        "inputs": inputs.collect::<Vec<_>>(),
        "tensors": plan.tensors.len(),
        "parameters": elements,
        "layers": plan.layers.len(),
        "weights_type": main_type(plan),
        "files": files.collect::<Vec<_>>(),
        "dropped": dropped.collect::<Vec<_>>(),
        "bytes_read": plan.bytes_read,
        "bytes_written": plan.bytes_written,
        "memory": app.settings.max_memory,
        "seconds_expected": seconds(app, plan)?,
        "needs_download": missing.collect::<Vec<_>>(),
        "card_preview": null,
    }))
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
    let finished = app.runs.newest("merge", LOOKED_AT)?;
    let reports = finished.iter().map(|run| &run.result["report"]);
    let moved = (plan.bytes_read + plan.bytes_written) as f64;
    Ok(BEGINNING + moved / speed(reports).unwrap_or(USUAL_SPEED))
}

/// Bytes that merges read and wrote in a second.
fn speed<'a>(reports: impl Iterator<Item = &'a Value>) -> Option<f64> {
    let (mut bytes, mut seconds) = (0.0, 0.0);
    for report in reports {
        let count = |field: &str| report[field].as_u64().unwrap_or(0) as f64;
        let written = count("bytes_written");
        // both counts are the plan's: for what an earlier run had written nothing was read either
        let share = (written - count("resumed_bytes")) / written.max(1.0);
        let moved = (count("bytes_read") + written) * share;
        if moved >= TELLING {
            bytes += moved;
            seconds += report["seconds"].as_f64().unwrap_or(0.0);
        }
    }
    (seconds > 0.0).then(|| bytes / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_merges_large_enough_to_tell() {
        let report = |read: u64, written: u64, resumed: u64, seconds: f64| json!({"bytes_read": read, "bytes_written": written, "resumed_bytes": resumed, "seconds": seconds});
        let reports = [
            report(1_000_000_000, 500_000_000, 0, 1.0),
            // half of it had been done before
            report(1_000_000_000, 500_000_000, 250_000_000, 1.0),
            // all of it had
            report(1_000_000_000, 500_000_000, 500_000_000, 0.001),
            report(1000, 1000, 0, 9.0),
            Value::Null,
        ];
        assert_eq!(speed(reports.iter()), Some(1.125e9));
        assert_eq!(speed([Value::Null].iter()), None);
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
