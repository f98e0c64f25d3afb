//! From a recipe's text to a plan, with everything that is to be said about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use weightsmith::model::{LocateOptions, similar_folder};
use weightsmith::plan::{self, PlanOptions};
use weightsmith::recipe::{self, ModelReference, Parsed, Recipe};
use weightsmith::{Diagnostic, Severity, Span, Spanned};
use weightsmith_report::card::ModelCardFiles;

use crate::outcome::{Count, arrange};
use crate::remote::{Standing, remote_name};
use crate::{
    Access, MissingModel, Monitor, Outcome, RecipeText, RemoteName, Session, SessionError,
};

/// mergekit's `5B`.
const DEFAULT_SHARD_SIZE: u64 = 5_000_000_000;

/// How a recipe is planned.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, set by name"
)]
pub struct PrepareOptions {
    /// Warnings are errors.
    pub strict: bool,
    /// Largest size of a weight file in bytes; mergekit's 5 GB by default.
    pub shard_size: u64,
    /// Key of all randomness.
    pub seed: u64,
    /// Cut vocabularies of different lengths to the shortest instead of failing.
    pub truncate_embeddings: bool,
    /// Copy the donor's tokenizer and other files.
    pub copy_companions: bool,
    /// Write a model card.
    pub card: bool,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            strict: false,
            shard_size: DEFAULT_SHARD_SIZE,
            seed: 0,
            truncate_embeddings: false,
            copy_companions: true,
            card: true,
        }
    }
}

/// A recipe whose models were looked for, to be planned once or several times.
#[derive(Debug)]
pub struct Gathered {
    recipe: RecipeText,
    parsed: Parsed,
    options: PlanOptions,
    strict: bool,
    /// What takes the place of what the planner says at these places.
    instead: Vec<Diagnostic>,
    places: BTreeSet<Span>,
    missing: Vec<MissingModel>,
    unknown: Vec<RemoteName>,
}

impl Session {
    /// Reads, checks and plans a recipe; models that are not on this machine are asked for, as far as `access` says. That the recipe
    /// has mistakes is no error but part of the outcome.
    ///
    /// # Errors
    /// When a transfer fails or is cancelled.
    pub fn prepare(
        &self,
        recipe: RecipeText,
        options: &PrepareOptions,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Outcome, SessionError> {
        Ok(self
            .gather(recipe, options, access, monitor)?
            .into_outcome())
    }

    /// Looks for the models of a recipe, without planning it.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn gather(
        &self,
        recipe: RecipeText,
        options: &PrepareOptions,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Gathered, SessionError> {
        let mut locate = self.locate.clone();
        locate.recipe_dir.clone_from(&recipe.folder);
        let parsed = recipe::parse(&recipe.text, &|path| locate.exists(path));
        let mut gathered = Gathered {
            recipe,
            parsed,
            options: PlanOptions {
                shard_size: Some(options.shard_size),
                seed: options.seed,
                truncate_embeddings: options.truncate_embeddings,
                copy_companions: options.copy_companions,
                finished: options.card.then(|| Arc::new(ModelCardFiles) as _),
                ..PlanOptions::new(locate)
            },
            strict: options.strict,
            instead: Vec::new(),
            places: BTreeSet::new(),
            missing: Vec::new(),
            unknown: Vec::new(),
        };
        self.find_models(&mut gathered, access, monitor)?;
        Ok(gathered)
    }

    fn find_models(
        &self,
        gathered: &mut Gathered,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<(), SessionError> {
        let recipes = std::mem::take(&mut gathered.parsed.recipes);
        if let [only] = &recipes[..] {
            let references = only.references();
            let wanted = gathered.wanted(&references);
            let names: Vec<RemoteName> = wanted.iter().map(|one| one.name.clone()).collect();
            let locate = &mut gathered.options.locate;
            let fetched = self.fetch(&names, locate, access, monitor)?;
            gathered.missing = fetched.missing;
            for (wanted, standing) in wanted.into_iter().zip(fetched.standings) {
                gathered.take(wanted, standing);
            }
        }
        gathered.parsed.recipes = recipes;
        Ok(())
    }
}

/// A model elsewhere and where the recipe names it.
#[derive(Debug)]
struct Wanted {
    name: RemoteName,
    spans: Vec<Span>,
}

impl Gathered {
    /// The models that have to come from elsewhere; what is wrong with their addresses is noted.
    fn wanted(&mut self, references: &[&Spanned<ModelReference>]) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for reference in references {
            let model = &reference.value;
            let locate = &self.options.locate;
            match remote_name(&model.path, model.revision.as_deref(), locate) {
                Some(Ok(name)) => match wanted.iter_mut().find(|known| known.name == name) {
                    Some(known) => known.spans.push(reference.span),
                    None => wanted.push(Wanted {
                        name,
                        spans: vec![reference.span],
                    }),
                },
                // the planner says what is wrong with names; it knows no addresses
                Some(Err(error @ SessionError::Store(_))) => {
                    let mut diagnostic = Diagnostic::error(error.to_string(), reference.span);
                    diagnostic.hints = error.hints();
                    self.say_instead(diagnostic, &[reference.span]);
                }
                Some(Err(_)) | None => {}
            }
        }
        wanted
    }

    /// Notes what became of a model.
    fn take(&mut self, Wanted { name, spans }: Wanted, standing: Standing) {
        match standing {
            Standing::Ready | Standing::NoAnswer => {}
            Standing::Waiting => self.places.extend(spans),
            Standing::Refused(error) => {
                let mut diagnostic = Diagnostic::error(error.to_string(), spans[0]);
                diagnostic.hints = refused_hints(&name, &error, &self.options.locate);
                self.say_instead(diagnostic, &spans);
            }
            Standing::Unknown => {
                let asked = match &name {
                    RemoteName::Hub(_) => "the Hub",
                    RemoteName::Store(_) => "the store",
                };
                let message = format!("`{name}` is not on this machine; waiting for {asked}");
                self.say_instead(Diagnostic::note(message, spans[0]), &spans);
                self.unknown.push(name);
            }
        }
    }

    fn say_instead(&mut self, diagnostic: Diagnostic, spans: &[Span]) {
        self.instead.push(diagnostic);
        self.places.extend(spans);
    }

    /// Plans the recipe.
    pub fn into_outcome(self) -> Outcome {
        let planned = match self.parsed.recipes.first() {
            Some(first) => plan::build(first, &self.options),
            None => Err(Vec::new()),
        };
        self.outcome(planned)
    }

    /// Plans what `change` makes of the recipe.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn plan_changed<E>(
        &self,
        change: impl FnOnce(&Recipe) -> Result<Recipe, E>,
    ) -> Result<Outcome, E> {
        let planned = match self.parsed.recipes.first() {
            Some(first) => plan::build(&change(first)?, &self.options),
            None => Err(Vec::new()),
        };
        Ok(self.outcome(planned))
    }

