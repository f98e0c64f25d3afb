//! By what a run knows its own earlier work.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::Serialize;
use weightsmith_tensors::{FormatName, ModelIdentity, ShardLayout};

use super::error::RunError;
use crate::output::parent_readme;
use crate::plan::{FileSource, Model, Plan, Planned, PlannedFile, PlannedTensor};

/// What earlier work must agree in to be of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunKeys {
    /// Stands for the work: the same on every machine, without paths and times.
    pub(super) work: String,
    /// Stands for where and when the inputs were last written to: two trainings of a model have the same headers, so work is gone on
    /// with only where its inputs are the same files, unchanged.
    pub(super) inputs: String,
}

/// All that the bytes of the weights depend on.
#[derive(Serialize)]
struct WeightsWork<'a> {
    version: &'static str,
    method: &'a str,
    seed: u64,
    inputs: Vec<&'a ModelIdentity>,
    tensors: &'a [PlannedTensor],
    format: FormatName,
    layout: &'a ShardLayout,
}

impl RunKeys {
    /// The keys of a plan's weights: what a journal is about.
    pub(super) fn of_weights(plan: &Plan, models: &[Model]) -> Result<Self, RunError> {
        let work = WeightsWork {
            version: env!("CARGO_PKG_VERSION"),
            method: &plan.method,
            seed: plan.seed,
            inputs: plan.inputs.iter().map(|input| &input.identity).collect(),
            tensors: &plan.tensors,
            format: plan.format,
            layout: &plan.layout,
        };
        let mut inputs = blake3::Hasher::new();
        for input in &plan.inputs {
            inputs.update(blake3::hash(input.path.as_os_str().as_encoded_bytes()).as_bytes());
            for file in &input.files {
                inputs.update(&file.modified.to_le_bytes());
            }
        }
        for model in models {
            // what is made of other models has no files of its own
            if model.source.weight_files().is_empty() {
                for path in model.source.local_paths() {
                    inputs.update(&state_of(&path)?);
                }
            }
        }
        Ok(Self {
            work: hash(&work)?,
            inputs: inputs.finalize().to_string(),
        })
    }

    /// The keys of a whole result: its weights and all other files.
    pub(super) fn of_result(planned: &Planned) -> Result<Self, RunError> {
        let plan = &planned.plan;
        let models = planned.models.as_slice();
        let weights = Self::of_weights(plan, models)?;
        let labels: Vec<&str> = plan.inputs.iter().map(|one| one.label.as_str()).collect();
        let mut work = blake3::Hasher::new();
        work.update(hash(&(&weights.work, labels, plan.base, plan.donor))?.as_bytes());
        let mut inputs = blake3::Hasher::new();
        inputs.update(weights.inputs.as_bytes());
        for file in &plan.files {
            work.update(hash(&content(file))?.as_bytes());
            if let FileSource::Companion { modified, .. } = &file.source {
                inputs.update(&modified.to_le_bytes());
            }
        }
        if planned.finished.is_some() {
            // the card says what the models' own cards say
            for model in models {
                let card = parent_readme(model.source.as_ref())?;
                work.update(hash(&card)?.as_bytes());
            }
        }
        Ok(Self {
            work: work.finalize().to_string(),
            inputs: inputs.finalize().to_string(),
        })
    }
}

/// What a plan knows of a file, but when it was written.
fn content(file: &PlannedFile) -> impl Serialize {
    let (kind, text) = match &file.source {
        FileSource::Weights { .. } => ("weights", None),
        FileSource::Made(made) => ("made", Some(&made.text)),
        FileSource::Companion { changed, .. } => {
            ("companion", changed.as_ref().map(|made| &made.text))
        }
        FileSource::Finished => ("finished", None),
        FileSource::Lock => ("lock", None),
    };
    (file.name.as_str(), file.bytes, kind, text)
}

/// Path of a file or folder, and of a file size and time of the last change.
fn state_of(path: &Path) -> io::Result<[u8; 32]> {
    let metadata = fs_err::metadata(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_os_str().as_encoded_bytes());
    // a folder's time tells of other files too
    if metadata.is_file() {
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
        hasher.update(&metadata.len().to_le_bytes());
        hasher.update(&modified.map_or(0, |since| since.as_nanos()).to_le_bytes());
    }
    Ok(hasher.finalize().into())
}

fn hash(value: &impl Serialize) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    serde_json::to_writer(&mut hasher, value)?;
    Ok(hasher.finalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::InputFile;
    use crate::testing::example_plans::v;

    fn plan() -> Plan {
        let mut plan = v();
        plan.inputs[0].files = vec![InputFile {
            name: "model.safetensors".into(),
            bytes: 3,
            modified: 7,
            header_hash: "abc".into(),
        }];
        plan
    }

    fn keys(change: impl FnOnce(&mut Plan)) -> RunKeys {
        let mut plan = plan();
        change(&mut plan);
        RunKeys::of_weights(&plan, &[]).unwrap()
    }

    #[test]
    fn the_key_of_the_work_is_the_same_on_every_machine() {
        let here = keys(|_| {});
        let there = keys(|plan| {
            plan.inputs[0].path = "/elsewhere/model".into();
            plan.inputs[0].reference = "/elsewhere/model".into();
            plan.inputs[0].files[0].modified = 8;
        });
        assert_eq!(here.work, there.work);
        assert_ne!(here.inputs, there.inputs);
    }

    #[test]
    fn other_inputs_tensors_and_seeds_are_other_work() {
        let here = keys(|_| {});
        let changes: [fn(&mut Plan); 4] = [
            |plan| plan.seed = 1,
            |plan| plan.inputs[0].identity = ModelIdentity::of_parts(["another"]),
            |plan| plan.inputs.swap(0, 1),
            |plan| plan.tensors.swap(0, 1),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            assert_ne!(here.work, keys(change).work, "change {index}");
        }
    }

    #[test]
    fn files_beside_the_weights_are_no_part_of_what_a_journal_is_about() {
        let changed = keys(|plan| {
            plan.files.clear();
            plan.config = Some("{}".into());
        });
        assert_eq!(changed, keys(|_| {}));
    }
}
