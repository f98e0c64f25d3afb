//! Where a model's chat template is.

use std::io;

use serde_json::Value;
use weightsmith_tensors::json;

/// Files that hold nothing but templates, in the order in which loaders look.
const OWN_FILES: [&str; 2] = ["chat_template.jinja", "chat_template.json"];

const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

/// The file with a model's chat template, in the order in which loaders look: one of its own, or `tokenizer_config.json`, where a
/// template of `null` is none. `file` gives the content of a file by its name.
///
/// # Errors
/// When a file cannot be read.
pub fn chat_template_file(
    file: &dyn Fn(&str) -> io::Result<Option<Vec<u8>>>,
) -> io::Result<Option<&'static str>> {
    for name in OWN_FILES {
        if file(name)?.is_some() {
            return Ok(Some(name));
        }
    }
    let Some(config) = file(TOKENIZER_CONFIG)? else {
        return Ok(None);
    };
    let config: Option<Value> = json::read(&config).ok();
    let template = config.as_ref().and_then(|it| it.get("chat_template"));
    Ok(template
        .is_some_and(|template| !template.is_null())
        .then_some(TOKENIZER_CONFIG))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<&'static str> {
        let read = |name: &str| {
            let mut files = files.iter();
            let found = files.find(|(known, _)| *known == name);
            Ok(found.map(|(_, content)| content.as_bytes().to_vec()))
        };
        chat_template_file(&read).unwrap()
    }

    #[test]
    fn a_chat_template_is_found_in_either_place() {
        let config = |text| ("tokenizer_config.json", text);
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[config("{}")]), None);
        assert_eq!(found(&[config("damaged")]), None);
        assert_eq!(found(&[config("{\"chat_template\": null}")]), None);
        let inside = config("{\"chat_template\": \"{{ messages }}\"}");
        assert_eq!(found(&[inside]), Some("tokenizer_config.json"));
        for own in ["chat_template.json", "chat_template.jinja"] {
            assert_eq!(found(&[(own, "{{ messages }}"), inside]), Some(own));
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let refuse = |_: &str| Err(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(chat_template_file(&refuse).is_err());
    }
}
