//! From trees to recipes.

mod field;
mod keys;
mod reference;
mod setting;
mod sources;
mod tokenizer;
mod top;

use std::collections::BTreeSet;

use super::structure::Recipe;
use super::yaml;
use crate::Diagnostic;

/// What a recipe file holds, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// The recipes in the file's order.
    ///
    /// A recipe is here even when parts of it had to be left out because of errors, so that later checks can go on; it
    /// is missing only when it has no merge method or when its inputs cannot be read completely.
    pub recipes: Vec<Recipe>,
    /// All problems, in the order of their places; a merge must not be done when one of them is an error.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads all documents of a recipe file and reports all problems at once.
///
/// `exists` says whether a text is an existing local path: such a path wins over the meaning of `@` and `+` in a
/// model's name.
pub fn parse(text: &str, exists: &dyn Fn(&str) -> bool) -> Parsed {
    let mut reader = Reader {
        exists,
        diagnostics: Vec::new(),
    };
    let documents = yaml::documents(text, &mut reader.diagnostics);
    if documents.is_empty() && reader.diagnostics.is_empty() {
        let hint = "a recipe has at least `merge_method` and `models` or `slices`";
        reader.report(Diagnostic::error("the recipe is empty", None).hint(hint));
    }
    let mut recipes = Vec::new();
    for document in &documents {
        recipes.extend(reader.recipe(document));
    }
    reader.check_names(&recipes);
    Parsed {
        recipes,
        diagnostics: in_order(reader.diagnostics),
    }
}

/// What reading needs everywhere.
struct Reader<'a> {
    exists: &'a dyn Fn(&str) -> bool,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// Sorted by place, each once: a value that several aliases name is read several times.
fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| d.span.map(|span| (span.start, span.end)));
    let mut seen = BTreeSet::new();
    diagnostics.retain(|d| seen.insert((d.span, d.message.clone())));
    diagnostics
}
