//! Models that speak: from a folder, from the cache, or from a recipe that was never written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith::plan::Planned;
use weightsmith::run::MergedModel;
use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_tensors::{Checkpoint, ModelSource};

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
    content: Content,
}

/// What was found.
#[derive(Debug)]
enum Content {
    Model(Arc<dyn ModelSource>),
    Recipe(Box<Planned>),
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
    source: Arc<dyn ModelSource>,
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
            label: opened.label,
            content: Content::Model(opened.source),
        }))
    }

    /// Opens what was found; of a recipe, the merge is computed. `watch` may put another model before it.
    pub(crate) fn load(
        &self,
        found: &Found,
        watch: impl FnOnce(Arc<dyn ModelSource>) -> Arc<dyn ModelSource>,
    ) -> Result<Model, Failure> {
        self.model(watch(found.source()?))
    }

    /// Opens a parent of a merge.
    pub(crate) fn parent(&self, parent: &Parent) -> Result<Model, Failure> {
        self.model(Arc::clone(&parent.source))
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

    fn model(&self, source: Arc<dyn ModelSource>) -> Result<Model, Failure> {
        let pool = Arc::clone(&self.pool);
        Ok(match &self.args.template {
            Some(template) => Model::open_with_template(source, template, pool, self.options)?,
            None => Model::open_source(source, pool, self.options)?,
        })
    }
}

impl Found {
    /// A planned recipe.
    fn merge(name: &str, planned: Planned) -> Self {
        Self {
            label: name.to_owned(),
            content: Content::Recipe(Box::new(planned)),
        }
    }

    /// The plan, if it is a recipe.
    pub(crate) fn planned(&self) -> Option<&Planned> {
        match &self.content {
            Content::Recipe(planned) => Some(planned),
            Content::Model(_) => None,
        }
    }

    /// The folder of its files, if it is no recipe.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match &self.content {
            Content::Model(found) => found.path_of("config.json").parent().map(Path::to_owned),
            Content::Recipe(_) => None,
        }
    }

    /// The model, no tensor of it read. Files that are not those any more that were found are opened again.
    pub(crate) fn source(&self) -> Result<Arc<dyn ModelSource>, Failure> {
        Ok(match &self.content {
            Content::Model(found) => match found
                .ensure_unchanged()
                .and_then(|()| found.ensure_intact())
            {
                Ok(()) => Arc::clone(found),
                Err(_) => Arc::new(Checkpoint::open(found.origin())?),
            },
            Content::Recipe(planned) => Arc::new(MergedModel::new(planned, &self.label)?),
        })
    }
}

fn parents(planned: &Planned) -> Vec<Parent> {
    planned
        .models
        .as_slice()
        .iter()
        .map(|model| Parent {
            label: model.label().to_owned(),
            source: Arc::clone(&model.source),
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
