//! Difference between two models: computed by a run, kept in a file, shown as a map of layers and kinds of tensors.

use std::collections::BTreeSet;
use std::path::PathBuf;

use weightsmith_report::diff::{
    DiffError, DiffOptions, Difference, Measures, TensorDifference, diff,
};

use crate::clock::now;
use crate::error::Refusal;
use crate::models::{Catalogue, Entry};
use crate::progress::{RunFailure, RunProgress};
use crate::recipes::{Planner, fingerprint, source};
use crate::settings::StudioSettings;
use crate::wire::{self, Cell, DifferenceRequest, DifferenceResult, Distance, OutsideTensor};

/// A comparison that was kept; nothing where the models are no longer what they were.
pub(crate) fn stored(
    settings: &StudioSettings,
    entry: &Entry,
    against: &Entry,
) -> Result<wire::Difference, Refusal> {
    let text = fs_err::read_to_string(place(settings, entry, against)).ok();
    let value = text.and_then(|text| serde_json::from_str(&text).ok());
    value.ok_or_else(|| {
        let message = format!(
            "the difference between `{}` and `{}` has not been computed",
            entry.name, against.name
        );
        Refusal::not_found("not_computed", message).hint("start a run of kind `difference`")
    })
}

/// The work of a run.
pub(crate) fn run(
    settings: &StudioSettings,
    catalogue: &Catalogue,
    planner: &Planner,
    request: &DifferenceRequest,
    progress: &dyn RunProgress,
) -> Result<DifferenceResult, RunFailure> {
    let entry = catalogue.model(&request.model)?;
    let against = catalogue.model(&request.against)?;
    progress.stage("comparing");
    let open = |entry: &Entry| source(planner, entry).map_err(|problem| RunFailure::of(problem.0));
    // it differs from the other one, so that one is the measure
    let (a, b) = (open(&against)?, open(&entry)?);
    let options = DiffOptions {
        threads: settings.threads,
        interrupt: progress.interrupt(),
    };
    let found = match diff(&*a, &*b, None, &options, &Comparing(progress)) {
        Ok(found) => found,
        Err(DiffError::Interrupted) => return Err(RunFailure::Stopped),
        Err(error) => return Err(RunFailure::caused(&error)),
    };
    if found.summary.tensors_same + found.summary.tensors_different == 0 {
        let message = format!(
            "`{}` and `{}` have no tensors with the same name and shape",
            entry.name, against.name
        );
        return Err(RunFailure::of(message));
    }
    let shown = shown(&found, &against.name);
    keep(place(settings, &entry, &against), &shown)
        .map_err(|error| RunFailure::of(error.to_string()))?;
    Ok(DifferenceResult {
        against: against.name.clone(),
    })
}

/// Where a comparison is kept. Its name is a hash, of no part of which anybody else decides.
fn place(settings: &StudioSettings, entry: &Entry, against: &Entry) -> PathBuf {
    let name = format!("{}.json", fingerprint(entry, against));
    settings.data.join("differences").join(name)
}

fn keep(place: PathBuf, found: &wire::Difference) -> std::io::Result<()> {
    if let Some(folder) = place.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let new = place.with_extension("new");
    fs_err::write(&new, serde_json::to_vec(found)?)?;
    fs_err::rename(new, place)
}

/// The map: a cell for each layer and kind of tensor, and what lies outside the layers.
fn shown(found: &Difference, against: &str) -> wire::Difference {
    let layers: BTreeSet<u64> = found.tensors.iter().filter_map(|one| one.layer).collect();
    let mut kinds: Vec<String> = Vec::new();
    let mut outside: Vec<OutsideTensor> = Vec::new();
    for tensor in &found.tensors {
        if tensor.layer.is_none() {
            outside.push(OutsideTensor {
                distance: cell(tensor.measures.as_ref()).unwrap_or_default(),
                name: tensor.name.clone(),
            });
        } else if !kinds.contains(&tensor.kind) {
            kinds.push(tensor.kind.clone());
        }
    }
    let cells: Vec<Vec<Cell>> = layers
        .iter()
        .map(|layer| {
            let is_it =
                |one: &&TensorDifference, kind: &str| one.layer == Some(*layer) && one.kind == kind;
            kinds
                .iter()
                .map(|kind| {
                    let tensor = found.tensors.iter().find(|one| is_it(one, kind));
                    cell(tensor.and_then(|one| one.measures.as_ref()))
                })
                .collect()
        })
        .collect();
    wire::Difference {
        against: against.to_owned(),
        computed: now() as u64,
        summary: found.summary.clone(),
        layers: layers.iter().map(u64::to_string).collect(),
        kinds,
        cells,
        outside,
    }
}

fn cell(measures: Option<&Measures>) -> Cell {
    measures.map(|measures| Distance {
        cosine: measures.cosine,
        relative: measures.relative_difference,
        changed: Some(measures.changed_share),
    })
}

/// Progress of a comparison as that of a run.
struct Comparing<'a>(&'a dyn RunProgress);

impl weightsmith::run::Reporter for Comparing<'_> {
    fn started(&self, total: u64, resumed: u64) {
        self.0.expect(total, resumed);
    }

    fn written(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}

#[cfg(test)]
mod tests;
