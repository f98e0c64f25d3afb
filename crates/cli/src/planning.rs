//! From a recipe's path to a plan, with everything that is to be said about it.

use std::io::{self, Read as _};
use std::path::Path;

use anyhow::Context as _;
use weightsmith::plan::{self, Planned};
use weightsmith::recipe::{self, Recipe};
use weightsmith::{Diagnostic, Severity};
use weightsmith_tensors::{MAX_SMALL_FILE_BYTES, read_given_text};

use crate::diagnostics::{Count, RecipeText, arrange, render};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Loudness, Printer};
use crate::remote::{Access, prepare_recipe};
use crate::settings::PlanSettings;
use crate::stores::Found;

/// A recipe that was read and, where nothing is wrong with it, planned.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) recipe: RecipeText,
    /// The plan; `None` when there is an error among the diagnostics.
    pub(crate) planned: Option<Planned>,
    /// All problems, in the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads and plans, with models that are not on this machine fetched from the hub, as far as `access` says, and those in stores opened
/// there. That the recipe has mistakes is no failure but part of the outcome.
pub(crate) fn plan_with_hub(
    mut settings: PlanSettings,
    access: Access,
    printer: &Printer,
) -> Result<Outcome, Failure> {
    let recipe = read(&settings.recipe)?;
    match fetch(&recipe, &mut settings, access, printer)? {
        Some(refused) => Ok(refused),
        None => plan_changed(recipe, &settings, &|recipe| Ok(recipe.clone())),
    }
}

/// Makes the models of a recipe that are not here ready; gives the outcome where the hub refuses some.
pub(crate) fn fetch(
    recipe: &RecipeText,
    settings: &mut PlanSettings,
    access: Access,
    printer: &Printer,
) -> Result<Option<Outcome>, Failure> {
    let locate = &mut settings.options.locate;
    let parsed = recipe::parse(&recipe.text, &|path| locate.exists(path));
    let [only] = &parsed.recipes[..] else {
        return Ok(None);
    };
    let references = only.references();
    let (stored, mut refused) = Found::in_recipe(&references, printer)?;
    if refused.is_empty() {
        refused = prepare_recipe(&references, locate, access, printer)?;
    }
    if refused.is_empty() {
        stored.give_to(locate);
        return Ok(None);
    }
    let mut diagnostics = parsed.diagnostics;
    diagnostics.append(&mut refused);
    arrange(&mut diagnostics, settings.strict);
    Ok(Some(Outcome {
        recipe: recipe.clone(),
        planned: None,
        diagnostics,
    }))
}

/// Plans what `change` makes of a recipe whose text has been read.
pub(crate) fn plan_changed(
    recipe: RecipeText,
    settings: &PlanSettings,
    change: &dyn Fn(&Recipe) -> Result<Recipe, Failure>,
) -> Result<Outcome, Failure> {
    let locate = &settings.options.locate;
    let parsed = recipe::parse(&recipe.text, &|path| locate.exists(path));
    let mut diagnostics = parsed.diagnostics;
    diagnostics.extend(refuse_several(&parsed.recipes));
    let planned = match parsed.recipes.first() {
        Some(first) => match plan::build(&change(first)?, &settings.options) {
            Ok(mut planned) => {
                diagnostics.append(&mut planned.diagnostics);
                Some(planned)
            }
            Err(found) => {
                diagnostics.extend(found);
                None
            }
        },
        None => None,
    };
    arrange(&mut diagnostics, settings.strict);
    let wrong = diagnostics
        .iter()
        .any(|one| one.severity == Severity::Error);
    Ok(Outcome {
        recipe,
        planned: planned.filter(|_| !wrong),
        diagnostics,
    })
}

impl Outcome {
    /// Shows the problems on stderr; gives the plan, or the exit code where there is none.
    pub(crate) fn into_plan(self, printer: &Printer) -> Result<(RecipeText, Planned), ExitCode> {
        self.show(printer);
        match self.planned {
            Some(planned) => Ok((self.recipe, planned)),
            None => Err(ExitCode::Usage),
        }
    }

    /// Shows the problems on stderr, with their number at the end; notes unless quiet.
    pub(crate) fn show(&self, printer: &Printer) {
        let is_shown = |one: &&Diagnostic| {
            one.severity != Severity::Note || printer.loudness() >= Loudness::Normal
        };
        let shown: Vec<Diagnostic> = self.diagnostics.iter().filter(is_shown).cloned().collect();
        if shown.is_empty() {
            return;
        }
        printer.stderr(&render(&self.recipe, &shown, printer.colored_stderr()));
        let count = Count::of(&shown);
        if count.errors + count.warnings > 0 {
            printer.stderr(&format!("\n{}", count.sentence(&self.recipe.name)));
        }
    }
}

/// Reads a recipe's text.
pub(crate) fn read(path: &Path) -> Result<RecipeText, Failure> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("cannot read the recipe from standard input")?;
        return Ok(RecipeText {
            name: "<stdin>".to_owned(),
            text,
        });
    }
    let name = path.display().to_string();
    match read_given_text(path, MAX_SMALL_FILE_BYTES) {
        Ok(text) => Ok(RecipeText { name, text }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::usage(format!("there is no recipe at `{name}`"))
                .hint("RECIPE is the path of a YAML file, or `-` for standard input"))
        }
        Err(error) => Err(Failure::new(
            anyhow::Error::new(error).context(format!("cannot read the recipe `{name}`")),
        )),
    }
}

/// Several documents are one recipe after the other, which later ones may use; running a part of them would be wrong.
fn refuse_several(recipes: &[Recipe]) -> Option<Diagnostic> {
    let second = recipes.get(1)?;
    let message = format!("a file with {} recipes cannot be merged yet", recipes.len());
    Some(
        Diagnostic::error(message, second.merge_method.span)
            .hint("write each recipe into a file of its own and merge them in order"),
    )
}
