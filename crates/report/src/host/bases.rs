//! The models that a merge says it was made from, as far as they are on this machine.

use std::path::Path;

use crate::card::FrontMatter;
use weightsmith::model::{LocateOptions, Opened, open};
use weightsmith::output::{Lock, parent_readme};
use weightsmith_tensors::ModelFolder;

/// Opens the models that the lock and the card in a folder name, the base model first; those that are not on this machine are left out.
pub fn known_bases(folder: &Path, options: &LocateOptions) -> Vec<Opened> {
    let mut names: Vec<(String, Option<String>)> = Vec::new();
    if let Ok(lock) = Lock::read(folder) {
        let mut inputs = lock.inputs;
        inputs.sort_by_key(|input| !input.base);
        names.extend(
            inputs
                .into_iter()
                .map(|input| (input.label, input.revision)),
        );
    }
    if let Some(matter) = parent_readme(&ModelFolder::new(folder))
        .ok()
        .flatten()
        .as_deref()
        .and_then(FrontMatter::find)
    {
        for name in matter.base_model {
            if names.iter().all(|(known, _)| *known != name) {
                names.push((name, None));
            }
        }
    }
    let mut bases: Vec<Opened> = Vec::new();
    for (name, revision) in names {
        // a folder that is called like one that a merge read may be another
        let from_hub = name.contains('/') && !name.starts_with(['/', '.', '~']);
        if !from_hub {
            continue;
        }
        // nor does a card decide which folder is looked into
        let place = if options.named.contains_key(&name) {
            name
        } else {
            format!("hf://{name}")
        };
        let exact = open(&place, revision.as_deref(), options);
        if let Ok(base) = exact.or_else(|_| open(&place, None, options)) {
            bases.push(base);
        }
    }
    bases
}
