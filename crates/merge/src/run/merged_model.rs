//! A merge that was planned and never written, as a model.

use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith_tensors::{
    Companion, CompanionError, ComputedSource, Error, ModelFiles, ModelIdentity, ModelSource,
    TensorEntry, TensorSource, comes_along,
};

use super::error::RunError;
use super::merged::MergedSource;
use crate::output::{SHARE_PICTURE, is_searched, without_local_paths};
use crate::plan::{Plan, Planned};

const CONFIG: &str = "config.json";

/// A planned merge as a model: its tensors are computed when they are read, and its files are those that the merge would
/// write.
#[derive(Debug)]
pub struct MergedModel {
    tensors: MergedSource,
    origin: PathBuf,
    identity: ModelIdentity,
    config: Option<Vec<u8>>,
    /// The model whose files come along.
    donor: Arc<dyn ModelSource>,
    inputs: Vec<Arc<dyn ModelSource>>,
}

impl MergedModel {
    /// The model that a plan would write. `origin` is what it is called in messages, such as the recipe's path.
    ///
    /// # Errors
    /// When an input lacks a tensor that the plan names.
    pub fn new(planned: &Planned, origin: impl Into<PathBuf>) -> Result<Self, RunError> {
        let plan = &planned.plan;
        let models = planned.models.as_slice();
        let inputs: Vec<_> = models
            .iter()
            .map(|model| Arc::clone(&model.source))
            .collect();
        let config = plan.config.clone().map(|config| {
            let changed = without_local_paths(&config).map(|(config, _)| config);
            changed.unwrap_or(config).into_bytes()
        });
        Ok(Self {
            tensors: MergedSource::new(plan, &planned.models.sources())?,
            origin: origin.into(),
            identity: identity(plan)?,
            config,
            donor: Arc::clone(&inputs[plan.donor]),
            inputs,
        })
    }

    /// Hands NaN and infinite values out instead of failing at them.
    #[must_use]
    pub fn allow_non_finite(mut self, allow: bool) -> Self {
        self.tensors = self.tensors.allow_non_finite(allow);
        self
    }

    /// Whether a file is one of the donor's that come along.
    fn is_copied(&self, relative: &Path) -> bool {
        comes_along(relative)
            && relative != Path::new(SHARE_PICTURE)
            && (self.config.is_none() || relative != Path::new(CONFIG))
    }

    /// A file of the donor as it would be written.
    fn copied(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(bytes) = self.donor.file(name)? else {
            return Ok(None);
        };
        if !is_searched(name, bytes.len() as u64) {
            return Ok(Some(bytes));
        }
        let changed = std::str::from_utf8(&bytes)
            .ok()
            .and_then(without_local_paths);
        Ok(Some(changed.map_or(bytes, |(text, _)| text.into_bytes())))
    }
}

/// The same for the same tensors of the same inputs, and the same settings.
fn identity(plan: &Plan) -> Result<ModelIdentity, RunError> {
    let tensors = serde_json::to_vec(&(&plan.tensors, &plan.config, plan.seed));
    let tensors = blake3::hash(&tensors.map_err(io::Error::from)?).to_string();
    let inputs = plan.inputs.iter().map(|input| input.identity.as_str());
    let own = [env!("CARGO_PKG_VERSION"), &tensors];
    Ok(ModelIdentity::of_parts(own.into_iter().chain(inputs)))
}

impl TensorSource for MergedModel {
    fn tensors(&self) -> &[TensorEntry] {
        self.tensors.tensors()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.tensors.find(name)
    }

    fn read<'a>(
        &'a self,
        tensor: usize,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        self.tensors.read(tensor, elements, scratch)
    }

    fn ensure_intact(&self) -> Result<(), Error> {
        self.tensors.ensure_intact()
    }

    fn ensure_not_rewritten(&self) -> Result<(), Error> {
        self.tensors.ensure_not_rewritten()
    }

    fn computed(&self) -> Option<&dyn ComputedSource> {
        self.tensors.computed()
    }
}

impl ModelFiles for MergedModel {
    /// A file that comes along is the donor's.
    fn path_of(&self, name: &str) -> PathBuf {
        self.donor.path_of(name)
    }

    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match &self.config {
            Some(config) if name == CONFIG => Ok(Some(config.clone())),
            _ if self.is_copied(Path::new(name)) => self.copied(name),
            _ => Ok(None),
        }
    }

    fn companions(&self) -> Result<Vec<Companion>, CompanionError> {
        let mut found = self.donor.companions()?;
        found.retain(|companion| self.is_copied(&companion.relative));
        for companion in &mut found {
            if let Some(name) = searched(companion) {
                let bytes = self.copied(&name)?.unwrap_or_default();
                companion.bytes = bytes.len() as u64;
            }
        }
        found.extend(self.config.as_ref().map(|config| Companion {
            relative: CONFIG.into(),
            source: self.path_of(CONFIG),
            bytes: config.len() as u64,
            modified: None,
        }));
        found.sort();
        Ok(found)
    }

    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let found = self.companions().map_err(|error| match error {
            CompanionError::Io(error) => error,
            other => io::Error::other(other),
        })?;
        let companion = found.iter().find(|one| one.relative == relative);
        let companion = companion.ok_or_else(missing)?;
        match searched(companion) {
            Some(name) => Ok(Box::new(Cursor::new(
                self.file(&name)?.ok_or_else(missing)?,
            ))),
            None => self.donor.open_companion(relative),
        }
    }
}

/// The name of a file whose content may differ from the donor's.
fn searched(companion: &Companion) -> Option<String> {
    let name = companion.relative.to_str()?.replace('\\', "/");
    (name == CONFIG || is_searched(&name, companion.bytes)).then_some(name)
}

impl ModelSource for MergedModel {
    fn identity(&self) -> ModelIdentity {
        self.identity.clone()
    }

    fn origin(&self) -> &Path {
        &self.origin
    }

    fn local_paths(&self) -> Vec<PathBuf> {
        let inputs = self.inputs.iter();
        inputs.flat_map(|input| input.local_paths()).collect()
    }

    fn ensure_unchanged(&self) -> Result<(), Error> {
        self.inputs
            .iter()
            .try_for_each(|input| input.ensure_unchanged())
    }
}
