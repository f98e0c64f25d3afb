//! Which files of a repository a merge needs.

use std::path::Path;

use weightsmith_tensors::{Error, WeightFiles};

use crate::HubError;
use crate::listing::{HubFile, Listing};

/// The largest file that comes along without being weights.
const LARGEST_COMPANION: u64 = 1 << 30;

impl Listing {
    /// Configuration, tokenizer, templates, indexes, licence and card: everything that is read and is not weights. No code: nothing
    /// here runs any.
    pub(crate) fn companions(&self) -> Vec<&HubFile> {
        let needed = |file: &&HubFile| is_companion(&file.path) && file.size <= LARGEST_COMPANION;
        self.files.iter().filter(needed).collect()
    }

    /// The weights: an index, or the files themselves.
    pub(crate) fn weights(&self) -> Result<WeightFiles, HubError> {
        match WeightFiles::choose(Path::new(&self.name.repository), &self.top_names()) {
            Err(Error::NoWeights { found, .. }) => Err(HubError::NoWeights {
                model: self.name.to_string(),
                found,
            }),
            other => Ok(other?),
        }
    }

    /// The files of these names.
    pub(crate) fn named(&self, names: &[String]) -> Result<Vec<&HubFile>, HubError> {
        let find = |name: &String| {
            self.file(name).ok_or_else(|| HubError::NoFile {
                model: self.name.repository.clone(),
                file: name.clone(),
                revision: self.commit.clone(),
            })
        };
        names.iter().map(find).collect()
    }
}

fn is_companion(path: &str) -> bool {
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
