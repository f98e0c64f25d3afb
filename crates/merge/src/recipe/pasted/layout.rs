//! Fences and indentation that copying added or lost.

use super::super::yaml::Places;
use super::{Line, lines};
use crate::Diagnostic;

/// Keys that stand below others.
const NESTED: [&str; 5] = ["sources", "layer_range", "filter", "value", "model"];

/// Keys that stand at the top alone, or do so where there are no `modules`.
const TOP: [&str; 7] = [
    "merge_method",
    "dtype",
    "out_dtype",
    "tokenizer_source",
    "chat_template",
    "models",
    "slices",
];

const COPIED: &str = "perhaps in copying from a web page";

/// The fence of a Markdown code block around a recipe.
pub(super) fn fence(places: &Places<'_>) -> Option<Diagnostic> {
    let lines: Vec<_> = places
        .lines()
        .filter(|(_, text)| !text.trim().is_empty())
        .collect();
    let is_fence = |text: &str| text.trim_start().starts_with("```") || text.trim() == "~~~";
    let ends = [lines.first(), lines.last()];
    let (start, text) = ends
        .into_iter()
        .flatten()
        .find(|(_, text)| is_fence(text))?;
    let place = places.bytes(*start, start + text.trim_end().len());
    let message = "a code fence is not part of a recipe";
    Some(Diagnostic::error(message, place).hint("remove this line and the closing fence"))
}

/// Indentation that was lost, altogether or at some lines.
pub(super) fn indentation(places: &Places<'_>, is_yaml: bool) -> Option<Diagnostic> {
    let lines = lines(places);
    let documents = lines.split(|line| line.text.starts_with("---"));
    documents.into_iter().find_map(|document| {
        let uneven = || (!is_yaml).then(|| uneven(document, places)).flatten();
        lost(document, places).or_else(uneven)
    })
}

fn lost(lines: &[Line<'_>], places: &Places<'_>) -> Option<Diagnostic> {
    if lines.iter().any(|line| line.indent() > 0) {
        return None;
    }
    let starts = ["models", "slices", "modules", "merge_method"];
    let is_start = |line: &Line<'_>| line.key().is_some_and(|(_, key)| starts.contains(&key));
    if !lines.iter().any(is_start) {
        return None;
    }
    // behind a dash it may stand where it should
    let mut keys = lines.iter().filter_map(|line| Some((line, line.key()?)));
    let (line, (at, key)) = keys.find(|(_, (at, key))| *at == 0 && NESTED.contains(key))?;
    let start = line.start + at;
    let message = format!("no line is indented, but `{key}` belongs under another key");
    Some(
        Diagnostic::error(message, places.bytes(start, start + key.len())).hint(format!(
            "the indentation was lost, {COPIED}: copy the page's raw text, or indent it as `weightsmith methods slerp` shows"
        )),
    )
}

fn uneven(lines: &[Line<'_>], places: &Places<'_>) -> Option<Diagnostic> {
    let has_modules = lines
        .iter()
        .any(|line| line.content().starts_with("modules:"));
    let is_top =
        |key: &str| TOP.contains(&key) && !(has_modules && matches!(key, "models" | "slices"));
    let mut keys = lines.iter().filter_map(|line| {
        let (at, key) = line.key()?;
        (at == line.indent() && is_top(key)).then_some((line, at, key))
    });
    let (_, first_at, first) = keys.next()?;
    let (line, at, key) = keys.find(|(_, at, _)| *at != first_at)?;
    let message = format!(
        "`{key}` starts in column {} and `{first}` in column {}, but the keys of a recipe start in the same column",
        at + 1,
        first_at + 1
    );
    let start = line.start + at;
    Some(
        Diagnostic::error(message, places.bytes(start, start + key.len())).hint(format!(
            "some of the indentation was lost, {COPIED}: move `{first}` and `{key}` to the same column, with everything under them"
        )),
    )
}
