//! The recipe as it is published in a model card: without the paths of somebody's machine.

use crate::plan::Plan;

/// Replaces absolute local paths (`/…`, `~/…`, `C:\…`) by the names of their last folder; all else stays as it is.
///
/// Paths of the plan's models become their labels, so that they agree with the rest of the card.
pub fn published_recipe(recipe: &str, plan: &Plan) -> String {
    let mut known: Vec<(String, &str)> = plan
        .inputs
        .iter()
        .flat_map(|input| {
            let path = input.path.to_string_lossy().into_owned();
            [
                (input.reference.clone(), input.label.as_str()),
                (path, input.label.as_str()),
            ]
        })
        .filter(|(path, _)| absolute_prefix(path).is_some() && path.len() > 1)
        .collect();
    known.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    replaced(recipe, &known)
}

/// Replaces absolute local paths by the names of their last folder.
pub(super) fn without_absolute_paths(text: &str) -> String {
    replaced(text, &[])
}

fn replaced(recipe: &str, known: &[(String, &str)]) -> String {
    let mut published = String::with_capacity(recipe.len());
    let mut previous = '\n';
    let mut rest = recipe;
    while let Some(letter) = rest.chars().next() {
        if begins_word(previous)
            && let Some((length, name)) = path_at(rest, known)
        {
            published += &name;
            previous = 'x';
            rest = &rest[length..];
        } else {
            published.push(letter);
            previous = letter;
            rest = &rest[letter.len_utf8()..];
        }
    }
    published
}

/// A path starts a value, or follows a `+` that joins it to a model.
fn begins_word(previous: char) -> bool {
    previous.is_whitespace() || "\"'[{,(+=:`".contains(previous)
}

/// The length of the absolute path that the text begins with, and the name to put in its place.
fn path_at(text: &str, known: &[(String, &str)]) -> Option<(usize, String)> {
    let prefix = absolute_prefix(text)?;
    for (path, label) in known {
        if let Some(after) = text.strip_prefix(path.as_str()) {
            let slash = usize::from(after.starts_with('/') && !path.ends_with('/'));
            if after[slash..].chars().next().is_none_or(ends_path) {
                return Some((path.len() + slash, (*label).to_owned()));
            }
        }
    }
    let end = text[prefix..]
        .find(ends_path)
        .map_or(text.len(), |end| prefix + end);
    let name = text[prefix..end]
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()?;
    (!name.is_empty()).then(|| (end, name.to_owned()))
}

/// The length of what makes a path absolute.
fn absolute_prefix(text: &str) -> Option<usize> {
    let mut letters = text.chars();
    match (letters.next()?, letters.next(), letters.next()) {
        ('/', Some('/'), _) => None,
        ('/', ..) => Some(1),
        ('~', Some('/' | '\\'), _) | ('\\', Some('\\'), _) => Some(2),
        (drive, Some(':'), Some('\\' | '/')) if drive.is_ascii_alphabetic() => Some(3),
        _ => None,
    }
}

fn ends_path(letter: char) -> bool {
    letter.is_whitespace() || "\"'[]{},()+@#`".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::example_plans::v;

    /// Models at `/models/Qwen/Qwen2.5-0.5B` and `/models/Qwen/Qwen2.5-0.5B-Instruct`, labelled `base` and `instruct`.
    fn published(recipe: &str) -> String {
        let mut plan = v();
        plan.inputs[0].label = "base".to_owned();
        plan.inputs[1].label = "instruct".to_owned();
        plan.inputs[1].path = "/home/me/my models/chat".into();
        published_recipe(recipe, &plan)
    }

    #[test]
    fn paths_of_the_plan_become_its_labels() {
        assert_eq!(
            published("- model: /models/Qwen/Qwen2.5-0.5B\n"),
            "- model: base\n"
        );
        assert_eq!(
            published("base_model: \"/home/me/my models/chat/\" # why\n"),
            "base_model: \"instruct\" # why\n"
        );
    }

    #[test]
    fn a_longer_path_is_not_taken_for_a_known_one() {
        assert_eq!(
            published("model: /models/Qwen/Qwen2.5-0.5B-Chat"),
            "model: Qwen2.5-0.5B-Chat"
        );
    }

    #[test]
    fn other_absolute_paths_become_their_last_name() {
        assert_eq!(
            published("tokenizer_source: ~/tok\n# from /mnt/x/y.yml\n"),
            "tokenizer_source: tok\n# from y.yml\n"
        );
        assert_eq!(published("model: org/m+/loras/l"), "model: org/m+l");
        assert_eq!(published("model: 'C:\\Users\\me\\m'"), "model: 'm'");
        assert_eq!(published("models: [/a/b, /c/d]"), "models: [b, d]");
    }

    #[test]
    fn relative_paths_names_and_addresses_stay() {
        for text in [
            "model: ./models/a",
            "model: ../a/b",
            "model: Qwen/Qwen2.5-0.5B",
            "# https://a.b/c/d",
            "t: [0, 1] # 1 / 2",
        ] {
            assert_eq!(published(text), text);
        }
    }
}
