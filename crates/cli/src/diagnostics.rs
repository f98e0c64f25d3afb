//! Problems of a recipe as people and programs read them.

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use weightsmith::{Diagnostic, Severity, Span};
use weightsmith_session::quantities::counted;
use weightsmith_session::{Count, Outcome, RecipeText};

use crate::printer::{Loudness, Printer};
use crate::terminal_text::safe;

/// Shows the problems on stderr, with their number at the end; notes unless quiet.
pub(crate) fn show(outcome: &Outcome, printer: &Printer) {
    let is_shown = |one: &&Diagnostic| {
        one.severity != Severity::Note || printer.loudness() >= Loudness::Normal
    };
    let shown = outcome.diagnostics.iter().filter(is_shown).cloned();
    let shown: Vec<Diagnostic> = shown.collect();
    if shown.is_empty() {
        return;
    }
    printer.stderr(&render(&outcome.recipe, &shown, printer.colored_stderr()));
    if let Some(more) = outcome.omitted.sentence() {
        printer.stderr(&format!("\n… and {more}"));
    }
    let count = outcome.count();
    if count.errors + count.warnings > 0 {
        printer.stderr(&format!("\n{}", sentence(count, &outcome.recipe.name)));
    }
}

/// `3 errors, 1 warning in recipe.yml`.
pub(crate) fn sentence(Count { errors, warnings }: Count, name: &str) -> String {
    let name = safe(name);
    match (errors, warnings) {
        (0, 0) => format!("no problems in {name}"),
        (0, warnings) => format!("{} in {name}", counted(warnings, "warning")),
        (errors, 0) => format!("{} in {name}", counted(errors, "error")),
        (errors, warnings) => {
            format!(
                "{}, {} in {name}",
                counted(errors, "error"),
                counted(warnings, "warning")
            )
        }
    }
}

/// All of them with their source lines, an empty line between two.
pub(crate) fn render(recipe: &RecipeText, diagnostics: &[Diagnostic], colored: bool) -> String {
    let renderer = if colored {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let rendered: Vec<String> = diagnostics
        .iter()
        .map(|one| render_one(&renderer, recipe, one))
        .collect();
    rendered.join("\n\n")
}

fn render_one(renderer: &Renderer, recipe: &RecipeText, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let name = safe(&recipe.name).into_owned();
    let line = diagnostic
        .span
        .and_then(|span| Some((span, first_line(&recipe.text, span)?)));
    let place: Element<'_> = match (line, diagnostic.span) {
        (Some((span, Line { text, marked })), _) => Snippet::source(text)
            .line_start(span.line)
            .path(name)
            .annotation(AnnotationKind::Primary.span(marked))
            .into(),
        (None, Some(span)) => Origin::path(name)
            .line(span.line)
            .char_column(span.column)
            .into(),
        (None, None) => Origin::path(name).into(),
    };
    let hints = diagnostic
        .hints
        .iter()
        .map(|hint| Level::HELP.message(safe(hint).into_owned()));
    let group = level
        .primary_title(safe(&diagnostic.message).into_owned())
        .element(place)
        .elements(hints);
    renderer.render(&[group])
}

/// Bytes of a line that is shown; of longer ones only the place is told.
const LONGEST_LINE: usize = 2000;

/// A line with the part of it that is underlined.
struct Line<'t> {
    text: &'t str,
    marked: std::ops::Range<usize>,
}

/// The line in which a span begins: a whole block underlined would hide what is meant. Only this line's bytes are looked at.
fn first_line(text: &str, span: Span) -> Option<Line<'_>> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let (before, after) = text.split_at_checked(span.start)?;
    let mut back = before.bytes().rev().take(LONGEST_LINE);
    let start = match back.position(|byte| is_break(&byte)) {
        Some(distance) => span.start - distance,
        None if span.start < LONGEST_LINE => 0,
        None => return None,
    };
    let mut ahead = after.bytes().take(LONGEST_LINE);
    let end = match ahead.position(|byte| is_break(&byte)) {
        Some(distance) => span.start + distance,
        None if after.len() < LONGEST_LINE => text.len(),
        None => return None,
    };
    let marked = text.get(span.start..span.end.clamp(span.start, end))?;
    let marked = span.start - start..span.start - start + marked.trim_end().len();
    Some(Line {
        text: text.get(start..end)?,
        marked,
    })
}

