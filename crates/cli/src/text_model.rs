//! Models that speak: from a folder, from the cache, or from a recipe that was never written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith::plan::Planned;
use weightsmith::run::MergedSource;
use weightsmith_infer::{DecoderOptions, Model, Overrides, Pool};
use weightsmith_tensors::{Checkpoint, TensorSource};

use crate::args::{ModelArgs, PlanArgs, Quantization};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::remote::Access;
use crate::settings::{PlanSettings, locate_options, threads};
use crate::{models, planning, remote};

/// Where models are found and how they compute, shared by all that a command opens.
#[derive(Debug, Clone)]
pub(crate) struct TextModels {
    args: ModelArgs,
    pool: Arc<Pool>,
    options: DecoderOptions,
}

/// A model that was found, or a recipe that was planned; its tensors have not been looked at.
#[derive(Debug)]
pub(crate) struct Found {
    /// What to call it.
    pub(crate) label: String,
    /// The folder of its `config.json` and tokenizer.
    pub(crate) folder: PathBuf,
    weights: Weights,
}

/// Where a model's tensors come from.
#[derive(Debug)]
enum Weights {
    Checkpoint(Arc<Checkpoint>),
    Merge(Box<Planned>),
}

/// A model that can speak, and where it comes from.
#[derive(Debug)]
pub(crate) struct TextModel {
    /// What to call it.
    pub(crate) label: String,
    pub(crate) model: Model,
    /// The models that it is merged from; none, if it is no recipe.
    pub(crate) parents: Vec<Parent>,
    /// The merge's method, if it is one.
    pub(crate) method: Option<String>,
}

/// A model that a merge reads.
#[derive(Debug)]
pub(crate) struct Parent {
    /// What to call it.
    pub(crate) label: String,
    source: Arc<dyn TensorSource>,
    folder: PathBuf,
}

impl TextModels {
    /// Starts the threads.
    pub(crate) fn new(args: &ModelArgs) -> Self {
        Self {
            pool: Arc::new(Pool::new(threads(args.threads))),
            options: DecoderOptions {
                exact: args.exact,
                quantize_q8_0: args.quantize == Some(Quantization::Q8_0),
            },
            args: args.clone(),
        }
    }

    /// Opens a model or plans a recipe. A recipe that is wrong is an exit code: its problems have been shown.
    pub(crate) fn open(
        &self,
        name: &str,
        printer: &Printer,
    ) -> Result<Result<TextModel, ExitCode>, Failure> {
        match self.find(name, printer)? {
            Ok(found) => self.speaking(found).map(Ok),
            Err(code) => Ok(Err(code)),
        }
    }

