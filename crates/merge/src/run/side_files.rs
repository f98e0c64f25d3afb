//! Everything of a result that is not weights.

use std::path::PathBuf;

use super::error::RunError;
use super::execute::{OutputFile, Report, RunOptions};
use super::work_folder::WorkFolder;
use crate::output::{Companion, companions};
use crate::plan::Planned;

/// The recipe as it was given.
const RECIPE: &str = "mergekit_config.yml";

/// Files that come from the donor or follow from the plan, known before the run.
#[derive(Debug)]
pub(super) struct SideFiles {
    companions: Vec<Companion>,
    /// Path in the result and content.
    made: Vec<(PathBuf, Vec<u8>)>,
}

impl SideFiles {
    /// Finds the donor's files and makes those that the plan determines.
    pub(super) fn gather(planned: &Planned, options: &RunOptions<'_>) -> Result<Self, RunError> {
        let plan = &planned.plan;
        let donor = &planned.models.as_slice()[plan.donor];
        let companions = if options.copy_companions {
            companions(&donor.located.folder)?
        } else {
            Vec::new()
        };
        let mut made = vec![(RECIPE.into(), options.recipe.as_bytes().to_vec())];
        if let Some(config) = &plan.config {
            made.push(("config.json".into(), config.as_bytes().to_vec()));
        }
        if plan.layout.shards().len() > 1 {
            made.push((
                weightsmith_tensors::INDEX_FILE_NAME.into(),
                plan.layout.index_json(),
            ));
        }
        let companions = companions
            .into_iter()
            .filter(|companion| !made.iter().any(|(path, _)| *path == companion.relative))
            .collect();
        Ok(Self { companions, made })
    }

    /// Their size.
    pub(super) fn bytes(&self) -> u64 {
        let copied: u64 = self
            .companions
            .iter()
            .map(|companion| companion.bytes)
            .sum();
        copied
            + self
                .made
                .iter()
                .map(|(_, content)| content.len() as u64)
                .sum::<u64>()
    }

    /// Writes them into the working folder, the card and the lock last.
    pub(super) fn write(
        mut self,
        planned: &Planned,
        folder: &WorkFolder,
        report: &Report,
        options: &RunOptions<'_>,
    ) -> Result<(), RunError> {
        let _ = (planned, report, options);
        let mut written: Vec<OutputFile> = Vec::new();
        for companion in std::mem::take(&mut self.companions) {
            let content = fs_err::read(&companion.source)?;
            self.made.push((companion.relative, content));
        }
        for (path, content) in &self.made {
            written.push(write_file(folder, path, content)?);
        }
        Ok(())
    }
}

fn write_file(
    folder: &WorkFolder,
    path: &std::path::Path,
    content: &[u8],
) -> Result<OutputFile, RunError> {
    let target = folder.path().join(path);
    if let Some(parent) = target.parent() {
        fs_err::create_dir_all(parent)?;
    }
    fs_err::write(target, content)?;
    Ok(OutputFile {
        name: path.to_string_lossy().replace('\\', "/"),
        bytes: content.len() as u64,
        blake3: blake3::hash(content).to_string(),
    })
}
