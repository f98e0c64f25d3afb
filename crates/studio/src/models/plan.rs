//! Stored recipes, planned again.

use axum::http::StatusCode;
use serde_json::{Value, json};
use weightsmith::explain::explain;
use weightsmith::plan::{PlanOptions, Planned, build};
use weightsmith::{Diagnostic, Severity, recipe};

use super::details;
use super::{Entry, ParentName, locate};
use crate::app::App;
use crate::error::Refusal;

/// A recipe's method and its models; nothing for a text that is none.
pub(crate) fn parents_of(text: &str) -> Option<(String, Vec<ParentName>)> {
    let parsed = recipe::parse(text, &|_| true);
    let first = parsed.recipes.first()?;
    let mut parents: Vec<ParentName> = Vec::new();
    for reference in first.references() {
        let parent = ParentName::of(&reference.value.path);
        if !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    Some((first.merge_method.value.clone(), parents))
}

/// What the recipe of a model does, layer by layer.
pub(crate) fn explanation(app: &App, entry: &Entry) -> Result<Value, Refusal> {
    let Some(text) = details::recipe(entry) else {
        let message = format!("`{}` comes with no recipe", entry.name);
        return Err(Refusal::not_found("no_recipe", message));
    };
    let planned = planned(app, &text).map_err(|found| refusal(&found))?;
    Ok(json!({"explanation": explain(&planned.plan)}))
}

/// Plans a recipe with the table's models.
///
/// # Errors
/// What is wrong with it.
pub(super) fn planned(app: &App, text: &str) -> Result<Planned, Vec<Diagnostic>> {
    let options = PlanOptions::new(locate(app));
    let parsed = recipe::parse(text, &|path| options.locate.exists(path));
    let is_wrong = |one: &Diagnostic| one.severity == Severity::Error;
    match parsed.recipes.first() {
        Some(first) if !parsed.diagnostics.iter().any(is_wrong) => build(first, &options),
        _ => Err(parsed.diagnostics),
    }
}

fn refusal(found: &[Diagnostic]) -> Refusal {
    let first = found.iter().find(|one| one.severity == Severity::Error);
    let message = first.or(found.first()).map_or_else(
        || "the recipe cannot be planned".to_owned(),
        |one| format!("the recipe cannot be planned: {}", one.message),
    );
    let diagnostics: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({
                "severity": match one.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                    Severity::Note => "note",
                },
                "message": one.message,
                "hints": one.hints,
                "span": null,
            })
        })
        .collect();
    let mut refusal = Refusal::new(StatusCode::CONFLICT, "cannot_plan", message);
    refusal.hints = first.map_or_else(Vec::new, |one| one.hints.clone());
    refusal.with("diagnostics", diagnostics.into())
}
