//! Models that generate text: from a folder, from the cache, or from a recipe that was never written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith::model::is_in_store;
use weightsmith::plan::Planned;
use weightsmith::run::MergedModel;
use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_tensors::{Checkpoint, ModelSource};

use crate::{
    Access, Gathered, Monitor, Note, Outcome, PrepareOptions, RecipeText, Session, SessionError,
};

/// How models compute, and recipes are planned.
#[derive(Debug, Clone, Default)]
pub struct TextOptions {
    /// How models compute.
    pub decoder: DecoderOptions,
    /// A file with a chat template, in the place of the models' own.
    pub template: Option<PathBuf>,
    /// How recipes are planned.
    pub prepare: PrepareOptions,
}

/// Where models are found and how they compute, shared by all that are opened.
#[derive(Debug, Clone)]
pub struct TextModels {
    session: Session,
    options: TextOptions,
    pool: Arc<Pool>,
}

/// A model that was found, or a recipe that was planned; its tensors have not been looked at.
#[derive(Debug)]
pub struct UnloadedModel {
    /// What to call it.
    pub label: String,
    content: Content,
}

/// What was found.
#[derive(Debug)]
enum Content {
    Model(Arc<dyn ModelSource>),
    Recipe(Box<Planned>),
}

/// A model that generates text, and where it comes from.
#[derive(Debug)]
pub struct TextModel {
    /// What to call it.
    pub label: String,
    /// The model.
    pub model: Model,
    /// The models that it is merged from; none, if it is no recipe.
    pub parents: Vec<Parent>,
    /// The merge's method, if it is one.
    pub method: Option<String>,
}

/// A model that a merge reads.
#[derive(Debug)]
pub struct Parent {
    /// What to call it.
    pub label: String,
    source: Arc<dyn ModelSource>,
}

impl TextModels {
    /// Models of a session, which share these threads.
    pub fn new(session: Session, options: TextOptions, pool: Arc<Pool>) -> Self {
        Self {
            session,
            options,
            pool,
        }
    }

    /// Opens a model, or computes the merge of a recipe.
    ///
    /// # Errors
    /// When it cannot be had, or a recipe has mistakes.
    pub fn open(&self, name: &str, monitor: Monitor<'_>) -> Result<TextModel, SessionError> {
        self.loaded(self.find(name, monitor)?)
    }

    /// Downloads what is not here of models that will be opened, after all of them have been looked at. Recipes are left to [`Self::find`].
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub fn download<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        monitor: Monitor<'_>,
    ) -> Result<(), SessionError> {
        let names = names.into_iter();
        let names: Vec<&str> = names
            .filter(|name| !is_recipe(name) && !is_in_store(name))
            .collect();
        self.session
            .with_models(&names, Access::Download, monitor)
            .map(drop)
    }

    /// Finds a model or plans a recipe, from headers alone; what is not on this machine is downloaded.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn find(&self, name: &str, monitor: Monitor<'_>) -> Result<UnloadedModel, SessionError> {
        if is_recipe(name) {
            return self.recipe(name, monitor);
        }
        let opened = self.session.open(name, Access::Download, monitor)?;
        Ok(UnloadedModel {
            label: opened.label,
            content: Content::Model(opened.source),
        })
    }

    /// Opens what was found; of a recipe, the merge is computed. `watch` may put another model before it.
    ///
    /// # Errors
    /// When the model cannot run.
    pub fn load(
        &self,
        found: &UnloadedModel,
        watch: impl FnOnce(Arc<dyn ModelSource>) -> Arc<dyn ModelSource>,
    ) -> Result<Model, SessionError> {
        self.model(watch(found.source()?))
    }

    /// Opens a parent of a merge.
    ///
    /// # Errors
    /// When it cannot run.
    pub fn parent(&self, parent: &Parent) -> Result<Model, SessionError> {
        self.model(Arc::clone(&parent.source))
    }

    /// Reads a recipe and looks for its models, to plan it several times; what is not on this machine is downloaded.
    ///
    /// # Errors
    /// When it cannot be read, or a transfer fails.
    pub fn gather(&self, name: &str, monitor: Monitor<'_>) -> Result<Gathered, SessionError> {
        let recipe = RecipeText::read(Path::new(name))?;
        let prepare = &self.options.prepare;
        self.session
            .gather(recipe, prepare, Access::Download, monitor)
    }

    fn recipe(&self, name: &str, monitor: Monitor<'_>) -> Result<UnloadedModel, SessionError> {
        let outcome = self.gather(name, monitor)?.into_outcome();
        let planned = outcome.into_plan(monitor)?;
        Ok(UnloadedModel::merge(name, planned))
    }

    /// Computes a planned merge.
    ///
    /// # Errors
    /// When the model cannot run.
    pub fn planned(&self, name: &str, planned: Planned) -> Result<TextModel, SessionError> {
        self.loaded(UnloadedModel::merge(name, planned))
    }

    fn loaded(&self, found: UnloadedModel) -> Result<TextModel, SessionError> {
        let planned = found.planned();
        Ok(TextModel {
            model: self.load(&found, |source| source)?,
            parents: planned.map_or_else(Vec::new, parents),
            method: planned.map(|planned| planned.plan.method.clone()),
            label: found.label,
        })
    }

    fn model(&self, source: Arc<dyn ModelSource>) -> Result<Model, SessionError> {
        let (pool, decoder) = (Arc::clone(&self.pool), self.options.decoder);
        Ok(match &self.options.template {
            Some(template) => Model::open_with_template(source, template, pool, decoder)?,
            None => Model::open_source(source, pool, decoder)?,
        })
    }
}

impl Outcome {
    /// The plan, after telling what else is to be said.
    ///
    /// # Errors
    /// [`SessionError::Recipe`] where there is none.
    pub fn into_plan(mut self, monitor: Monitor<'_>) -> Result<Planned, SessionError> {
        match self.planned.take() {
            Some(planned) => {
                monitor.note(&Note::Checked(&self));
                Ok(planned)
            }
            None => Err(SessionError::Recipe(Box::new(self))),
        }
    }
}

impl UnloadedModel {
    /// A planned recipe.
    pub fn merge(name: &str, planned: Planned) -> Self {
        Self {
            label: name.to_owned(),
            content: Content::Recipe(Box::new(planned)),
        }
    }

    /// The plan, if it is a recipe.
    pub fn planned(&self) -> Option<&Planned> {
        match &self.content {
            Content::Recipe(planned) => Some(planned),
            Content::Model(_) => None,
        }
    }

    /// The folder of its files, if it is no recipe.
    pub fn folder(&self) -> Option<PathBuf> {
        match &self.content {
            Content::Model(found) => found.path_of("config.json").parent().map(Path::to_owned),
            Content::Recipe(_) => None,
        }
    }

    /// The model, no tensor of it read. Files that are not those any more that were found are opened again.
    ///
    /// # Errors
    /// When they are gone.
    pub fn source(&self) -> Result<Arc<dyn ModelSource>, SessionError> {
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
pub fn is_recipe(name: &str) -> bool {
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
    pub fn introduction(&self) -> String {
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