    /// Downloads what is not here of models that will be opened, after all of them have been looked at. Recipes are left to [`Self::find`].
    pub(crate) fn download<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let names: Vec<&str> = names.into_iter().filter(|name| !is_recipe(name)).collect();
        let mut options = locate_options(self.args.transformers_cache.clone());
        remote::prepare_models(&names, &mut options, Access::Download, printer)
    }

    /// Finds a model or plans a recipe, from headers alone; what is not on this machine is downloaded.
    pub(crate) fn find(
        &self,
        name: &str,
        printer: &Printer,
    ) -> Result<Result<Found, ExitCode>, Failure> {
        if is_recipe(name) {
            return self.recipe(name, printer);
        }
        let cache = self.args.transformers_cache.clone();
        let opened = models::open(name, cache, Access::Download, printer)?;
        Ok(Ok(Found {
            label: opened.located.label,
            folder: opened.located.folder,
            weights: Weights::Checkpoint(opened.checkpoint),
        }))
    }

    /// Opens what was found; of a recipe, the merge is computed. `watch` may put a source before the tensors.
    pub(crate) fn load(
        &self,
        found: &Found,
        watch: impl FnOnce(Arc<dyn TensorSource>) -> Arc<dyn TensorSource>,
    ) -> Result<Model, Failure> {
        let source = watch(found.source()?);
        self.model(source, &found.folder, found.config())
    }

    /// Opens a parent of a merge.
    pub(crate) fn parent(&self, parent: &Parent) -> Result<Model, Failure> {
        self.model(Arc::clone(&parent.source), &parent.folder, None)
    }

    fn recipe(&self, name: &str, printer: &Printer) -> Result<Result<Found, ExitCode>, Failure> {
        let settings = self.plan_settings(name);
        let outcome = planning::plan_with_hub(settings, Access::Download, printer)?;
        Ok(outcome
            .into_plan(printer)
            .map(|(_, planned)| Found::merge(name, planned)))
    }

    /// How a recipe is planned.
    pub(crate) fn plan_settings(&self, name: &str) -> PlanSettings {
        let plan = PlanArgs {
            strict: false,
            transformers_cache: self.args.transformers_cache.clone(),
            random_seed: self.args.random_seed,
            unsafe_truncate_embeddings: self.args.unsafe_truncate_embeddings,
            no_unsafe_truncate_embeddings: false,
        };
        PlanSettings::resolve(name.into(), plan)
    }

    /// Computes a planned merge.
    pub(crate) fn planned(&self, name: &str, planned: Planned) -> Result<TextModel, Failure> {
        self.speaking(Found::merge(name, planned))
    }

    fn speaking(&self, found: Found) -> Result<TextModel, Failure> {
        let planned = found.planned();
        Ok(TextModel {
            model: self.load(&found, |source| source)?,
            parents: planned.map_or_else(Vec::new, parents),
            method: planned.map(|planned| planned.plan.method.clone()),
            label: found.label,
        })
    }

    /// A model from its tensors and its folder; `config` goes before the folder's `config.json`.
    fn model(
        &self,
        source: Arc<dyn TensorSource>,
        folder: &Path,
        config: Option<&str>,
    ) -> Result<Model, Failure> {
        let overrides = Overrides {
            config,
            template: self.args.template.as_deref(),
        };
        let pool = Arc::clone(&self.pool);
        let model = Model::assemble(source, folder, overrides, pool, self.options);
        Ok(model?)
    }
}

impl Found {
    /// A planned recipe, with the files of its donor.
    fn merge(name: &str, planned: Planned) -> Self {
        let donor = &planned.models.as_slice()[planned.plan.donor];
        Self {
            label: name.to_owned(),
            folder: donor.located.folder.clone(),
            weights: Weights::Merge(Box::new(planned)),
        }
    }

    /// The plan, if it is a recipe.
    pub(crate) fn planned(&self) -> Option<&Planned> {
        match &self.weights {
            Weights::Merge(planned) => Some(planned),
            Weights::Checkpoint(_) => None,
        }
    }

    /// The tensors, none of them read. Files that are not those any more that were found are opened again.
    pub(crate) fn source(&self) -> Result<Arc<dyn TensorSource>, Failure> {
        Ok(match &self.weights {
            Weights::Checkpoint(found) => match found
                .ensure_unchanged()
                .and_then(|()| found.ensure_intact())
            {
                Ok(()) => Arc::clone(found) as Arc<dyn TensorSource>,
                Err(_) => Arc::new(Checkpoint::open(found.path())?),
            },
            Weights::Merge(planned) => {
                let inputs = planned.models.sources();
                Arc::new(MergedSource::new(&planned.plan, &inputs)?)
            }
        })
    }

    /// The `config.json` that goes before the folder's.
    pub(crate) fn config(&self) -> Option<&str> {
        self.planned()?.plan.config.as_deref()
    }
}

fn parents(planned: &Planned) -> Vec<Parent> {
    planned
        .models
        .as_slice()
        .iter()
        .map(|model| {
            let source: Arc<Checkpoint> = Arc::clone(&model.checkpoint);
            Parent {
                label: model.label().to_owned(),
                source,
                folder: model.located.folder.clone(),
            }
        })
        .collect()
}

/// Whether a name on the command line is that of a recipe: a YAML file, or any file that holds no weights.
pub(crate) fn is_recipe(name: &str) -> bool {
    let path = Path::new(name);
    let has = |wanted: &str| {
        path.extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
    };
    name == "-"
        || ((has("yml") || has("yaml")) && !path.is_dir())
        || (path.is_file() && !has("safetensors"))
}

impl TextModel {
    /// What it is, in a few words.
    pub(crate) fn introduction(&self) -> String {
        let Some(method) = &self.method else {
            return self.label.clone();
        };
        let parents: Vec<&str> = self
            .parents
            .iter()
            .map(|parent| parent.label.as_str())
            .collect();
        format!(
            "{}: {method} of {}, merged in memory",
            self.label,
            parents.join(" and ")
        )
    }
}
