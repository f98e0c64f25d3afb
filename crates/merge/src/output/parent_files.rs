//! What a card needs to know of the folders of the merged models.

use std::io;
use std::path::Path;

use serde_json::Value;
use weightsmith_tensors::{ModelFiles, json, read_companion};

/// The README of a model; `None` when there is none.
///
/// # Errors
/// When it cannot be read.
pub fn parent_readme(files: &(impl ModelFiles + ?Sized)) -> io::Result<Option<String>> {
    let text = files.file(super::MODEL_CARD)?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

/// True when the tokenizer in a folder has a chat template: in a file of its own, or in `tokenizer_config.json`.
pub fn has_chat_template(folder: &Path) -> bool {
    let own = ["chat_template.jinja", "chat_template.json"];
    if own.iter().any(|name| folder.join(name).is_file()) {
        return true;
    }
    let config = existing(&folder.join("tokenizer_config.json"))
        .ok()
        .flatten();
    let config = config.and_then(|bytes| json::read::<Value>(&bytes).ok());
    config.is_some_and(|config| {
        config
            .get("chat_template")
            .is_some_and(|template| !template.is_null())
    })
}

fn existing(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read_companion(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use weightsmith_tensors::ModelFolder;

    use super::*;

    #[test]
    fn a_chat_template_is_found_in_either_place() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs_err::write(folder.path().join(name), text).unwrap();
        assert!(!has_chat_template(folder.path()));
        write("tokenizer_config.json", "{\"chat_template\": null}");
        assert!(!has_chat_template(folder.path()));
        write(
            "tokenizer_config.json",
            "{\"chat_template\": \"{{ messages }}\"}",
        );
        assert!(has_chat_template(folder.path()));
        write("tokenizer_config.json", "damaged");
        write("chat_template.jinja", "{{ messages }}");
        assert!(has_chat_template(folder.path()));
    }

    #[test]
    fn a_readme_is_read_whatever_its_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let files = ModelFolder::new(folder.path());
        assert_eq!(parent_readme(&files).unwrap(), None);
        fs_err::write(
            folder.path().join("README.md"),
            b"---\nlicense: mit\n---\n\xff",
        )
        .unwrap();
        assert!(
            parent_readme(&files)
                .unwrap()
                .unwrap()
                .starts_with("---\nlicense: mit\n")
        );
    }
}
