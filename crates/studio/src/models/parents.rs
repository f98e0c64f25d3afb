//! The models that a recipe names.

use weightsmith::recipe;

use super::ParentName;

/// A recipe's method and its models; nothing for a text that is none.
pub(crate) fn parents_of(text: &str) -> Option<(String, Vec<ParentName>)> {
    let parsed = recipe::parse(text, &|_| true);
    let first = parsed.recipes.first()?;
    let mut parents: Vec<ParentName> = Vec::new();
    for reference in first.references() {
        let parent = ParentName::of(&reference.value.path);
        if !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    Some((first.merge_method.value.clone(), parents))
}
