//! From a recipe's path to a plan, with everything that is to be said about it.

use std::io::{self, Read as _};
use std::path::Path;

use weightsmith::plan::{self, Planned};
use weightsmith::recipe::{self, MAX_RECIPE_BYTES, Recipe};
use weightsmith::{Diagnostic, Omitted, Severity};

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
    /// The problems, in the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// How many more there are than are told.
    pub(crate) omitted: Omitted,
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
    let (diagnostics, omitted) = arrange(diagnostics, parsed.omitted, settings.strict);
    Ok(Some(Outcome {
        recipe: recipe.clone(),
        planned: None,
        diagnostics,
        omitted,
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
    let (diagnostics, omitted) = arrange(diagnostics, parsed.omitted, settings.strict);
    let wrong = Count::of(&diagnostics, omitted).errors > 0;
    Ok(Outcome {
        recipe,
        planned: planned.filter(|_| !wrong),
        diagnostics,
        omitted,
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

    /// How many problems there are.
    pub(crate) fn count(&self) -> Count {
        Count::of(&self.diagnostics, self.omitted)
    }

    /// The problems for programs, in a list that says at its end how many are not in it.
    pub(crate) fn told(&self) -> Vec<Diagnostic> {
        let closing = self.omitted.closing();
        self.diagnostics.iter().cloned().chain(closing).collect()
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
        if let Some(more) = self.omitted.sentence() {
            printer.stderr(&format!("\n… and {more}"));
        }
        let count = self.count();
        if count.errors + count.warnings > 0 {
            printer.stderr(&format!("\n{}", count.sentence(&self.recipe.name)));
        }
    }
}

/// Reads a recipe's text, and no more of what is too long to be one.
pub(crate) fn read(path: &Path) -> Result<RecipeText, Failure> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    };
    let bytes = if is_stdin {
        start(io::stdin().lock())
    } else {
        fs_err::File::open(path).and_then(start)
    };
    let bytes = bytes.map_err(|error| unreadable(&name, error))?;
    if bytes.len() > MAX_RECIPE_BYTES {
        let message = format!("the recipe `{name}` is larger than {MAX_RECIPE_BYTES} bytes");
        return Err(
            Failure::usage(message).hint("RECIPE is a small YAML file that names the models")
        );
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let message = format!("the recipe `{name}` is encoded in UTF-16, expected UTF-8");
        return Err(Failure::usage(message).hint("save it as UTF-8"));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(RecipeText { name, text }),
        Err(error) => {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
                .split(|byte| *byte == b'\n')
                .count();
            let message = format!("the recipe `{name}` is not valid UTF-8 (line {line})");
            Err(Failure::usage(message).hint("save it as UTF-8"))
        }
    }
}

/// The first bytes of a file, one more than a recipe may have.
fn start(file: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_RECIPE_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, error: io::Error) -> Failure {
    let hint = "RECIPE is the path of a YAML file, or `-` for standard input";
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Failure::usage(format!("there is no recipe at `{name}`")).hint(hint)
        }
        io::ErrorKind::IsADirectory => {
            Failure::usage(format!("`{name}` is a folder, expected a recipe")).hint(hint)
        }
        _ => Failure::usage_of(
            anyhow::Error::new(error).context(format!("cannot read the recipe `{name}`")),
        ),
    }
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
