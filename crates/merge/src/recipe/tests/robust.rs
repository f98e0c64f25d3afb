//! No text, however wild, makes the reader panic or run away.

use std::fmt::Write;

use proptest::prelude::*;

use super::super::{Parsed, parse};

/// Reads a text and checks what must hold for any text.
fn check(text: &str) -> Parsed {
    let parsed = parse(text, &|path| path.len().is_multiple_of(2));
    for diagnostic in &parsed.diagnostics {
        if let Some(span) = diagnostic.span {
            assert!(span.line >= 1 && span.column >= 1, "{diagnostic}");
            assert!(text.get(span.start..span.end).is_some(), "{diagnostic}");
            let line_breaks = text[..span.start].replace("\r\n", "\n");
            let lines = line_breaks.matches(['\n', '\r']).count() + 1;
            assert_eq!(span.line, lines, "{diagnostic}");
        }
    }
    parsed
}

/// Pieces that recipes are made of, so that arbitrary sequences of them get far.
const PIECES: [&str; 44] = [
    "merge_method",
    "models",
    "slices",
    "modules",
    "sources",
    "model",
    "layer_range",
    "parameters",
    "weight",
    "t",
    "filter",
    "value",
    "tokenizer",
    "tokens",
    "source",
    "kind",
    "dtype",
    "base_model",
    ": ",
    ":",
    "- ",
    "-",
    "\n",
    "\n  ",
    "\n    ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&a ",
    "*a",
    "<<",
    "'",
    "\"",
    "1",
    "0.5",
    "~",
    "#",
    "!!str ",
    "---\n",
    "|\n  ",
    "ü",
    "\t",
];

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn any_bytes_of_yaml_are_read_without_panic(
        text in "[\\-a:,&*<|>?!%@'\"{}\\[\\]~#0.\\\\ \t\r\n\u{feff}é]{0,60}"
    ) {
        check(&text);
    }

    #[test]
    fn any_pieces_of_recipes_are_read_without_panic(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)
    ) {
        check(&pieces.concat());
    }
}

/// Whole recipes to begin from.
const RECIPES: [&str; 4] = [
    include_str!("damaged.yml"),
    include_str!("../../../../../examples/07-filters.yml"),
    include_str!("../../../../../examples/05-dare-ties.yml"),
    include_str!("../../../../../examples/08-slices.yml"),
];

/// A change of a text: what is done, where, to how many characters, and with which piece.
type Change = (usize, usize, usize, usize);

fn changed(text: &str, (kind, at, length, piece): Change) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at % (chars.len() + 1);
    let end = (at + length).min(chars.len());
    let part = |range: std::ops::Range<usize>| chars[range].iter().collect::<String>();
    let (before, middle, after) = (part(0..at), part(at..end), part(end..chars.len()));
    let piece = PIECES[piece % PIECES.len()];
    match kind % 5 {
        0 => format!("{before}{after}"),
        1 => format!("{before}{middle}{middle}{after}"),
        2 => format!("{before}{piece}{middle}{after}"),
        3 => format!("{before}{}{after}", piece.repeat(length)),
        _ => format!("{after}{middle}{before}"),
    }
}

proptest! {
    #[test]
    fn any_change_of_a_recipe_is_read_without_panic_and_with_few_words(
        recipe in 0..RECIPES.len(),
        changes in prop::collection::vec((0..5_usize, 0..3000_usize, 0..200_usize, 0..PIECES.len()), 1..6)
    ) {
        let text = changes.into_iter().fold(RECIPES[recipe].to_owned(), |text, change| changed(&text, change));
        let parsed = check(&text);
        prop_assert!(parsed.diagnostics.len() <= 3 * crate::MOST_PROBLEMS);
    }
}

#[test]
fn a_damaged_recipe_is_read_without_panic() {
    let text = include_str!("damaged.yml");
    for (at, _) in text.char_indices() {
        check(&text[..at]);
        let mut damaged = text.to_owned();
        damaged.remove(at);
        check(&damaged);
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        let items = [alias.as_str(); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{items}]").expect("a String takes anything");
    }
    let message = check(&bomb).diagnostics[0].to_string();
    assert_eq!(
        message,
        "6:10: error: the recipe has more than 100000 values after its aliases are expanded"
    );
}

#[test]
fn aliases_that_nest_are_limited_by_depth() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).expect("a String takes anything");
    }
    let message = check(&text).diagnostics[0].to_string();
    assert!(
        message.contains("nested deeper than 64 levels"),
        "{message}"
    );
}

#[test]
fn deep_nesting_is_refused() {
    for text in [
        "[".repeat(10_000),
        "- ".repeat(10_000),
        "{a: ".repeat(10_000),
    ] {
        let message = check(&text).diagnostics[0].to_string();
        assert!(message.contains("nested deeper than"), "{message}");
    }
}

#[test]
fn a_huge_file_is_refused() {
    let text = " ".repeat(5 << 20);
    let message = check(&text).diagnostics[0].to_string();
    assert_eq!(
        message,
        "error: the recipe has more than 1048576 bytes\n  hint: recipes usually have a few kilobytes: is this the right file?"
    );
}

#[test]
fn a_long_recipe_is_read_in_little_time() {
    let mut text = "merge_method: passthrough\nslices:\n".to_owned();
    for number in 0..3000 {
        writeln!(
            text,
            "  - sources: [{{model: m, layer_range: [{number}, {}]}}]",
            number + 1
        )
        .expect("a String takes anything");
    }
    assert!(check(&text).diagnostics.is_empty());
}
