//! What came of a recipe.

use weightsmith::plan::Planned;
use weightsmith::{Diagnostic, Omitted, Problems, Severity};

use crate::{MissingModel, RecipeText, RemoteName};

/// A recipe that was read and, where nothing is wrong with it, planned.
#[derive(Debug)]
pub struct Outcome {
    /// The recipe.
    pub recipe: RecipeText,
    /// The plan; `None` when there is an error among the diagnostics, or a model of which nobody knows yet.
    pub planned: Option<Planned>,
    /// The problems, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there are than are told.
    pub omitted: Omitted,
    /// Models of the Hub whose weights are not on this machine.
    pub missing: Vec<MissingModel>,
    /// Models of which nobody knows yet whether they can be had: they were not asked for.
    pub unknown: Vec<RemoteName>,
}

/// How many errors and warnings there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Count {
    /// Counts them, and those that were left out.
    pub fn of(diagnostics: &[Diagnostic], omitted: Omitted) -> Self {
        let count = |severity| {
            let of_it = |one: &&Diagnostic| one.severity == severity;
            diagnostics.iter().filter(of_it).count()
        };
        Self {
            errors: count(Severity::Error) + omitted.errors,
            warnings: count(Severity::Warning) + omitted.warnings,
        }
    }
}

impl Outcome {
    /// How many problems there are.
    pub fn count(&self) -> Count {
        Count::of(&self.diagnostics, self.omitted)
    }

    /// The problems in a list that says at its end how many are not in it.
    pub fn told(&self) -> Vec<Diagnostic> {
        let closing = self.omitted.closing();
        self.diagnostics.iter().cloned().chain(closing).collect()
    }
}

/// Each once, sorted by place in the recipe, those without one last, and how many are left out because nobody reads so many; with
/// `strict`, warnings become errors.
pub(crate) fn arrange(
    diagnostics: impl IntoIterator<Item = Diagnostic>,
    omitted: Omitted,
    strict: bool,
) -> (Vec<Diagnostic>, Omitted) {
    let mut problems = Problems::default();
    problems.omit(if strict { omitted.strict() } else { omitted });
    for mut diagnostic in diagnostics {
        if strict && diagnostic.severity == Severity::Warning {
            diagnostic.severity = Severity::Error;
        }
        problems.add(diagnostic);
    }
    problems.into_parts()
}

#[cfg(test)]
mod tests {
    use weightsmith::Span;

    use super::*;

    fn span(line: usize, column: usize, start: usize, end: usize) -> Span {
        Span {
            line,
            column,
            start,
            end,
        }
    }

    #[test]
    fn strict_makes_errors_of_warnings_and_order_follows_the_text() {
        let diagnostics = vec![
            Diagnostic::error("last", None),
            Diagnostic::warning("second", span(2, 1, 20, 30)),
            Diagnostic::error("first", span(1, 1, 0, 5)),
            Diagnostic::error("first", span(1, 1, 0, 5)),
        ];
        let (diagnostics, omitted) = arrange(diagnostics, Omitted::default(), true);
        let messages: Vec<&str> = diagnostics.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, ["first", "second", "last"]);
        assert_eq!(
            Count::of(&diagnostics, omitted),
            Count {
                errors: 3,
                warnings: 0
            }
        );
    }

    #[test]
    fn a_note_stays_one_and_is_not_counted() {
        let diagnostics = vec![Diagnostic::note("no effect", None)];
        let (diagnostics, omitted) = arrange(diagnostics, Omitted::default(), true);
        assert_eq!(
            Count::of(&diagnostics, omitted),
            Count {
                errors: 0,
                warnings: 0
            }
        );
        assert_eq!(diagnostics[0].severity, Severity::Note);
    }
}
