//! From a recipe's text to a plan, with everything that is to be said about it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use weightsmith::model::{LocateOptions, missing_model};
use weightsmith::plan::{PlanOptions, Planned, build};
use weightsmith::recipe::{self, ModelReference, Recipe};
use weightsmith::{Diagnostic, Omitted, Problems, Severity, Span, Spanned};
use weightsmith_hub::ModelName;
use weightsmith_report::card::ModelCardFiles;

use super::confined::outside;
use super::remote::{Known, Ready, Remotes};
use crate::error::Refusal;
use crate::models::Catalogue;
use crate::progress::RunProgress;
use crate::settings::StudioSettings;

/// mergekit's `5B`.
const SHARD: u64 = 5_000_000_000;

/// What is done about models that are not here.
#[derive(Debug)]
pub(crate) enum Access<'a> {
    /// Nothing: only what was asked for lately is known.
    Remembered,
    /// Their headers are asked for.
    Headers,
    /// They are downloaded.
    Download(&'a dyn RunProgress),
}

/// A recipe that was read and, where nothing is wrong with it, planned.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The plan; none when there is an error among the diagnostics or a model is not known yet.
    pub(crate) planned: Option<Planned>,
    /// What is to be said, in the order of the text; the last says how much more there is than anybody reads.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Models that are not here, with the bytes of their weights.
    pub(crate) missing: Vec<(String, u64)>,
    /// Models of which nobody knows yet whether the hub has them.
    pub(crate) unknown: Vec<ModelName>,
}

/// What is known of a recipe's models before it is planned.
#[derive(Debug, Default)]
struct Found {
    /// What takes the place of what the planner says of a model.
    instead: Vec<Diagnostic>,
    ready: Ready,
    missing: Vec<(String, u64)>,
    unknown: Vec<ModelName>,
}

/// Plans the recipes of the studio.
#[derive(Debug)]
pub(crate) struct Planner {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) remotes: Arc<Remotes>,
    pub(super) settings: Arc<StudioSettings>,
}

impl Planner {
    /// A planner of recipes that name models of the table and of the hub.
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        remotes: Arc<Remotes>,
        settings: Arc<StudioSettings>,
    ) -> Self {
        Self {
            catalogue,
            remotes,
            settings,
        }
    }

    /// Plans a recipe. That it has mistakes is no failure but part of the outcome.
    ///
    /// # Errors
    /// When a download was stopped or failed.
    pub(crate) fn plan(&self, text: &str, access: &Access<'_>) -> Result<Outcome, Refusal> {
        plan(self, text, access)
    }
}

fn plan(planner: &Planner, text: &str, access: &Access<'_>) -> Result<Outcome, Refusal> {
    let mut locate = planner.catalogue.locate();
    let inside = {
        let locate = locate.clone();
        move |path: &str| locate.exists(path)
    };
    let parsed = recipe::parse(text, &inside);
    let (mut diagnostics, omitted) = (parsed.diagnostics, parsed.omitted);
    diagnostics.extend(refuse_several(&parsed.recipes));
    let Some(first) = parsed.recipes.first() else {
        return Ok(outcome(None, diagnostics, omitted, Found::default()));
    };
    let mut found = Found::default();
    confine(&planner.catalogue, first, &mut locate, &mut found);
    if found.instead.is_empty() && parsed.recipes.len() == 1 {
        find(planner, first, &locate, access, &mut found)?;
    }
    if !found.ready.is_empty() {
        locate.remote = Some(Arc::new(found.ready.clone()));
    }
    let options = PlanOptions {
        shard_size: Some(SHARD),
        finished: Some(Arc::new(ModelCardFiles)),
        ..PlanOptions::new(locate)
    };
    let planned = match build(first, &options) {
        Ok(mut planned) => {
            diagnostics.append(&mut planned.diagnostics);
            Some(planned)
        }
        Err(problems) => {
            diagnostics.extend(problems);
            None
        }
    };
    Ok(outcome(planned, diagnostics, omitted, found))
}

