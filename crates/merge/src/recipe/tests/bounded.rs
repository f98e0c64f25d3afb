//! However little a text is, what is made of it is little too.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::super::{MAX_RECIPE_BYTES, Parsed, parse};
use crate::{MOST_PROBLEMS, Severity};

/// Reads a text in little time, with an answer that is not much longer than a person reads.
fn bounded(text: &str) -> Parsed {
    assert!(text.len() <= MAX_RECIPE_BYTES, "{} bytes", text.len());
    let begun = Instant::now();
    let parsed = parse(text, &|_| false);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(parsed.diagnostics.len() <= 3 * MOST_PROBLEMS);
    let bytes: usize = parsed
        .diagnostics
        .iter()
        .map(|one| one.to_string().len())
        .sum();
    assert!(bytes < 3_000_000, "{bytes}");
    parsed
}

fn first(parsed: &Parsed) -> String {
    let errors = |one: &&crate::Diagnostic| one.severity == Severity::Error;
    parsed
        .diagnostics
        .iter()
        .find(errors)
        .expect("an error")
        .to_string()
}

#[test]
fn aliases_count_the_bytes_that_they_stand_for() {
    let text = format!(
        "a: &x \"{}\"\nb: [{}*x]\n",
        "y".repeat(500_000),
        "*x, ".repeat(90_000)
    );
    assert_eq!(
        first(&bounded(&text)),
        "2:13: error: the aliases up to this one expand to more than 1048576 bytes\n  hint: an alias counts each time it is used"
    );
}

#[test]
fn aliases_of_aliases_count_too() {
    let mut text = format!("a0: &a0 \"{}\"\n", "y".repeat(1000));
    for level in 1..30 {
        writeln!(text, "a{level}: &a{level} [*a{0}, *a{0}]", level - 1).expect("written");
    }
    assert!(first(&bounded(&text)).contains("expand to more than 1048576 bytes"));
    let merged = format!(
        "a: &a {{k: \"{}\"}}\nb: [{}]\n",
        "y".repeat(10_000),
        "{<<: *a}, ".repeat(10_000)
    );
    assert!(first(&bounded(&merged)).contains("expand to more than 1048576 bytes"));
}

#[test]
fn what_honest_recipes_share_is_within_the_bound() {
    let mut text =
        "x: &p {weight: [0.1, 0.2, 0.3], density: 0.5}\nmerge_method: passthrough\nslices:\n"
            .to_owned();
    for layer in 0..200 {
        writeln!(
            text,
            "  - sources: [{{model: m, layer_range: [{layer}, {}], parameters: *p}}]",
            layer + 1
        )
        .expect("written");
    }
    let parsed = bounded(&text);
    assert_eq!(parsed.recipes.len(), 1);
    assert!(
        parsed
            .diagnostics
            .iter()
            .all(|one| one.severity != Severity::Error)
    );
}

#[test]
fn nested_anchors_share_what_they_name() {
    let mut text = String::new();
    for level in 0..60 {
        write!(text, "&a{level} [").expect("written");
    }
    write!(text, "\"{}\"{}", "y".repeat(900_000), "]".repeat(60)).expect("written");
    bounded(&text);
}

#[test]
fn documents_are_counted_together_and_few_problems_are_told() {
    let parsed = bounded(&"---\na: 1\n".repeat(30_000));
    assert_eq!(
        first(&parsed),
        "2:1: error: the recipe has no `merge_method`\n  hint: add one, such as `merge_method: linear`"
    );
    assert!(parsed.omitted.errors > 10_000, "{:?}", parsed.omitted);
}

#[test]
fn problems_are_told_in_few_words_however_long_what_they_quote() {
    let name = "n".repeat(1000);
    let text = format!(
        "merge_method: linear\nmodels: [{{model: a}}]\nparameters:\n  {name}: [{}]\n",
        "[], ".repeat(50_000)
    );
    let parsed = bounded(&text);
    assert!(parsed.omitted.errors > 40_000, "{:?}", parsed.omitted);
    let keys = (0..10_000)
        .map(|n| format!("unknown_key_of_some_length_{n}: 1\n"))
        .collect::<Vec<_>>()
        .concat();
    let parsed = bounded(&format!(
        "merge_method: linear\nmodels: [{{model: a}}]\n{keys}dtype: half\n"
    ));
    assert_eq!(parsed.omitted.warnings, 10_000 - MOST_PROBLEMS);
    assert!(first(&parsed).contains("`dtype` is `half`"));
}

#[test]
fn filters_are_compared_in_little_time() {
    let mut text = "merge_method: linear\nmodels: [{model: a}]\nparameters:\n".to_owned();
    for parameter in 0..40 {
        writeln!(text, "  p{parameter}:").expect("written");
        for filter in 0..450 {
            writeln!(
                text,
                "    - {{filter: \"{}{filter}\", value: 1}}",
                "a".repeat(20)
            )
            .expect("written");
        }
    }
    bounded(&text);
}

#[test]
fn few_models_can_be_named() {
    let slices = (0..1000)
        .map(|n| format!("  - sources: [{{model: org/m{n}, layer_range: [0, 1]}}]\n"))
        .collect::<Vec<_>>()
        .concat();
    let parsed = bounded(&format!("merge_method: passthrough\nslices:\n{slices}"));
    assert_eq!(parsed.recipes, []);
    assert_eq!(
        first(&parsed),
        "259:23: error: the recipe names more than 256 different models"
    );
    let sources = "  - model: a\n".repeat(1000);
    let parsed = bounded(&format!("merge_method: linear\nmodels:\n{sources}"));
    assert_eq!(
        first(&parsed),
        "3:3: error: `models` has 1000 entries, expected at most 128"
    );
}
