//! References to models.

use std::fmt;

use crate::model::{WebAddress, is_in_store, web_address};

/// Which model: a local folder, a name on the Hugging Face Hub, perhaps with a revision and a LoRA, or an address in an object store.
///
/// Two references are equal when their parts are; `raw` does not count.
#[derive(Debug, Clone)]
pub struct ModelReference {
    /// As written; for the mapping form, the parts in the short form `path@revision+lora`.
    pub raw: String,
    /// Local path, or `organization/name`.
    pub path: String,
    /// Branch, tag or commit on the Hub.
    pub revision: Option<String>,
    /// A LoRA to be merged into the model first.
    pub lora: Option<ModelPath>,
    /// Read the model as if its `config.json` named this architecture.
    pub override_architecture: Option<String>,
}

/// A local path, or a name on the Hub with an optional revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelPath {
    /// Local path, or `organization/name`.
    pub path: String,
    /// Branch, tag or commit on the Hub.
    pub revision: Option<String>,
}

/// Why a text is not a model reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModelReference {
    /// Nothing but white space.
    #[error("a model reference must not be empty")]
    Empty,
    /// Nothing on one side of a `+` or before an `@`.
    #[error("model reference `{0}` has no path")]
    MissingPath(String),
    /// Nothing behind an `@`.
    #[error("model reference `{0}` has no revision after `@`")]
    MissingRevision(String),
    /// A web address that is no model's page on the Hub.
    #[error(
        "`{0}` is a web address, expected a folder or a name on the Hub such as `organization/name`"
    )]
    WebAddress(String),
    /// More than one `+`, and no part of the text is a local path.
    #[error("model reference `{0}` has more than one `+`, expected `model` or `model+lora`")]
    SeveralLoras(String),
    /// More than one `@`, and the text is no local path.
    #[error("model reference `{0}` has more than one `@`, expected `path` or `path@revision`")]
    SeveralRevisions(String),
}

impl ModelPath {
    /// Reads `path` or `path@revision`, or the address of a model's page on the Hub.
    ///
    /// `exists` says whether a text is an existing local path; such a text is taken whole, whatever `@` it has.
    pub fn parse(text: &str, exists: &dyn Fn(&str) -> bool) -> Result<Self, InvalidModelReference> {
        if text.trim().is_empty() {
            return Err(InvalidModelReference::Empty);
        }
        match web_address(text) {
            // what is a page can only be the Hub's, whatever folders there are
            Some(WebAddress::Model { name, revision }) => {
                return Ok(Self {
                    path: format!("hf://{name}"),
                    revision,
                });
            }
            Some(WebAddress::Other) => {
                return Err(InvalidModelReference::WebAddress(text.to_owned()));
            }
            None => {}
        }
        if is_in_store(text) || !text.contains('@') || exists(text) {
            return Ok(Self::without_revision(text));
        }
        match text.split_once('@') {
            Some((_, revision)) if revision.contains('@') => {
                Err(InvalidModelReference::SeveralRevisions(text.to_owned()))
            }
            Some((path, _)) if path.trim().is_empty() => {
                Err(InvalidModelReference::MissingPath(text.to_owned()))
            }
            Some((_, revision)) if revision.trim().is_empty() => {
                Err(InvalidModelReference::MissingRevision(text.to_owned()))
            }
            Some((path, revision)) => Ok(Self {
                path: path.to_owned(),
                revision: Some(revision.to_owned()),
            }),
            None => Ok(Self::without_revision(text)),
        }
    }

    /// A path taken literally.
    pub fn without_revision(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            revision: None,
        }
    }
}

impl fmt::Display for ModelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

impl ModelReference {
    /// Reads `path`, `organization/name`, `name@revision` or `model+lora`.
    ///
    /// `exists` says whether a text is an existing local path. Such a path wins over the meaning of `@` and `+`:
    /// a text that exists is a path as a whole; else, of several `+`, the last one with an existing path
    /// before it separates the LoRA.
    pub fn parse(text: &str, exists: &dyn Fn(&str) -> bool) -> Result<Self, InvalidModelReference> {
        if is_in_store(text) {
            // names of objects may have `@` and `+`
            let model = ModelPath::without_revision(text);
            return Ok(Self::from_parts(model, None, None));
        }
        let (model, lora) = match split_lora(text, exists)? {
            Some((model, lora)) => (model, Some(ModelPath::parse(lora, exists)?)),
            None => (text, None),
        };
        let model = ModelPath::parse(model, exists)?;
        Ok(Self {
            raw: text.to_owned(),
            ..Self::from_parts(model, lora, None)
        })
    }

    /// A reference made of its parts; `raw` becomes the short form.
    pub fn from_parts(
        model: ModelPath,
        lora: Option<ModelPath>,
        override_architecture: Option<String>,
    ) -> Self {
        let raw = match &lora {
            Some(lora) => format!("{model}+{lora}"),
            None => model.to_string(),
        };
        Self {
            raw,
            path: model.path,
            revision: model.revision,
            lora,
            override_architecture,
        }
    }
}