fn outcome(
    planned: Option<Planned>,
    diagnostics: Vec<Diagnostic>,
    omitted: Omitted,
    found: Found,
) -> Outcome {
    let Found {
        instead,
        missing,
        unknown,
        ..
    } = found;
    let replaced: BTreeSet<Option<Span>> = instead.iter().map(|one| one.span).collect();
    let is_replaced =
        |one: &Diagnostic| one.severity == Severity::Error && replaced.contains(&one.span);
    let mut problems = Problems::default();
    problems.omit(omitted);
    problems.extend(diagnostics.into_iter().filter(|one| !is_replaced(one)));
    problems.extend(instead);
    let is_wrong = problems.has_error();
    let (mut diagnostics, omitted) = problems.into_parts();
    diagnostics.extend(omitted.closing());
    Outcome {
        planned: planned.filter(|_| !is_wrong && unknown.is_empty()),
        diagnostics,
        missing,
        unknown,
    }
}

/// Several documents are one recipe after the other, which later ones may use; running a part of them would be wrong.
fn refuse_several(recipes: &[Recipe]) -> Option<Diagnostic> {
    let second = recipes.get(1)?;
    let message = format!(
        "several recipes in one file are not supported yet, found {}",
        recipes.len()
    );
    Some(
        Diagnostic::error(message, second.merge_method.span)
            .hint("merge them one after the other; each can use the result of the previous one"),
    )
}

/// Refuses paths that lead out of the studio's folders; the planner does not get to see what is there.
fn confine(catalogue: &Catalogue, recipe: &Recipe, locate: &mut LocateOptions, found: &mut Found) {
    for reference in recipe.references() {
        if let Some(diagnostic) = outside(catalogue, locate, reference) {
            found.instead.push(diagnostic);
        }
    }
    for reference in recipe.references() {
        if found
            .instead
            .iter()
            .any(|one| one.span == Some(reference.span))
        {
            let nowhere = PathBuf::from("/nonexistent/weightsmith");
            locate.named.insert(reference.value.path.clone(), nowhere);
        }
    }
}

/// Makes models that are not here known, as far as `access` goes.
fn find(
    planner: &Planner,
    recipe: &Recipe,
    locate: &LocateOptions,
    access: &Access<'_>,
    found: &mut Found,
) -> Result<(), Refusal> {
    let mut wanted: Vec<(ModelName, &Spanned<ModelReference>)> = Vec::new();
    for reference in recipe.references() {
        let model = &reference.value;
        let missing = missing_model(&model.path, model.revision.as_deref(), locate);
        if let Some((repo, revision)) = missing
            && let Ok(name) = ModelName::new(&repo, Some(&revision))
        {
            wanted.push((name, reference));
        }
    }
    if locate.offline || planner.settings.hub.offline {
        return Ok(());
    }
    for (name, reference) in wanted {
        let known = match access {
            Access::Remembered => planner.remotes.remembered(&name),
            Access::Headers | Access::Download(_) => Some(planner.remotes.ask(&name)),
        };
        match known {
            Some(Known::Found { model, bytes }) => {
                let label = name.to_string();
                if !found.missing.iter().any(|(known, _)| *known == label) {
                    found.missing.push((label, bytes));
                }
                found.ready.add(name, model);
            }
            Some(Known::Refused { message, hints }) => {
                let mut diagnostic = Diagnostic::error(message, reference.span);
                diagnostic.hints = hints;
                found.instead.push(diagnostic);
            }
            None => {
                let message = format!("`{name}` is not on this machine; looking it up on the Hub");
                found
                    .instead
                    .push(Diagnostic::note(message, reference.span));
                if !found.unknown.contains(&name) {
                    found.unknown.push(name);
                }
            }
        }
    }
    if let Access::Download(progress) = access
        && found.instead.is_empty()
        && !found.ready.is_empty()
    {
        let downloaded = super::transfer::download(planner.remotes.hub(), &found.ready, *progress)?;
        found.ready = downloaded;
    }
    Ok(())
}
