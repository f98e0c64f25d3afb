//! Whole recipes, good and bad, and comparisons with mergekit and PyYAML.

mod agreement;
mod bad;
mod bad_inputs;
mod bounded;
mod good;
mod pasted;
mod robust;
mod syntax;

use super::parse;
use super::structure::Recipe;

/// All diagnostics as a user sees them.
fn problems(text: &str) -> String {
    let shown: Vec<String> = parse(text, &|_| false)
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    shown.join("\n")
}

/// The only recipe of a text without problems.
fn recipe(text: &str) -> Recipe {
    let mut parsed = parse(text, &|_| false);
    assert_eq!(problems(text), "", "no problems");
    assert_eq!(parsed.recipes.len(), 1);
    parsed.recipes.remove(0)
}
