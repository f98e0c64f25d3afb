//! A model of the table as the interface shows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weightsmith_report::host::{concurrency_units, size_class};
use weightsmith_server::ModelState;

use super::{Entry, ParentName};
use crate::app::App;

/// What a list shows of a model.
pub(crate) fn describe(app: &App, entry: &Entry) -> Value {
    let facts = &entry.facts;
    let (state, progress, error) = state(app, entry);
    let speaks = facts.broken.is_none() && facts.silent.is_none();
    let context = facts.context;
    let served = context.map(|trained| match app.settings.context {
        Some(most) => trained.min(most as u64),
        None => trained,
    });
    let mut parents = facts.parents.iter();
    let parents: Vec<Value> = parents
        .by_ref()
        .map(|parent| {
            // a name may have gone over to another model since
            let known = known_as(app, parent).filter(|name| {
                let entry = app.catalogue.find(name);
                entry.is_none_or(|one| facts.was_read(&parent.label, &one.facts.headers))
            });
            json!({
                "name": known.as_deref().unwrap_or(&parent.label),
                "label": parent.label,
                "known": known.is_some(),
            })
        })
        .collect();
    json!({
        "name": entry.name,
        "origin": entry.origin,
        "path": entry.folder,
        "task": speaks.then_some("text-generation"),
        "architecture": facts.architecture,
        "model_type": facts.model_type,
        "parameters": facts.parameters,
        "size": facts.parameters.map(size_label),
        "bytes": facts.bytes,
        "weights_type": facts.weights_type,
        "context_trained": context,
        "context_served": served,
        "concurrency_units": facts.parameters.map(concurrency_units),
        "license": facts.license,
        "created": facts.created,
        "published": null,
        "method": facts.method,
        "parents": parents,
        "tags": facts.tags,
        "state": state,
        "progress": progress,
        "error": error,
    })
}

/// When models were published from here last, in seconds since 1970. What was published before a model was replaced is another one.
pub(crate) fn published(app: &App) -> BTreeMap<String, Value> {
    const LOOKED_AT: usize = 500;
    let mut published = BTreeMap::new();
    // a history that cannot be read is told where runs are shown
    for run in app.runs.newest("push", LOOKED_AT).unwrap_or_default() {
        if let Some(name) = run.result["model"].as_str()
            && !published.contains_key(name)
        {
            let made = app.runs.made(name).ok().flatten();
            let is_this = made.is_none_or(|made| run.ended >= made);
            let at = if is_this {
                run.result["at"].clone()
            } else {
                Value::Null
            };
            published.insert(name.to_owned(), at);
        }
    }
    published
}

/// The state of a model: its name, the share of it that is loaded, what is wrong with it.
pub(crate) fn state(app: &App, entry: &Entry) -> (&'static str, Option<f64>, Option<String>) {
    if let Some(problem) = &entry.facts.broken {
        return ("broken", None, Some(problem.clone()));
    }
    if let Some(problem) = &entry.facts.silent {
        return ("failed", None, Some(problem.clone()));
    }
    match app.registry.state(&entry.name) {
        Some(ModelState::Cold) | None => ("cold", None, None),
        Some(ModelState::Loading(share)) => ("loading", Some(share), None),
        Some(ModelState::Warm) => ("warm", None, None),
        Some(ModelState::Failed(problem)) => ("failed", None, Some(problem)),
    }
}

/// What the table calls a model that a recipe or a card names.
pub(super) fn known_as(app: &App, parent: &ParentName) -> Option<String> {
    let entries = app.catalogue.list();
    let reference = parent.reference.as_str();
    if let Some(entry) = entries.iter().find(|entry| entry.name == reference) {
        return Some(entry.name.clone());
    }
    if parent.reference != parent.label {
        let real = std::path::Path::new(reference).canonicalize().ok();
        let found = entries.iter().find(|entry| {
            let folder = entry
                .folder
                .as_ref()
                .and_then(|path| path.canonicalize().ok());
            folder.is_some() && folder == real
        });
        return found.map(|entry| entry.name.clone());
    }
    // a card names a folder by its last part; which one is meant is clear where only one is called so
    let mut called_so = entries.iter().filter(|entry| {
        let folder = entry.folder.as_deref().filter(|_| !reference.contains('/'));
        folder.and_then(std::path::Path::file_name) == Some(reference.as_ref())
    });
    match (called_so.next(), called_so.next()) {
        (Some(entry), None) => Some(entry.name.clone()),
        _ => None,
    }
}

/// `0.5B`, and of small ones the millions or thousands.
fn size_label(parameters: u64) -> String {
    const LEAST: u64 = 95_000_000;
    match parameters {
        LEAST.. => size_class(parameters),
        1_000_000.. => format!("{:.1}M", parameters as f64 / 1e6),
        1_000.. => format!("{:.1}K", parameters as f64 / 1e3),
        few => few.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (parameters, label) in [
            (12, "12"),
            (2_500, "2.5K"),
            (2_567_040, "2.6M"),
            (94_999_999, "95.0M"),
            (134_500_000, "0.1B"),
            (494_000_000, "0.5B"),
        ] {
            assert_eq!(size_label(parameters), label);
        }
    }
}
