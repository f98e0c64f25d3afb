//! The metadata block of a model card that the Hugging Face Hub reads.
//! <https://huggingface.co/docs/hub/model-cards#model-card-metadata>

#![expect(
    clippy::format_push_string,
    reason = "text is put together once; `write!` would only add a result to drop"
)]

use serde_json::Value;

use super::front_matter::FrontMatter;

/// What the hub is told about a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HubMetadata {
    pub(super) base_models: Vec<String>,
    pub(super) library: Option<&'static str>,
    pub(super) pipeline: Option<&'static str>,
    pub(super) license: Agreement,
    pub(super) language: Vec<String>,
}

/// What the merged models' READMEs say about their licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Agreement {
    /// All state this one.
    Same(License),
    /// They differ, or some state none: each model's own, in their order.
    Differing(Vec<Option<License>>),
}

/// A licence as the hub's metadata has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct License {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) link: Option<String>,
}

impl License {
    /// The licence's own name where it has one.
    pub(super) fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

impl HubMetadata {
    /// Reads the models' READMEs and the result's config.
    pub(super) fn gather(
        labels: &[&str],
        readmes: &[Option<String>],
        config: Option<&Value>,
        sentences: bool,
    ) -> Self {
        let matters: Vec<FrontMatter> = (0..labels.len())
            .map(|model| {
                readmes
                    .get(model)
                    .and_then(Option::as_deref)
                    .map(FrontMatter::parse)
                    .unwrap_or_default()
            })
            .collect();
        let mut base_models: Vec<String> = Vec::new();
        for label in labels {
            if !base_models.iter().any(|known| known == label) {
                base_models.push((*label).to_owned());
            }
        }
        let first = matters
            .first()
            .map(|matter| matter.language.clone())
            .unwrap_or_default();
        let agreed = matters.iter().all(|matter| matter.language == first);
        Self {
            base_models,
            library: config.map(|_| {
                if sentences {
                    "sentence-transformers"
                } else {
                    "transformers"
                }
            }),
            pipeline: config.and_then(|config| pipeline(config, sentences)),
            license: agreement(&matters),
            language: if agreed { first } else { Vec::new() },
        }
    }

    /// The block with its lines of `---`.
    pub(super) fn to_yaml(&self) -> String {
        let mut yaml = "---\n".to_owned();
        list(&mut yaml, "base_model", &self.base_models);
        yaml += "base_model_relation: merge\n";
        entry(&mut yaml, "library_name", self.library);
        entry(&mut yaml, "pipeline_tag", self.pipeline);
        if let Agreement::Same(license) = &self.license {
            entry(&mut yaml, "license", Some(&license.id));
            entry(&mut yaml, "license_name", license.name.as_deref());
            entry(&mut yaml, "license_link", license.link.as_deref());
        }
        list(&mut yaml, "language", &self.language);
        list(&mut yaml, "tags", &["merge", "weightsmith"]);
        yaml + "---\n"
    }
}

fn agreement(matters: &[FrontMatter]) -> Agreement {
    let licenses: Vec<Option<License>> = matters
        .iter()
        .map(|matter| {
            Some(License {
                id: matter.license.clone()?,
                name: matter.license_name.clone(),
                link: matter.license_link.clone(),
            })
        })
        .collect();
    match licenses.first() {
        Some(Some(first))
            if licenses
                .iter()
                .all(|license| license.as_ref().is_some_and(|license| same(license, first))) =>
        {
            Agreement::Same(first.clone())
        }
        _ => Agreement::Differing(licenses),
    }
}

/// `other` is the same licence only under the same name; links to copies of a known licence do not matter.
fn same(a: &License, b: &License) -> bool {
    a.id == b.id && (a.id != "other" || (a.name.is_some() && a.name == b.name))
}

/// What the model is for, from its architecture's name; `None` where that does not tell.
fn pipeline(config: &Value, sentences: bool) -> Option<&'static str> {
    if sentences {
        return Some("sentence-similarity");
    }
    let architecture = config.get("architectures")?.get(0)?.as_str()?;
    let endings = [
        ("ForCausalLM", "text-generation"),
        ("LMHeadModel", "text-generation"),
        ("ForSpeechSeq2Seq", "automatic-speech-recognition"),
        ("ForMaskedLM", "fill-mask"),
        ("ForSequenceClassification", "text-classification"),
        ("ForTokenClassification", "token-classification"),
        ("ForQuestionAnswering", "question-answering"),
        ("ForImageClassification", "image-classification"),
        ("Model", "feature-extraction"),
    ];
    if architecture.starts_with("Whisper") {
        return Some("automatic-speech-recognition");
    }
    if architecture.ends_with("ForConditionalGeneration") {
        return config.get("vision_config").map(|_| "image-text-to-text");
    }
    endings
        .into_iter()
        .find_map(|(ending, task)| architecture.ends_with(ending).then_some(task))
}

