//! The end of a run: all files checked and in their place.

use jiff::Timestamp;
use weightsmith_tensors::BlockHash;

use super::error::RunError;
use super::execute::{OutputFile, Report};
use super::executor::hashes_in_order;
use super::memory::peak_resident;
use super::prepare::{PreparedRun, clean_up};
use super::side_files;
use crate::output::{LOCK_FILE, Lock, LockFacts, LockedFile};
use crate::plan::RunFacts;

impl PreparedRun<'_> {
    /// Makes the files beside the weights, checks what was written and puts the result in its place.
    ///
    /// # Errors
    /// [`RunError`]; [`RunError::Unfilled`] where blocks are missing.
    pub fn finish(self: Box<Self>) -> Result<Report, RunError> {
        let result = self.publish();
        result.inspect_err(|error| clean_up(&self.folder, error, self.reporter))
    }

    fn publish(&self) -> Result<Report, RunError> {
        let missing = self.missing().len();
        if missing > 0 {
            return Err(RunError::Unfilled { blocks: missing });
        }
        let weights = self.weight_files()?;
        self.reporter.stage("finishing");
        for model in self.planned.models.as_slice() {
            model.source.ensure_unchanged()?;
        }
        let report = self.report(weights);
        self.write_other_files(&report)?;
        let plan = &self.planned.plan;
        let format = plan.format.format();
        format.verify(self.folder.path(), &plan.layout, &plan.entries())?;
        self.peak.sample();
        self.folder.publish(self.options.sync)?;
        if let Err(error) = self.folder.remove() {
            self.reporter.note(&format!(
                "the model is complete, but temporary files could not be removed: {error}"
            ));
        }
        Ok(Report {
            seconds: self.start.elapsed().as_secs_f64(),
            ..report
        })
    }

    /// Writes all that the plan lists beside the weights, the lock last.
    fn write_other_files(&self, report: &Report) -> Result<(), RunError> {
        let date = Timestamp::now();
        let non_finite = report.non_finite.iter().map(|(_, count)| count).sum();
        let facts = RunFacts {
            planned: self.planned,
            title: &self.folder.name(),
            date,
            non_finite,
        };
        let others = side_files::write(self.folder.path(), &facts)?;
        let files = report.files.iter().cloned().chain(others);
        let files: Vec<LockedFile> = files.map(LockedFile::from).collect();
        let facts = LockFacts {
            recipe: self.planned.plan.recipe(),
            run: Some(&self.keys.work),
            run_inputs: Some(&self.keys.inputs),
            date,
            non_finite,
            files: &files,
        };
        let lock = Lock::new(&self.planned.plan, &facts).to_json()?;
        side_files::write_file(self.folder.path(), LOCK_FILE.as_ref(), lock.as_bytes())?;
        Ok(())
    }

    /// The weight files with their hashes.
    fn weight_files(&self) -> Result<Vec<OutputFile>, RunError> {
        let shards = self.planned.plan.layout.shards().iter();
        let shards = shards.zip(&self.maps).enumerate();
        shards
            .map(|(index, (shard, map))| {
                let blocks: Vec<BlockHash> = hashes_in_order(index, map, &self.finished);
                let root = map
                    .file()
                    .root(&blocks)
                    .map_err(|error| RunError::Verification {
                        path: self.folder.path().join(&shard.file_name),
                        what: error.to_string(),
                    })?;
                Ok(OutputFile {
                    name: shard.file_name.clone(),
                    bytes: map.bytes,
                    blake3: root.to_string(),
                })
            })
            .collect()
    }

    fn report(&self, files: Vec<OutputFile>) -> Report {
        let plan = &self.planned.plan;
        Report {
            already_there: false,
            tensors: plan.tensors.len(),
            parameters: plan
                .tensors
                .iter()
                .map(|tensor| tensor.info.elements())
                .sum(),
            bytes_read: plan.bytes_read,
            bytes_written: plan.bytes_written,
            resumed_bytes: self.resumed_bytes,
            seconds: self.start.elapsed().as_secs_f64(),
            peak_private: self.peak.private(),
            peak_resident: peak_resident(),
            non_finite: self.non_finite(),
            files,
        }
    }

    fn non_finite(&self) -> Vec<(String, u64)> {
        let mut counts = std::collections::BTreeMap::<usize, u64>::new();
        for (tensor, count) in self.finished.iter().flat_map(|block| &block.non_finite) {
            *counts.entry(*tensor).or_default() += count;
        }
        counts
            .into_iter()
            .map(|(tensor, count)| (self.planned.plan.tensors[tensor].name.clone(), count))
            .collect()
    }
}
