//! The models of a recipe, found and opened: headers only.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use weightsmith_tensors::{ModelSource, TensorSource};

use super::labels::{self, Named};
use super::{InputFile, PlannedInput};
use crate::architecture::Architecture;
use crate::model::{LocateOptions, LocatedKind, Opened, open};
use crate::output::ConfigFile;
use crate::recipe::ModelReference;
use crate::{Diagnostic, Spanned};

/// A model whose headers were read.
#[derive(Debug)]
pub struct Model {
    /// What to call it where paths must not appear.
    pub label: String,
    /// Where it was found.
    pub kind: LocatedKind,
    /// Its tensors and other files.
    pub source: Arc<dyn ModelSource>,
    /// Its `config.json`, where it has one.
    pub config: Option<ConfigFile>,
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
            label,
            kind,
            source,
        } = opened.map_err(|error| {
            let mut diagnostic = Diagnostic::error(error.to_string(), reference.span);
            diagnostic.hints = error.hints();
            diagnostic
        })?;
        let config = ConfigFile::of(source.as_ref())
            .map_err(|error| Box::new(Diagnostic::error(error.to_string(), reference.span)))?;
        let architecture =
            Architecture::infer(config.as_ref().map(ConfigFile::value), source.tensors());
        Ok(Self {
            label,
            kind,
            source,
            config,
            architecture,
            reference: wanted.raw.clone(),
        })
    }

    /// What to call it where paths must not appear.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What a plan says of it.
    pub(super) fn planned(&self) -> PlannedInput {
        PlannedInput {
            reference: self.reference.clone(),
            label: self.label.clone(),
            revision: self.kind.revision().map(str::to_owned),
            identity: self.source.identity(),
            path: self.source.origin().to_owned(),
            files: self.files(),
            tensors: self.source.tensors().len(),
            parameters: self
                .source
                .tensors()
                .iter()
                .map(|tensor| tensor.info.elements())
                .sum(),
            layers: self.architecture.layers(),
        }
    }

    fn files(&self) -> Vec<InputFile> {
        self.source
            .weight_files()
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
    let wrappers = model.source.wrappers();
    if wrappers.is_empty() {
        return None;
    }
    let label = &model.label;
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
        let same = |other: &Model| match (&other.kind, &model.kind) {
            (LocatedKind::Given, _) | (_, LocatedKind::Given) => {
                Arc::ptr_eq(&other.source, &model.source)
            }
            _ => other.source.origin() == model.source.origin(),
        };
        self.models.iter().position(same).unwrap_or_else(|| {
            self.models.push(model);
            self.models.len() - 1
        })
    }

    /// Gives models that are called the same different labels.
    pub(super) fn tell_apart(&mut self) {
        let named: Vec<Named<'_>> = self.models.iter().map(Named::of).collect();
        let labels = labels::distinct(&named);
        for (model, label) in self.models.iter_mut().zip(labels) {
            model.label = label;
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
            .map(|model| Arc::clone(&model.source) as Arc<dyn TensorSource>)
            .collect()
    }
}
