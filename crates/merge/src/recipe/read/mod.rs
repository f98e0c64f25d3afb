//! From trees to recipes.

mod field;
mod keys;
mod reference;
mod setting;
mod sources;
mod tokenizer;
mod top;

use std::sync::Arc;

use super::structure::Recipe;
use super::{pasted, yaml};
use crate::methods::MethodSpec;
use crate::{Diagnostic, Omitted, Problems};

/// What a recipe file holds, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// The recipes in the file's order.
    ///
    /// A recipe is here even when parts of it had to be left out because of errors, so that later checks can go on; it
    /// is missing only when it has no merge method or when its inputs cannot be read completely.
    pub recipes: Vec<Recipe>,
    /// The problems, in the order of their places; a merge must not be done when one of them is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// How many more there are than can be told.
    pub omitted: Omitted,
}

/// Reads all documents of a recipe file and reports all problems at once.
///
/// `exists` says whether a text is an existing local path: such a path wins over the meaning of `@` and `+` in a
/// model's name.
pub fn parse(text: &str, exists: &dyn Fn(&str) -> bool) -> Parsed {
    let mut reader = Reader {
        text: text.into(),
        exists,
        problems: Problems::default(),
        method: None,
    };
    let documents = yaml::documents(text, &mut reader.problems);
    if documents.roots.is_empty() && reader.problems.is_empty() {
        let hint = "a recipe needs `merge_method` and `models` or `slices`";
        reader.report(Diagnostic::error("the recipe is empty", None).hint(hint));
    }
    let mut recipes = Vec::new();
    for document in &documents.roots {
        recipes.extend(reader.recipe(document));
    }
    reader.check_names(&recipes);
    if reader.problems.has_error() {
        let pasted = pasted::damage(text, documents.is_whole);
        if !pasted.is_empty() {
            // whatever else was found is a consequence of it
            return Parsed {
                diagnostics: pasted,
                ..Parsed::default()
            };
        }
    }
    let (diagnostics, omitted) = reader.problems.into_parts();
    Parsed {
        recipes,
        diagnostics,
        omitted,
    }
}

/// What reading needs everywhere.
struct Reader<'a> {
    text: Arc<str>,
    exists: &'a dyn Fn(&str) -> bool,
    problems: Problems,
    /// The method of the document that is read, where there is one of its name.
    method: Option<&'static MethodSpec>,
}

impl Reader<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.problems.add(diagnostic);
    }
}
