//! Which files of a model come along without being weights.

/// Whether a file, by its path in the model's folder, is one that is read and is not weights: configuration, tokenizer, templates,
/// indexes, licence, card. Code is none of them: nothing here runs it.
pub fn is_companion(path: &str) -> bool {
    const KINDS: [&str; 7] = ["json", "jinja", "txt", "model", "tiktoken", "md", "yml"];
    const NAMES: [&str; 4] = ["LICENSE", "LICENCE", "NOTICE", "COPYING"];
    const FOLDERS: [&str; 2] = ["additional_chat_templates", "chat_templates"];
    let name = match path.split_once('/') {
        None => path,
        Some((folder, name)) if FOLDERS.contains(&folder) && !name.contains('/') => name,
        Some(_) => return false,
    };
    let is_other_index =
        name.ends_with(".index.json") && !name.ends_with(".safetensors.index.json");
    let kind = name.rsplit_once('.').map(|(_, kind)| kind);
    !is_other_index
        && !name.starts_with('.')
        && (kind.is_some_and(|kind| KINDS.contains(&kind.to_ascii_lowercase().as_str()))
            || NAMES
                .iter()
                .any(|known| name.to_ascii_uppercase().starts_with(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_comes_along() {
        for path in [
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer.model",
            "merges.txt",
            "vocab.json",
            "chat_template.jinja",
            "additional_chat_templates/tools.jinja",
            "model.safetensors.index.json",
            "README.md",
            "LICENSE",
            "mergekit_config.yml",
        ] {
            assert!(is_companion(path), "{path}");
        }
        for path in [
            "pytorch_model.bin",
            "pytorch_model.bin.index.json",
            "model.safetensors",
            "consolidated.safetensors",
            "onnx/config.json",
            "original/params.json",
            ".gitattributes",
            "model.gguf",
            "picture.png",
            "runs/x.json",
            "modeling_custom.py",
            "tokenization_custom.PY",
        ] {
            assert!(!is_companion(path), "{path}");
        }
    }
}
