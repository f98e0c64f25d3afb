//! The files beside the weights that a conversation needs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use weightsmith_tensors::{MAX_SMALL_FILE_BYTES, json, read_companion, read_given_text};

use super::turn::TurnEnd;
use super::{ChatTemplate, SpecialTokens, Tokenizer};
use crate::Error;
use crate::generate::GenerationDefaults;

/// Tokenizer, chat template and generation defaults of a model.
#[derive(Debug)]
pub struct Companions {
    /// Text to tokens and back.
    pub tokenizer: Tokenizer,
    /// The chat template, if the model has one.
    pub template: Option<ChatTemplate>,
    /// Special tokens by name.
    pub special: SpecialTokens,
    /// Sampling, end of text, and the like.
    pub defaults: GenerationDefaults,
    /// How the template ends an answer, once somebody has asked.
    pub(super) turn_end: OnceLock<Option<TurnEnd>>,
    folder: PathBuf,
}

impl Companions {
    /// Reads them from a model's folder.
    ///
    /// # Errors
    /// When `tokenizer.json` is missing, or a file cannot be read or understood. A missing template is no error yet.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Self::read_with(folder, |name| match read_companion(&folder.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Reads them through a function that returns a file's bytes by its name: for a model whose files were not written.
    /// `folder` is for messages.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with(
        folder: &Path,
        file: impl Fn(&str) -> io::Result<Option<Vec<u8>>>,
    ) -> Result<Self, Error> {
        let bytes = file("tokenizer.json")?.ok_or_else(|| Error::MissingFile {
            path: folder.join("tokenizer.json"),
            needed_for: NO_TOKENIZER,
        })?;
        let tokenizer = Tokenizer::from_bytes(&bytes, &folder.join("tokenizer.json"))?;
        let value = |name: &str| -> Result<Value, Error> {
            let Some(bytes) = file(name)? else {
                return Ok(Value::Null);
            };
            json::read(&bytes).map_err(|problem| Error::File {
                path: folder.join(name),
                problem: format!("not JSON: {problem}"),
            })
        };
        let config = value("tokenizer_config.json")?;
        let special = SpecialTokens::of(&config, &value("special_tokens_map.json")?);
        let jinja = match file("chat_template.jinja")? {
            Some(bytes) => Some(String::from_utf8(bytes).map_err(|_| Error::File {
                path: folder.join("chat_template.jinja"),
                problem: "not UTF-8".to_owned(),
            })?),
            None => None,
        };
        let found = if let Some(source) = jinja {
            Some((source, "chat_template.jinja"))
        } else if let Some(source) = template_of(&config) {
            Some((source, "tokenizer_config.json"))
        } else {
            let source = template_of(&value("chat_template.json")?);
            source.map(|source| (source, "chat_template.json"))
        };
        let template = found
            .map(|(source, origin)| ChatTemplate::new(&source, origin, special.clone()))
            .transpose()?;
        let mut defaults = GenerationDefaults::from_json(
            &value("generation_config.json")?,
            &value("config.json")?,
        );
        defaults.add_end(
            special
                .get("eos_token")
                .and_then(|text| tokenizer.token(text)),
        );
        Ok(Self {
            tokenizer,
            template,
            special,
            defaults,
            turn_end: OnceLock::new(),
            folder: folder.to_owned(),
        })
    }

    /// The chat template.
    ///
    /// # Errors
    /// When the model has none.
    pub fn template(&self) -> Result<&ChatTemplate, Error> {
        self.template.as_ref().ok_or_else(|| Error::MissingFile {
            path: self.folder.join("chat_template.jinja"),
            needed_for: NO_TEMPLATE,
        })
    }

    /// Takes the chat template from a file instead.
    ///
    /// # Errors
    /// When it cannot be read or is not a template.
    pub fn use_template(&mut self, path: &Path) -> Result<(), Error> {
        let source = read_given_text(path, MAX_SMALL_FILE_BYTES)?;
        let origin = path.file_name().unwrap_or(path.as_os_str());
        let origin = origin.to_string_lossy();
        self.template = Some(ChatTemplate::new(&source, &origin, self.special.clone())?);
        self.turn_end = OnceLock::new();
        Ok(())
    }
}

const NO_TOKENIZER: &str = "it is required for text; convert `tokenizer.model` or `vocab.json` with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`";

const NO_TEMPLATE: &str = "chats need a chat template, and base models usually have none; pass one with `--template FILE`, or complete plain text with `generate`";

/// `chat_template` of a JSON file: a text, or a list of named ones, of which the default is meant.
fn template_of(config: &Value) -> Option<String> {
    let template = config.get("chat_template")?;
    if let Some(source) = template.as_str() {
        return Some(source.to_owned());
    }
    let list = template.as_array()?;
    let named = |name: &str| {
        let entry = list.iter().find(|entry| entry["name"] == name)?;
        entry["template"].as_str()
    };
    let first = || list.first()?["template"].as_str();
    named("default").or_else(first).map(str::to_owned)
}