/// A problem in `check --json`.
#[derive(Debug, Serialize)]
pub(crate) struct JsonDiagnostic<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    severity: Severity,
    message: &'a str,
    hints: &'a [String],
}

/// All of them for programs.
pub(crate) fn json<'a>(file: &'a str, diagnostics: &'a [Diagnostic]) -> Vec<JsonDiagnostic<'a>> {
    diagnostics
        .iter()
        .map(|one| JsonDiagnostic {
            file,
            line: one.span.map(|span| span.line),
            column: one.span.map(|span| span.column),
            severity: one.severity,
            message: &one.message,
            hints: &one.hints,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> RecipeText {
        RecipeText::new("recipe.yml", "merge_method: slurp\nparameters:\n  t: 2\n")
    }

    fn span(line: usize, column: usize, start: usize, end: usize) -> Span {
        Span {
            line,
            column,
            start,
            end,
        }
    }

    #[test]
    fn the_source_line_is_shown_and_the_place_underlined() {
        let diagnostic = Diagnostic::error("there is no method `slurp`", span(1, 15, 14, 19))
            .hint("did you mean `slerp`?");
        insta::assert_snapshot!(render(&recipe(), &[diagnostic], false), @r"
        error: there is no method `slurp`
         --> recipe.yml:1:15
          |
        1 | merge_method: slurp
          |               ^^^^^
          |
          = help: did you mean `slerp`?
        ");
    }

    #[test]
    fn a_block_is_underlined_on_its_first_line() {
        let diagnostic = Diagnostic::warning("odd parameters", span(2, 1, 20, 38));
        insta::assert_snapshot!(render(&recipe(), &[diagnostic], false), @r"
        warning: odd parameters
         --> recipe.yml:2:1
          |
        2 | parameters:
          | ^^^^^^^^^^^
        ");
    }

    #[test]
    fn a_problem_without_a_place_names_the_file() {
        let diagnostic = Diagnostic::error("no models", None);
        insta::assert_snapshot!(render(&recipe(), &[diagnostic], false), @r"
        error: no models
        --> recipe.yml
        ");
    }

    #[test]
    fn a_place_outside_of_the_text_does_no_harm() {
        let diagnostic = Diagnostic::error("no models", span(9, 1, 400, 410));
        assert!(render(&recipe(), &[diagnostic], false).contains("no models"));
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        let diagnostic = Diagnostic::error("bad \u{1b}[31m", None).hint("\u{1b}[2J");
        assert!(!render(&recipe(), &[diagnostic], false).contains('\u{1b}'));
    }

    #[test]
    fn a_note_is_shown_as_one() {
        let diagnostics = vec![Diagnostic::note("no effect", None)];
        assert!(render(&recipe(), &diagnostics, false).starts_with("note: no effect"));
    }

    #[test]
    fn the_count_is_a_sentence() {
        let sentence = |errors, warnings| super::sentence(Count { errors, warnings }, "r.yml");
        assert_eq!(sentence(3, 1), "3 errors, 1 warning in r.yml");
        assert_eq!(sentence(1, 0), "1 error in r.yml");
        assert_eq!(sentence(0, 2), "2 warnings in r.yml");
        assert_eq!(sentence(0, 0), "no problems in r.yml");
    }

    #[test]
    fn a_long_line_is_not_shown_but_its_place_is() {
        let text = format!("{}\n{{a: {}}}\n", "x".repeat(5000), "b".repeat(5000));
        let recipe = RecipeText::new("recipe.yml", text);
        let diagnostic = Diagnostic::error("wrong", span(2, 3000, 8000, 8001));
        insta::assert_snapshot!(render(&recipe, &[diagnostic], false), @r"
        error: wrong
        --> recipe.yml:2:3000
        ");
    }

    #[test]
    fn many_problems_of_a_long_text_take_little_time() {
        let line = "model: ä\r\n";
        let recipe = RecipeText::new("recipe.yml", line.repeat(100_000));
        let diagnostics: Vec<Diagnostic> = (0..900)
            .map(|index| {
                let start = index * 100 * line.len();
                Diagnostic::error("wrong", span(index * 100 + 1, 1, start, start + 5))
            })
            .collect();
        let begun = std::time::Instant::now();
        let text = render(&recipe, &diagnostics, true);
        // 31 s when each looked at the whole text
        assert!(begun.elapsed().as_secs() < 2);
        assert!(text.contains("recipe.yml:89901:1"));
    }
}