fn entry(yaml: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        *yaml += &format!("{key}: {}\n", scalar(value));
    }
}

fn list<S: AsRef<str>>(yaml: &mut String, key: &str, values: &[S]) {
    if values.is_empty() {
        return;
    }
    *yaml += &format!("{key}:\n");
    for value in values {
        *yaml += &format!("- {}\n", scalar(value.as_ref()));
    }
}

/// A YAML scalar that every parser, of YAML 1.1 too, reads as this text.
fn scalar(text: &str) -> String {
    const WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let letters = text.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let plain = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter));
    let address = (text.starts_with("https://") || text.starts_with("http://"))
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_./:".contains(letter))
        && !text.ends_with(':');
    if (letters && plain && !WORDS.contains(&text.to_ascii_lowercase().as_str())) || address {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gather(readmes: &[&str]) -> HubMetadata {
        let labels: Vec<&str> = ["a/x", "b/y", "c/z"][..readmes.len()].to_vec();
        let readmes: Vec<Option<String>> = readmes
            .iter()
            .map(|readme| Some((*readme).to_owned()))
            .collect();
        HubMetadata::gather(&labels, &readmes, None, false)
    }

    #[test]
    fn a_licence_is_copied_when_all_models_state_it() {
        let metadata = gather(&[
            "---\nlicense: mit\n---\n",
            "---\nlicense: mit\nlicense_link: https://b/y\n---\n",
        ]);
        assert!(
            metadata.to_yaml().contains("\nlicense: mit\n"),
            "{}",
            metadata.to_yaml()
        );
        for other in ["---\nlicense: apache-2.0\n---\n", "no metadata"] {
            assert!(
                !gather(&["---\nlicense: mit\n---\n", other])
                    .to_yaml()
                    .contains("license")
            );
        }
    }

    #[test]
    fn other_licences_are_the_same_under_the_same_name_only() {
        let other = |name: &str| format!("---\nlicense: other\nlicense_name: {name}\n---\n");
        assert!(
            gather(&[&other("gemma"), &other("gemma")])
                .to_yaml()
                .contains("license_name: gemma")
        );
        assert!(
            !gather(&[&other("gemma"), &other("llama")])
                .to_yaml()
                .contains("license")
        );
        assert!(
            !gather(&["---\nlicense: other\n---\n", "---\nlicense: other\n---\n"])
                .to_yaml()
                .contains("license")
        );
    }

    #[test]
    fn the_task_follows_from_the_architecture() {
        for (architecture, task) in [
            ("Qwen2ForCausalLM", Some("text-generation")),
            ("GPT2LMHeadModel", Some("text-generation")),
            ("BertModel", Some("feature-extraction")),
            ("BertForMaskedLM", Some("fill-mask")),
            (
                "WhisperForConditionalGeneration",
                Some("automatic-speech-recognition"),
            ),
            ("T5ForConditionalGeneration", None),
            ("Something", None),
        ] {
            assert_eq!(
                pipeline(&json!({ "architectures": [architecture] }), false),
                task,
                "{architecture}"
            );
        }
        assert_eq!(
            pipeline(&json!({ "architectures": ["BertModel"] }), true),
            Some("sentence-similarity")
        );
        assert_eq!(pipeline(&json!({}), false), None);
    }

    #[test]
    fn scalars_that_yaml_would_read_as_something_else_are_quoted() {
        for (text, yaml) in [
            ("apache-2.0", "apache-2.0"),
            ("org/name", "org/name"),
            ("https://a.b/c", "https://a.b/c"),
            ("no", "\"no\""),
            ("1e5", "\"1e5\""),
            ("a: b", "\"a: b\""),
            ("line\nbreak \"x\"", "\"line\\nbreak \\\"x\\\"\""),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), yaml);
        }
    }

    #[test]
    fn a_model_that_is_merged_with_itself_is_listed_once() {
        let metadata = HubMetadata::gather(&["a/x", "a/x"], &[], None, false);
        assert_eq!(metadata.base_models, ["a/x"]);
    }
}
