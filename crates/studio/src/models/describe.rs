//! A model of the table as the interface shows it.

use weightsmith_report::host::{concurrency_units, size_class};
use weightsmith_server::ModelState as Served;

use super::{Catalogue, Entry, Facts, ParentName};
use crate::wire::{Model, ModelState, ModelStatus, Parent};

impl Catalogue {
    /// What a list shows of a model.
    pub(crate) fn describe(&self, entry: &Entry) -> Model {
        let facts = &entry.facts;
        let speaks = facts.broken.is_none() && facts.silent.is_none();
        let context = facts.context;
        let served = context.map(|trained| match self.settings.context {
            Some(most) => trained.min(most as u64),
            None => trained,
        });
        Model {
            name: entry.name.clone(),
            origin: entry.origin,
            path: entry.folder.as_ref().map(|one| one.display().to_string()),
            task: speaks.then(|| "text-generation".to_owned()),
            architecture: facts.architecture.clone(),
            model_type: facts.model_type.clone(),
            parameters: facts.parameters,
            size: facts.parameters.map(size_label),
            bytes: facts.bytes,
            weights_type: facts.weights_type.clone(),
            context_trained: context,
            context_served: served,
            concurrency_units: facts.parameters.map(concurrency_units),
            license: facts.license.clone(),
            created: facts.created,
            published: None,
            method: facts.method.clone(),
            parents: self.parents(facts),
            tags: facts.tags.clone(),
            status: self.status(entry),
        }
    }

    fn parents(&self, facts: &Facts) -> Vec<Parent> {
        let parents = facts.parents.iter();
        parents
            .map(|parent| {
                // a name may have gone over to another model since
                let known = self.known_as(parent).filter(|name| {
                    let entry = self.find(name);
                    entry.is_none_or(|one| facts.was_read(&parent.label, &one.facts.headers))
                });
                Parent {
                    known: known.is_some(),
                    name: known.unwrap_or_else(|| parent.label.clone()),
                    label: parent.label.clone(),
                }
            })
            .collect()
    }

    /// Whether a model is in memory, how much of it, and what is wrong with it.
    pub(crate) fn status(&self, entry: &Entry) -> ModelStatus {
        let facts = &entry.facts;
        let (state, progress, error) = match (&facts.broken, &facts.silent) {
            (Some(problem), _) => (ModelState::Broken, None, Some(problem.clone())),
            (None, Some(problem)) => (ModelState::Failed, None, Some(problem.clone())),
            (None, None) => match self.registry.state(&entry.name) {
                Some(Served::Cold) | None => (ModelState::Cold, None, None),
                Some(Served::Loading(share)) => (ModelState::Loading, Some(share), None),
                Some(Served::Warm) => (ModelState::Warm, None, None),
                Some(Served::Failed(problem)) => (ModelState::Failed, None, Some(problem)),
            },
        };
        ModelStatus {
            state,
            progress,
            error,
        }
    }

    /// What the table calls a model that a recipe or a card names.
    pub(super) fn known_as(&self, parent: &ParentName) -> Option<String> {
        let entries = self.list();
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