    fn outcome(&self, planned: Result<plan::Planned, Vec<Diagnostic>>) -> Outcome {
        let mut diagnostics = self.parsed.diagnostics.clone();
        diagnostics.extend(refuse_several(&self.parsed.recipes));
        let planned = match planned {
            Ok(mut planned) => {
                diagnostics.append(&mut planned.diagnostics);
                Some(planned)
            }
            Err(found) => {
                diagnostics.extend(found);
                None
            }
        };
        let is_replaced = |one: &Diagnostic| {
            one.severity == Severity::Error
                && one.span.is_some_and(|span| self.places.contains(&span))
        };
        diagnostics.retain(|one| !is_replaced(one));
        diagnostics.extend(self.instead.iter().cloned());
        let (diagnostics, omitted) = arrange(diagnostics, self.parsed.omitted, self.strict);
        let wrong = Count::of(&diagnostics, omitted).errors > 0;
        Outcome {
            recipe: self.recipe.clone(),
            planned: planned.filter(|_| !wrong && self.unknown.is_empty()),
            diagnostics,
            omitted,
            missing: self.missing.clone(),
            unknown: self.unknown.clone(),
        }
    }
}

/// What to do about a model that cannot be had.
fn refused_hints(name: &RemoteName, error: &SessionError, locate: &LocateOptions) -> Vec<String> {
    let RemoteName::Hub(name) = name else {
        return error.hints();
    };
    let meant = similar_folder(&name.repository, locate);
    let meant = meant.map(|meant| format!("did you mean `{meant}`?"));
    let mut hints: Vec<String> = meant.into_iter().chain(error.hints()).collect();
    hints.push(format!(
        "if `{}` is a folder, write its full path",
        name.repository
    ));
    hints
}

/// Several documents are one recipe after the other, which later ones may use; running a part of them would be wrong.
fn refuse_several(recipes: &[Recipe]) -> Option<Diagnostic> {
    let second = recipes.get(1)?;
    let message = format!("a file with {} recipes cannot be merged yet", recipes.len());
    Some(
        Diagnostic::error(message, second.merge_method.span)
            .hint("put each recipe in its own file and merge them in order"),
    )
}
