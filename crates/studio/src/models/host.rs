//! Whether inference hosts will take a model.

use std::path::Path;

use weightsmith::model::{Opened, open};
use weightsmith_report::host::{HostedModel, check, known_bases};
use weightsmith_tensors::{Checkpoint, TensorSource};

use super::{Catalogue, Entry, speech};
use crate::error::Refusal;
use crate::wire::{Host, HostCheck, HostMemory, Origin};

/// Looks at everything that hosts require.
pub(crate) fn host(catalogue: &Catalogue, entry: &Entry) -> Result<Host, Refusal> {
    let (Some(folder), Some(located)) = (&entry.folder, &entry.located) else {
        let message = format!(
            "`{}` is not written to disk, so it cannot be hosted",
            entry.name
        );
        return Err(Refusal::not_found("not_written", message));
    };
    let weights = Checkpoint::open(folder).map_err(|error| error.to_string());
    let source = weights.as_ref().ok().map(|one| one as &dyn TensorSource);
    let report = check(HostedModel {
        label: &entry.name,
        revision: located.kind.revision(),
        folder,
        files: &names(folder)?,
        weights: weights.as_ref().map_err(String::as_str),
        bases: &bases(catalogue, entry, folder),
        speech: &speech(folder, source),
    });
    let checks = report.checks.into_iter().map(|one| HostCheck {
        name: one.requirement.to_string(),
        state: one.outcome,
        message: one.reason,
        hint: one.hint,
    });
    let memory = report.facts.memory.iter().map(|need| HostMemory {
        bits: need.bits,
        bytes: need.weights,
        short_context: need.short_context,
        full_context: need.full_context,
    });
    Ok(Host {
        ready: report.ready,
        checks: checks.collect(),
        memory: memory.collect(),
    })
}

/// The models that it was made from, as far as they are here: those of the hub, and of what was merged here those of the table.
fn bases(catalogue: &Catalogue, entry: &Entry, folder: &Path) -> Vec<Opened> {
    let locate = catalogue.locate();
    let mut bases = known_bases(folder, &locate);
    if entry.origin == Origin::Made {
        for parent in &entry.facts.parents {
            if locate.named.contains_key(&parent.reference) {
                bases.extend(open(&parent.reference, None, &locate));
            }
        }
    }
    bases
}

fn names(folder: &Path) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
