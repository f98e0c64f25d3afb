//! The models of a recipe, found and opened: headers only.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use weightsmith_tensors::{Checkpoint, TensorSource};

use super::{InputFile, PlannedInput, labels};
use crate::architecture::Architecture;
use crate::model::{LocateOptions, Located, Opened, open};
use crate::output::ModelConfig;
use crate::recipe::ModelReference;
use crate::{Diagnostic, Spanned};

/// A model whose headers were read.
#[derive(Debug)]
pub struct Model {
    /// Where it is and what it is called.
    pub located: Located,
    /// Its tensors.
    pub checkpoint: Arc<Checkpoint>,
    /// Its `config.json`, where it has one.
    pub config: Option<ModelConfig>,
    /// What it is made of.
    pub architecture: Architecture,
    /// The recipe's words for it.
    pub reference: String,
}

impl Model {
    /// Finds and opens a model.
    ///
    /// # Errors
    /// A diagnostic at the reference's place.
    pub fn open(
        reference: &Spanned<ModelReference>,
        options: &LocateOptions,
    ) -> Result<Self, Box<Diagnostic>> {
        let wanted = &reference.value;
        let opened = open(&wanted.path, wanted.revision.as_deref(), options);
        let Opened {
            located,
            checkpoint,
        } = opened.map_err(|error| {
            let mut diagnostic = Diagnostic::error(error.to_string(), reference.span);
            diagnostic.hints = error.hints();
            diagnostic
        })?;
        let error = |message: String| Box::new(Diagnostic::error(message, reference.span));
        let path = located.folder.join("config.json");
        let is_there = match fs_err::metadata(&path) {
            Ok(_) => true,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => false,
            Err(problem) => return Err(error(problem.to_string())),
        };
        let config = is_there
            .then(|| ModelConfig::read(&path))
            .transpose()
            .map_err(|e| error(e.to_string()))?;
        let architecture = Architecture::infer(
            config.as_ref().map(ModelConfig::value),
            checkpoint.tensors(),
        );
        Ok(Self {
            located,
            checkpoint,
            config,
            architecture,
            reference: wanted.raw.clone(),
        })
    }

    /// What to call it where paths must not appear.
    pub fn label(&self) -> &str {
        &self.located.label
    }

    /// What a plan says of it.
    pub(super) fn planned(&self) -> PlannedInput {
        PlannedInput {
            reference: self.reference.clone(),
            label: self.located.label.clone(),
            revision: self.located.kind.revision().map(str::to_owned),
            path: self.weights(),
            files: self.files(),
            tensors: self.checkpoint.tensors().len(),
            parameters: self
                .checkpoint
                .tensors()
                .iter()
                .map(|tensor| tensor.info.elements())
                .sum(),
            layers: self.architecture.layers(),
        }
    }

    fn weights(&self) -> PathBuf {
        self.located
            .file
            .clone()
            .unwrap_or_else(|| self.located.folder.clone())
    }

    fn files(&self) -> Vec<InputFile> {
        self.checkpoint
            .files()
            .iter()
            .map(|file| InputFile {
                name: file.name.clone(),
                bytes: file.size,
                modified: file
                    .modified
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |time| time.as_nanos() as u64),
                header_hash: file.header_hash.clone(),
            })
            .collect()
    }
}

/// What is said of a model whose tensors have other names in its files.
fn wrapped(model: &Model, reference: &Spanned<ModelReference>) -> Option<Diagnostic> {
    let wrappers = model.checkpoint.wrappers();
    if wrappers.is_empty() {
        return None;
    }
    let label = &model.located.label;
    let message = format!(
        "`{label}` was saved from a wrapper that added `{}.` to tensor names",
        wrappers.join(".`, `")
    );
    let hint = "the prefix is removed, as loaders expect";
    Some(Diagnostic::note(message, reference.span).hint(hint))
}

/// The distinct models of a recipe, in the order in which it names them.
#[derive(Debug, Default)]
pub struct Models {
    models: Vec<Model>,
    /// References that were asked for, with the model that each is, or nothing where it could not be opened.
    seen: Vec<(ModelReference, Option<usize>)>,
}

impl Models {
    /// Index of the model that a reference means, opening it when it is new. Two references to one folder are one model.
    pub(super) fn index(
        &mut self,
        reference: &Spanned<ModelReference>,
        options: &LocateOptions,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<usize> {
        if let Some((_, index)) = self.seen.iter().find(|(seen, _)| *seen == reference.value) {
            return *index;
        }
        let index = match Model::open(reference, options) {
            Ok(model) => {
                diagnostics.extend(wrapped(&model, reference));
                Some(self.add(model))
            }
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                None
            }
        };
        self.seen.push((reference.value.clone(), index));
        index
    }

    fn add(&mut self, model: Model) -> usize {
        let same = |other: &Model| {
            other.located.folder == model.located.folder && other.located.file == model.located.file
        };
        self.models.iter().position(same).unwrap_or_else(|| {
            self.models.push(model);
            self.models.len() - 1
        })
    }

    /// Gives models that are called the same different labels.
    pub(super) fn tell_apart(&mut self) {
        let located: Vec<&Located> = self.models.iter().map(|model| &model.located).collect();
        let labels = labels::distinct(&located);
        for (model, label) in self.models.iter_mut().zip(labels) {
            model.located.label = label;
        }
    }

    /// The models, in the order of [`Plan::inputs`](super::Plan::inputs).
    pub fn as_slice(&self) -> &[Model] {
        &self.models
    }

    /// Their tensors, in the same order.
    pub fn sources(&self) -> Vec<Arc<dyn TensorSource>> {
        self.models
            .iter()
            .map(|model| Arc::clone(&model.checkpoint) as Arc<dyn TensorSource>)
            .collect()
    }
}
