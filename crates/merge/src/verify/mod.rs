//! Checks a merged model against its lock: every file, every byte, every tensor.

mod file_hashes;
mod finding;
mod folder_files;
mod non_finite;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use weightsmith_tensors::{Checkpoint, TensorSource};

pub use finding::{Finding, Problem, Weight};

use crate::output::{Lock, LockError, LockedFile};
use crate::run::Reporter;

/// What a model's folder is like, compared with its lock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// True when nothing that the lock lists is damaged; notes do not matter.
    pub intact: bool,
    /// Version of weightsmith that made the model.
    pub weightsmith: String,
    /// When it was made.
    pub date: String,
    /// Number of files that the lock lists.
    pub files: usize,
    /// Bytes that were read and hashed.
    pub bytes: u64,
    /// Tensors that were found; 0 when the weights cannot be opened.
    pub tensors: u64,
    /// Elements of all tensors that were found.
    pub parameters: u64,
    /// NaN and infinite elements that were found.
    pub non_finite: u64,
    /// All that is not as it should be, in the order of the lock; notes last.
    pub findings: Vec<Finding>,
}

/// A model that cannot be verified at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The path is no folder.
    #[error("{path}: not a folder; `verify` takes the folder of a merged model", path = path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The lock is missing or cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A merge is about to take its place in the folder.
    #[error(transparent)]
    Unfinished(#[from] weightsmith_tensors::Error),
    /// The folder cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads everything that a merged model's lock lists and compares: presence, sizes, hashes, headers, counts, NaN.
///
/// Damage is a finding, not an error. A changed or missing `README.md` is a note, since cards are there to be edited, and
/// so is a file that the lock does not list.
///
/// # Errors
/// [`VerifyError`], when there is nothing to compare with.
pub fn verify(out: &Path, reporter: &dyn Reporter) -> Result<Verification, VerifyError> {
    if !fs_err::metadata(out)?.is_dir() {
        return Err(VerifyError::NotAFolder {
            path: out.to_owned(),
        });
    }
    weightsmith_tensors::refuse_unfinished(out)?;
    let lock = Lock::read(out)?;
    reporter.stage("verifying");
    let mut findings = Vec::new();
    let present: Vec<&LockedFile> = lock
        .files
        .iter()
        .filter(|file| has_its_size(out, file, &mut findings))
        .collect();
    let checkpoint = opened(out, &mut findings);
    reporter.started(present.iter().map(|file| file.bytes).sum(), 0);
    let scan = file_hashes::scan(out, &present, checkpoint.as_ref(), reporter);
    findings.extend(scan.findings);
    let counts = Counts::of(checkpoint.as_ref());
    if checkpoint.is_some() {
        findings.extend(counts.findings(&lock));
        findings.extend(non_finite::findings(&scan.non_finite, lock.non_finite));
    }
    findings.extend(folder_files::unlisted(out, &lock)?);
    order(&mut findings, &lock);
    Ok(Verification {
        intact: findings
            .iter()
            .all(|finding| finding.weight == Weight::Note),
        weightsmith: lock.weightsmith.clone(),
        date: lock.date.clone(),
        files: lock.files.len(),
        bytes: scan.bytes,
        tensors: counts.tensors,
        parameters: counts.parameters,
        non_finite: scan.non_finite.iter().map(|(_, count)| count).sum(),
        findings,
    })
}

/// True for a file that is there with the size that the lock states; anything else is a finding.
fn has_its_size(out: &Path, file: &LockedFile, findings: &mut Vec<Finding>) -> bool {
    let problem = match fs_err::metadata(out.join(&file.name)) {
        Ok(metadata) if !metadata.is_file() => Problem::NotAFile,
        Ok(metadata) if metadata.len() == file.bytes => return true,
        Ok(metadata) => Problem::Size {
            found: metadata.len(),
            expected: file.bytes,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Problem::Missing,
        Err(error) => Problem::Unreadable {
            error: error.to_string(),
        },
    };
    findings.push(Finding::of_file(&file.name, problem));
    false
}

/// The weights, when their headers are sound.
fn opened(out: &Path, findings: &mut Vec<Finding>) -> Option<Checkpoint> {
    match Checkpoint::open(out) {
        Ok(checkpoint) => Some(checkpoint),
        Err(error) => {
            findings.push(Finding::of_model(Problem::Weights {
                error: error.to_string(),
            }));
            None
        }
    }
}

/// What the headers hold.
struct Counts {
    tensors: u64,
    parameters: u64,
}

impl Counts {
    fn of(checkpoint: Option<&Checkpoint>) -> Self {
        let tensors = checkpoint.map_or(&[][..], |checkpoint| checkpoint.tensors());
        Self {
            tensors: tensors.len() as u64,
            parameters: tensors.iter().map(|tensor| tensor.info.elements()).sum(),
        }
    }

    fn findings(&self, lock: &Lock) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.tensors != lock.tensors {
            findings.push(Finding::of_model(Problem::Tensors {
                found: self.tensors,
                expected: lock.tensors,
            }));
        }
        if self.parameters != lock.parameters {
            findings.push(Finding::of_model(Problem::Parameters {
                found: self.parameters,
                expected: lock.parameters,
            }));
        }
        findings
    }
}

/// Damage before notes, files in the order of the lock, what concerns the whole model behind them.
fn order(findings: &mut [Finding], lock: &Lock) {
    let place = |finding: &Finding| {
        let name = finding.file.as_ref()?;
        lock.files.iter().position(|file| file.name == *name)
    };
    findings.sort_by_key(|finding| (finding.weight, place(finding).unwrap_or(usize::MAX)));
}

#[cfg(test)]
mod tests;
