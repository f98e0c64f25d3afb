//! By what a run knows its own earlier work.

use std::io;

use serde::Serialize;
use weightsmith_tensors::{FormatName, ShardLayout};

use super::error::RunError;
use crate::output::parent_readme;
use crate::plan::{FileSource, Plan, Planned, PlannedFile, PlannedInput, PlannedTensor};

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
    inputs: Vec<InputIdentity<'a>>,
    tensors: &'a [PlannedTensor],
    format: FormatName,
    layout: &'a ShardLayout,
}

/// What tells an input from others on any machine.
#[derive(Serialize)]
struct InputIdentity<'a> {
    revision: Option<&'a str>,
    /// Name, size and hash of the header of each weight file.
    files: Vec<(&'a str, u64, &'a str)>,
}

impl<'a> InputIdentity<'a> {
    fn of(input: &'a PlannedInput) -> Self {
        let files = input.files.iter();
        Self {
            revision: input.revision.as_deref(),
            files: files
                .map(|file| (file.name.as_str(), file.bytes, file.header_hash.as_str()))
                .collect(),
        }
    }
}

impl RunKeys {
    /// The keys of a plan's weights: what a journal is about.
    pub(super) fn of_weights(plan: &Plan) -> Result<Self, RunError> {
        let work = WeightsWork {
            version: env!("CARGO_PKG_VERSION"),
            method: &plan.method,
            seed: plan.seed,
            inputs: plan.inputs.iter().map(InputIdentity::of).collect(),
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
        Ok(Self {
            work: hash(&work)?,
            inputs: inputs.finalize().to_string(),
        })
    }

    /// The keys of a whole result: its weights and all other files.
    pub(super) fn of_result(planned: &Planned) -> Result<Self, RunError> {
        let plan = &planned.plan;
        let weights = Self::of_weights(plan)?;
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
            for model in planned.models.as_slice() {
                let card = parent_readme(&model.located.folder)?;
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
        RunKeys::of_weights(&plan).unwrap()
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
        let changes: [fn(&mut Plan); 5] = [
            |plan| plan.seed = 1,
            |plan| plan.inputs[0].revision = None,
            |plan| plan.inputs[0].files[0].header_hash = "abd".into(),
            |plan| plan.inputs[0].files[0].bytes = 4,
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
