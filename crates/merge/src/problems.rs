//! All that is said about a recipe, bounded: a text can be wrong in more places than anybody reads.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::Serialize;

use crate::{Diagnostic, Severity};

/// Diagnostics of one severity that are kept; further ones are counted.
pub const MOST_PROBLEMS: usize = 300;

/// Bytes of a message or of a hint that are kept: what they quote can be as long as the recipe.
const LONGEST: usize = 1000;

/// Hints of a diagnostic that are kept.
const MOST_HINTS: usize = 8;

/// How many diagnostics were left out, by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Omitted {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Omitted {
    /// Counts one more.
    pub fn count(&mut self, severity: Severity) {
        *self.of(severity) += 1;
    }

    /// Counts what another stage left out.
    pub fn add(&mut self, other: Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
    }

    /// The same under `--strict`, where warnings are errors.
    #[must_use]
    pub fn strict(self) -> Self {
        Self {
            errors: self.errors + self.warnings,
            warnings: 0,
            ..self
        }
    }

    /// `29700 more errors and 12 more warnings`; nothing where nothing was left out.
    pub fn sentence(self) -> Option<String> {
        let counts = [
            (self.errors, "error"),
            (self.warnings, "warning"),
            (self.notes, "note"),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| {
                format!("{count} more {what}{}", if count == 1 { "" } else { "s" })
            })
            .collect();
        match parts.as_slice() {
            [] => None,
            [first @ .., last] if !first.is_empty() => {
                Some(format!("{} and {last}", first.join(", ")))
            }
            _ => parts.into_iter().next(),
        }
    }

    /// The last entry of a list from which something was left out, without a place and as bad as the worst of it.
    pub fn closing(self) -> Option<Diagnostic> {
        let message = format!("… and {}", self.sentence()?);
        Some(match self {
            Self { errors: 1.., .. } => Diagnostic::error(message, None),
            Self { warnings: 1.., .. } => Diagnostic::warning(message, None),
            _ => Diagnostic::note(message, None),
        })
    }

    fn of(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        }
    }
}

/// Diagnostics, each once, at most [`MOST_PROBLEMS`] of each severity.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    kept: Vec<Diagnostic>,
    counts: Omitted,
    omitted: Omitted,
    seen: BTreeSet<u64>,
}

impl Problems {
    /// Takes one, unless the same was said of the same place.
    pub fn add(&mut self, mut diagnostic: Diagnostic) {
        if !self.seen.insert(identity(&diagnostic)) {
            return;
        }
        if self.is_full(diagnostic.severity) {
            self.omitted.count(diagnostic.severity);
            return;
        }
        self.counts.count(diagnostic.severity);
        cut(&mut diagnostic.message);
        diagnostic.hints.truncate(MOST_HINTS);
        diagnostic.hints.iter_mut().for_each(cut);
        self.kept.push(diagnostic);
    }

    /// Counts what another stage left out.
    pub fn omit(&mut self, omitted: Omitted) {
        self.omitted.add(omitted);
    }

    /// Whether further diagnostics of a severity are only counted, so that their advice need not be thought of.
    pub fn is_full(&self, severity: Severity) -> bool {
        let mut counts = self.counts;
        *counts.of(severity) >= MOST_PROBLEMS
    }

    /// Whether there is an error.
    pub fn has_error(&self) -> bool {
        self.counts.errors + self.omitted.errors > 0
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.omitted == Omitted::default()
    }

    /// Those that were kept, in the order of their places, those without one last; and how many were not.
    pub fn into_parts(mut self) -> (Vec<Diagnostic>, Omitted) {
        self.kept
            .sort_by_key(|one| (one.span.is_none(), one.span, one.severity));
        (self.kept, self.omitted)
    }
}

impl Extend<Diagnostic> for Problems {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        for diagnostic in diagnostics {
            self.add(diagnostic);
        }
    }
}

/// A hash in place of place and words, which may be long.
fn identity(diagnostic: &Diagnostic) -> u64 {
    let mut hasher = DefaultHasher::new();
    let place = diagnostic.span.map(|span| (span.start, span.end));
    (place, diagnostic.severity as u8, &diagnostic.message).hash(&mut hasher);
    hasher.finish()
}

fn cut(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    fn place(start: usize) -> Span {
        Span {
            line: start + 1,
            column: 1,
            start,
            end: start,
        }
    }

    #[test]
    fn an_error_behind_many_warnings_is_kept() {
        let mut problems = Problems::default();
        for start in 0..1000 {
            problems.add(Diagnostic::warning("odd", place(start)));
        }
        problems.add(Diagnostic::error("wrong", place(5000)));
        assert!(problems.has_error());
        let (kept, omitted) = problems.into_parts();
        assert_eq!(kept.len(), MOST_PROBLEMS + 1);
        assert_eq!(kept.last().unwrap().message, "wrong");
        assert_eq!(omitted.sentence().unwrap(), "700 more warnings");
        assert_eq!(omitted.closing().unwrap().severity, Severity::Warning);
        assert_eq!(
            omitted.strict().closing().unwrap().severity,
            Severity::Error
        );
    }

    #[test]
    fn the_same_at_the_same_place_is_said_once() {
        let mut problems = Problems::default();
        for _ in 0..1000 {
            problems.add(Diagnostic::error("wrong", place(1)));
        }
        problems.add(Diagnostic::error("wrong", None));
        problems.add(Diagnostic::error("wrong", place(0)));
        let (kept, omitted) = problems.into_parts();
        let places: Vec<_> = kept
            .iter()
            .map(|one| one.span.map(|span| span.start))
            .collect();
        assert_eq!(places, [Some(0), Some(1), None]);
        assert_eq!(omitted, Omitted::default());
        assert_eq!(omitted.closing(), None);
    }

    #[test]
    fn what_a_message_quotes_is_cut() {
        let mut problems = Problems::default();
        problems.add(Diagnostic::error("ü".repeat(1 << 20), None).hint("h".repeat(1 << 20)));
        let (kept, _) = problems.into_parts();
        assert_eq!(kept[0].message.chars().count(), 501);
        assert_eq!(kept[0].hints[0].len(), 1003);
    }

    #[test]
    fn counts_are_a_sentence() {
        let omitted = Omitted {
            errors: 2,
            warnings: 1,
            notes: 3,
        };
        assert_eq!(
            omitted.sentence().unwrap(),
            "2 more errors, 1 more warning and 3 more notes"
        );
    }
}
