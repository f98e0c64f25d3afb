//! What is measured on.

use std::path::{Path, PathBuf};

use weightsmith_session::evaluate::{EvaluationData, data_names};

use crate::failure::Failure;

/// A file to measure on.
#[derive(Debug)]
pub(super) struct Data<'a> {
    pub(super) path: &'a Path,
    /// Its name: without the folder, where no other has the same.
    pub(super) name: String,
    pub(super) content: EvaluationData,
}

impl<'a> Data<'a> {
    /// Reads files; of the questions of each no more than `limit`.
    pub(super) fn read_all(
        paths: &'a [PathBuf],
        limit: Option<usize>,
    ) -> Result<Vec<Self>, Failure> {
        let pairs = paths.iter().zip(data_names(paths));
        pairs
            .map(|(path, name)| {
                Ok(Self {
                    path,
                    name,
                    content: EvaluationData::read(path, limit)?,
                })
            })
            .collect()
    }
}
