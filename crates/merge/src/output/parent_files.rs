//! What a card needs to know of the folders of the merged models.

use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

/// Longer texts are not read: a README with more than this is no README.
const MAX_BYTES: u64 = 16 << 20;

/// The README of a model's folder; `None` when there is none.
///
/// # Errors
/// When it cannot be read.
pub fn parent_readme(folder: &Path) -> io::Result<Option<String>> {
    let text = limited(&folder.join(super::MODEL_CARD))?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

/// True when the tokenizer in a folder has a chat template: in a file of its own, or in `tokenizer_config.json`.
pub fn has_chat_template(folder: &Path) -> bool {
    let own = ["chat_template.jinja", "chat_template.json"];
    if own.iter().any(|name| folder.join(name).is_file()) {
        return true;
    }
    let config = limited(&folder.join("tokenizer_config.json"))
        .ok()
        .flatten();
    let config = config.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    config.is_some_and(|config| {
        config
            .get("chat_template")
            .is_some_and(|template| !template.is_null())
    })
}

fn limited(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let file = match fs_err::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result?,
    };
    file.take(MAX_BYTES).read_to_end(&mut content)?;
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
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
        assert_eq!(parent_readme(folder.path()).unwrap(), None);
        fs_err::write(
            folder.path().join("README.md"),
            b"---\nlicense: mit\n---\n\xff",
        )
        .unwrap();
        assert!(
            parent_readme(folder.path())
                .unwrap()
                .unwrap()
                .starts_with("---\nlicense: mit\n")
        );
    }
}
