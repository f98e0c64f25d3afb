//! Example recipes.

use crate::wire::{Gallery, GalleryRecipe};

/// Names and texts: the first line of each says what it is, the second why one would want it.
const RECIPES: &[(&str, &str)] = &[
    ("slerp-v", include_str!("../../gallery/slerp-v.yml")),
    ("slerp-parts", include_str!("../../gallery/slerp-parts.yml")),
    ("linear", include_str!("../../gallery/linear.yml")),
    ("ties", include_str!("../../gallery/ties.yml")),
    ("dare-ties", include_str!("../../gallery/dare-ties.yml")),
    (
        "task-arithmetic",
        include_str!("../../gallery/task-arithmetic.yml"),
    ),
    ("model-stock", include_str!("../../gallery/model-stock.yml")),
    ("passthrough", include_str!("../../gallery/passthrough.yml")),
    (
        "fixtures-slerp-v",
        include_str!("../../gallery/fixtures-slerp-v.yml"),
    ),
    (
        "fixtures-ties",
        include_str!("../../gallery/fixtures-ties.yml"),
    ),
];

/// All of them.
pub(crate) fn gallery() -> Gallery {
    let recipes = RECIPES.iter().map(|(id, text)| {
        let mut comments = text.lines().map_while(|line| line.strip_prefix("# "));
        GalleryRecipe {
            id: (*id).to_owned(),
            title: comments.next().unwrap_or(id).to_owned(),
            summary: comments.collect::<Vec<_>>().join(" "),
            recipe: (*text).to_owned(),
        }
    });
    Gallery {
        recipes: recipes.collect(),
    }
}

#[cfg(test)]
mod tests {
    use weightsmith::model::LocateOptions;
    use weightsmith::plan::{PlanOptions, build};
    use weightsmith::recipe;

    use super::*;

    /// Models of the hub, and the fixtures that are like them.
    const LIKE: [(&str, &str); 6] = [
        ("Qwen/Qwen2.5-Coder-0.5B-Instruct", "math"),
        ("Qwen/Qwen2.5-Coder-0.5B", "math"),
        ("Qwen/Qwen2.5-0.5B-Instruct", "instruct"),
        ("Qwen/Qwen2.5-0.5B", "base"),
        ("layer_range: [0, 16]", "layer_range: [0, 4]"),
        ("layer_range: [8, 24]", "layer_range: [2, 6]"),
    ];

    #[test]
    fn every_recipe_can_be_planned_and_says_what_it_is() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/tiny-qwen2");
        let mut locate = LocateOptions::from_env(|_| None);
        for name in ["base", "instruct", "math"] {
            let folder = format!("{fixtures}/{name}");
            locate.named.insert(name.to_owned(), folder.into());
        }
        for shown in gallery().recipes {
            let id = &shown.id;
            assert!(!shown.summary.is_empty(), "{id}");
            let mut text = shown.recipe.clone();
            for (name, like) in LIKE {
                text = text.replace(name, like);
            }
            let parsed = recipe::parse(&text, &|_| true);
            assert!(
                parsed.diagnostics.is_empty(),
                "{id}: {:?}",
                parsed.diagnostics
            );
            let planned = build(&parsed.recipes[0], &PlanOptions::new(locate.clone()));
            let planned = planned.unwrap_or_else(|problems| panic!("{id}: {problems:?}"));
            assert!(
                planned.diagnostics.is_empty(),
                "{id}: {:?}",
                planned.diagnostics
            );
        }
    }
}
