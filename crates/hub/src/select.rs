//! Which files of a repository a merge needs.

use std::path::Path;

use weightsmith_tensors::{Error, WeightFiles, is_companion};

use crate::HubError;
use crate::listing::{HubFile, Listing};

/// The largest file that comes along without being weights.
const LARGEST_COMPANION: u64 = 1 << 30;

impl Listing {
    /// Configuration, tokenizer, templates, indexes, licence and card: everything that is read and is not weights. No code: nothing
    /// here runs any.
    pub(crate) fn companions(&self) -> Vec<&HubFile> {
        let needed = |file: &&HubFile| is_companion(&file.path) && file.size <= LARGEST_COMPANION;
        self.files.iter().filter(needed).collect()
    }

    /// The weights: an index, or the files themselves.
    pub(crate) fn weights(&self) -> Result<WeightFiles, HubError> {
        match WeightFiles::choose(Path::new(&self.name.repository), &self.top_names()) {
            Err(Error::NoWeights { found, .. }) => Err(HubError::NoWeights {
                model: self.name.to_string(),
                found,
            }),
            other => Ok(other?),
        }
    }

    /// The files of these names.
    pub(crate) fn named(&self, names: &[String]) -> Result<Vec<&HubFile>, HubError> {
        let find = |name: &String| {
            self.file(name).ok_or_else(|| HubError::NoFile {
                model: self.name.repository.clone(),
                file: name.clone(),
                revision: self.commit.clone(),
            })
        };
        names.iter().map(find).collect()
    }
}