/// The texts before and behind the `+` that separates a LoRA, if one does.
fn split_lora<'a>(
    text: &'a str,
    exists: &dyn Fn(&str) -> bool,
) -> Result<Option<(&'a str, &'a str)>, InvalidModelReference> {
    if !text.contains('+') || exists(text) {
        return Ok(None);
    }
    let local = text
        .rmatch_indices('+')
        .map(|(at, _)| (&text[..at], &text[at + 1..]))
        .find(|(model, _)| exists(model));
    if local.is_some() {
        return Ok(local);
    }
    match text.split_once('+') {
        Some((model, lora)) if model.trim().is_empty() || lora.trim().is_empty() => {
            Err(InvalidModelReference::MissingPath(text.to_owned()))
        }
        Some((_, lora)) if lora.contains('+') && !exists(lora) => {
            Err(InvalidModelReference::SeveralLoras(text.to_owned()))
        }
        parts => Ok(parts),
    }
}

impl PartialEq for ModelReference {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
            && self.revision == other.revision
            && self.lora == other.lora
            && self.override_architecture == other.override_architecture
    }
}

impl Eq for ModelReference {}

impl fmt::Display for ModelReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing_exists(_: &str) -> bool {
        false
    }

    fn parse(text: &str) -> ModelReference {
        ModelReference::parse(text, &nothing_exists).expect("a valid reference")
    }

    fn parts(reference: &ModelReference) -> (&str, Option<&str>, Option<String>) {
        (
            &reference.path,
            reference.revision.as_deref(),
            reference.lora.as_ref().map(ToString::to_string),
        )
    }

    #[test]
    fn a_plain_name_is_a_path() {
        let reference = parse("Qwen/Qwen2.5-0.5B");
        assert_eq!(parts(&reference), ("Qwen/Qwen2.5-0.5B", None, None));
        assert_eq!(reference.to_string(), "Qwen/Qwen2.5-0.5B");
    }

    #[test]
    fn at_separates_the_revision_and_plus_the_lora() {
        let reference = parse("org/model@v1+org/lora@main");
        assert_eq!(
            parts(&reference),
            ("org/model", Some("v1"), Some("org/lora@main".to_owned()))
        );
        assert_eq!(reference.raw, "org/model@v1+org/lora@main");
    }

    #[test]
    fn an_address_in_a_store_is_taken_whole() {
        let reference = parse("s3://bucket/a+b@c");
        assert_eq!(parts(&reference), ("s3://bucket/a+b@c", None, None));
        let reference = parse("hf://org/model@v1");
        assert_eq!(parts(&reference), ("hf://org/model", Some("v1"), None));
    }

    #[test]
    fn an_existing_path_wins_over_at_and_plus() {
        let exists = |path: &str| path == "/m/a+b@c";
        let reference = ModelReference::parse("/m/a+b@c", &exists).expect("valid");
        assert_eq!(parts(&reference), ("/m/a+b@c", None, None));
    }

    #[test]
    fn the_lora_of_a_path_with_plus_is_found() {
        let exists = |path: &str| path == "/m/a+b";
        let reference = ModelReference::parse("/m/a+b+/l/c", &exists).expect("valid");
        assert_eq!(parts(&reference), ("/m/a+b", None, Some("/l/c".to_owned())));
    }

    #[test]
    fn an_existing_lora_with_plus_is_found() {
        let exists = |path: &str| path == "l+1";
        let reference = ModelReference::parse("org/m+l+1", &exists).expect("valid");
        assert_eq!(parts(&reference), ("org/m", None, Some("l+1".to_owned())));
    }

    #[test]
    fn an_existing_base_with_at_keeps_it_before_a_lora() {
        let exists = |path: &str| path == "/m/x@y";
        let reference = ModelReference::parse("/m/x@y+org/l", &exists).expect("valid");
        assert_eq!(
            parts(&reference),
            ("/m/x@y", None, Some("org/l".to_owned()))
        );
    }

    #[test]
    fn drive_letters_backslashes_and_spaces_are_kept() {
        for path in [r"C:\models\my model", "D:/a b/c", r"\\server\share\m"] {
            assert_eq!(parts(&parse(path)), (path, None, None));
        }
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        use InvalidModelReference as E;
        let error = |text: &str| {
            ModelReference::parse(text, &nothing_exists).expect_err("an invalid reference")
        };
        assert_eq!(error(" "), E::Empty);
        assert_eq!(error("@main"), E::MissingPath("@main".into()));
        assert_eq!(error("m@"), E::MissingRevision("m@".into()));
        assert_eq!(error("m+"), E::MissingPath("m+".into()));
        assert_eq!(error("+l"), E::MissingPath("+l".into()));
        assert_eq!(error("a+b+c"), E::SeveralLoras("a+b+c".into()));
        assert_eq!(error("a@b@c"), E::SeveralRevisions("a@b@c".into()));
    }

    #[test]
    fn references_are_equal_by_their_parts() {
        let mapping = ModelReference::from_parts(
            ModelPath {
                path: "m".into(),
                revision: Some("r".into()),
            },
            None,
            None,
        );
        assert_eq!(parse("m@r"), mapping);
        assert_ne!(parse("m"), mapping);
    }
}
