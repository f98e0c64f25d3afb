//! Which files of a folder belong to a model, where no lock lists them.

/// Names of files that loaders ask for, or that say what a model is.
const NAMES: [&str; 19] = [
    "README.md",
    "mergekit_config.yml",
    "weightsmith.lock.json",
    "weightsmith-shares.svg",
    "tokenizer.model",
    "tokenizer.json",
    "vocab.json",
    "vocab.txt",
    "vocab.bpe",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
    "modules.json",
    "chat_template.json",
    "config_sentence_transformers.json",
    "preprocessor_config.json",
];

/// Ends of names of such files.
const ENDS: [&str; 7] = [
    ".safetensors",
    ".safetensors.index.json",
    "_config.json",
    "config.json",
    ".jinja",
    ".tiktoken",
    ".py",
];

/// Beginnings of names of texts about a model's terms.
const TERMS: [&str; 5] = ["license", "licence", "notice", "use_policy", "copying"];

const PICTURES: [&str; 6] = [".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif"];

/// Whether a file is one of those that models consist of.
pub(super) fn is_of_model(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_known = NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end));
    is_terms(path) || (is_known && (folder.is_empty() || is_module(folder)))
        // the hub's form of scores
        || (folder == ".eval_results" && name.strip_suffix(".yaml").is_some())
}

/// Whether a text says under which terms the model is.
pub(super) fn is_terms(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    !path.contains('/') && TERMS.iter().any(|term| name.starts_with(term))
}

/// Whether a file is a picture, which a card may show.
pub(super) fn is_picture(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    PICTURES.iter().any(|end| name.ends_with(end))
}

/// Folders of parts of a model: `1_Pooling`, `additional_chat_templates`.
fn is_module(folder: &str) -> bool {
    let number = folder.split_once('_').map_or("", |(number, _)| number);
    let is_numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_numbered || folder == "additional_chat_templates"
}

/// Whether a path fits a pattern: `*` stands for letters of a name, `**` for folders too, `?` for a letter. A pattern without `/` is one
/// for names, wherever they lie.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = pattern.trim_end_matches('/');
    matches(pattern.as_bytes(), path.as_bytes())
        || (!pattern.contains('/') && matches(pattern.as_bytes(), name.as_bytes()))
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // the place after the last star, the text that it began with, and whether it crosses folders
    let mut star: Option<(usize, usize, bool)> = None;
    let (mut at, mut read) = (0, 0);
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                let crosses = pattern.get(at + 1) == Some(&b'*');
                at += if crosses { 2 } else { 1 };
                star = Some((at, read, crosses));
                continue;
            }
            Some(b'?') if text[read] != b'/' => {}
            Some(letter) if *letter == text[read] => {}
            _ => match star {
                Some((after, begin, crosses)) if crosses || text[begin] != b'/' => {
                    star = Some((after, begin + 1, crosses));
                    (at, read) = (after, begin + 1);
                    continue;
                }
                _ => return false,
            },
        }
        (at, read) = (at + 1, read + 1);
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_models_are_known_and_others_are_not() {
        for name in [
            "config.json",
            "generation_config.json",
            "model-00001-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json",
            "chat_template.jinja",
            "modeling_new.py",
            "LICENSE.txt",
            "1_Pooling/config.json",
            ".eval_results/a.yaml",
        ] {
            assert!(is_of_model(name), "{name}");
        }
        for name in [
            "id_rsa",
            "secrets.txt",
            "credentials.json",
            "wandb/run/config.json",
            "core",
            "notes.md",
            "train.log",
            "optimizer.pt",
        ] {
            assert!(!is_of_model(name), "{name}");
        }
    }

    #[test]
    fn patterns_fit_names_paths_and_folders() {
        for (pattern, path) in [
            ("*.txt", "a.txt"),
            ("*.txt", "docs/a.txt"),
            ("docs/*", "docs/a.txt"),
            ("docs", "docs/deep/a.txt"),
            ("docs/", "docs/a.txt"),
            ("**/a.*", "docs/deep/a.txt"),
            ("docs/**", "docs/deep/a.txt"),
            ("?.txt", "a.txt"),
            ("a*b*c", "aXbbYc"),
        ] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.txt", "a.text"),
            ("docs/*", "docs/deep/a.txt"),
            ("doc", "docs/a.txt"),
            ("?.txt", "ab.txt"),
            ("", "a"),
        ] {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }
}
