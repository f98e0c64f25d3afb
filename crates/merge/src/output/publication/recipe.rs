//! The recipe of a published model, and the card's copy of it.

use super::super::Lock;
use super::super::published_recipe::without_absolute_paths;
use crate::model::{hub_name, is_in_store, web_address};
use crate::recipe;

/// A recipe without local paths, and what was replaced by what.
pub(super) fn hidden(text: &str, lock: Option<&Lock>) -> (String, Vec<(String, String)>) {
    let parsed = recipe::parse(text, &|_| false);
    let mut places: Vec<(usize, usize, String)> = Vec::new();
    let mut replaced: Vec<(String, String)> = Vec::new();
    for reference in parsed.recipes.iter().flat_map(recipe::Recipe::references) {
        let path = &reference.value.path;
        let span = reference.span.start..reference.span.end;
        let Some(at) = text
            .get(span.clone())
            .and_then(|part| part.find(path.as_str()))
        else {
            continue;
        };
        if is_local(path, lock) {
            let name = last_name(path);
            places.push((span.start + at, path.len(), name.clone()));
            if *path != name && replaced.iter().all(|(known, _)| known != path) {
                replaced.push((path.clone(), name));
            }
        }
    }
    places.sort();
    places.dedup();
    let mut published = text.to_owned();
    for (start, length, name) in places.into_iter().rev() {
        published.replace_range(start..start + length, &name);
    }
    (without_absolute_paths(&published), replaced)
}

/// Whether a reference is a folder here: the lock knows which models came from the hub.
fn is_local(path: &str, lock: Option<&Lock>) -> bool {
    if is_in_store(path) || hub_name(path).is_some() || web_address(path).is_some() {
        return false;
    }
    let looks_so = path.starts_with(['/', '.', '~', '\\'])
        || path.contains('\\')
        || path.matches('/').count() > 1
        || path.get(1..3) == Some(":/");
    let inputs = lock.map_or(&[][..], |lock| &lock.inputs);
    let from_hub = |label: &str| {
        inputs
            .iter()
            .any(|input| input.revision.is_some() && input.label == label)
    };
    let name = last_name(path);
    let is_input = inputs
        .iter()
        .any(|input| input.revision.is_none() && input.label == name);
    looks_so || (is_input && !from_hub(path))
}

fn last_name(path: &str) -> String {
    let trimmed = path.trim_end_matches(['/', '\\']);
    let name = trimmed.rsplit(['/', '\\']).next().unwrap_or(trimmed);
    if name.is_empty() || name == "." || name == ".." {
        "model".to_owned()
    } else {
        name.to_owned()
    }
}

/// The card with the recipe's lines as they are published: the card's own copy has no absolute paths already.
pub(super) fn in_card(card: &str, recipe: &str, published: &str) -> String {
    let changed: Vec<(String, &str)> = recipe
        .lines()
        .zip(published.lines())
        .filter(|(old, new)| old != new)
        .map(|(old, new)| (without_absolute_paths(old), new))
        .collect();
    let mut text = String::with_capacity(card.len());
    for line in card.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content, "\n"),
            None => (line, ""),
        };
        let found = changed.iter().find(|(old, _)| old == content);
        text += found.map_or(content, |(_, new)| new);
        text += end;
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const TEXT: &str = "merge_method: linear\nmodels:\n  - model: ./work/mine\n    parameters: {weight: 1}\n  - model: \"/home/me/other\"\n    parameters: {weight: 1}\n  - model: org/name@v2\n    parameters: {weight: 1}\n  - model: near/by\n    parameters: {weight: 1}\n# see /home/me/notes.md\n";

    /// A lock whose models are in local folders, but one.
    pub(in crate::output::publication) fn lock() -> Lock {
        let input = |label: &str, revision: Option<&str>| crate::output::LockedInput {
            label: label.to_owned(),
            base: false,
            revision: revision.map(ToOwned::to_owned),
            files: Vec::new(),
        };
        Lock {
            format: 1,
            weightsmith: "0".to_owned(),
            date: String::new(),
            method: "dare_ties".to_owned(),
            seed: 0,
            recipe: String::new(),
            run: None,
            run_inputs: None,
            inputs: vec![
                input("mine", None),
                input("other", None),
                input("org/name", Some("abc")),
                input("by", None),
            ],
            tensors: 0,
            parameters: 0,
            non_finite: 0,
            files: Vec::new(),
        }
    }

    #[test]
    fn local_folders_become_names_and_the_hubs_names_stay() {
        let (published, replaced) = hidden(TEXT, Some(&lock()));
        let models: Vec<&str> = published
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- model: "))
            .collect();
        assert_eq!(models, ["mine", "\"other\"", "org/name@v2", "by"]);
        assert!(published.ends_with("# see notes.md\n"));
        let pairs = [
            ("./work/mine", "mine"),
            ("/home/me/other", "other"),
            ("near/by", "by"),
        ];
        assert_eq!(replaced, pairs.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(published.lines().count(), TEXT.lines().count());
    }

    #[test]
    fn addresses_stay() {
        let names = [
            "s3://bucket/models/base",
            "gs://b/m/",
            "hf://org/name",
            "https://huggingface.co/org/name/tree/main",
            "hf.co/org/name",
        ];
        for name in names {
            let text = format!(
                "merge_method: linear\nmodels:\n  - model: {name}\n    parameters: {{weight: 1}}\n"
            );
            assert_eq!(
                hidden(&text, Some(&lock())),
                (text.clone(), Vec::new()),
                "{name}"
            );
        }
    }

    #[test]
    fn the_card_follows_the_recipe() {
        let (published, _) = hidden(TEXT, Some(&lock()));
        let card = format!("# Card\n```yaml\n{}```\n", without_absolute_paths(TEXT));
        let card = in_card(&card, TEXT, &published);
        assert_eq!(card, format!("# Card\n```yaml\n{published}```\n"));
    }
}
