//! The files beside the weights that a conversation needs.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use weightsmith_tensors::{MAX_SMALL_FILE_BYTES, ModelFiles, ModelFolder, json, read_given_text};

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
    /// Where a template is, or would be.
    template_path: PathBuf,
}

impl Companions {
    /// Reads them from a model's folder.
    ///
    /// # Errors
    /// When `tokenizer.json` is missing, or a file cannot be read or understood. A missing template is no error yet.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Self::of(&ModelFolder::new(folder))
    }

    /// Reads them from the files of a model.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of(files: &(impl ModelFiles + ?Sized)) -> Result<Self, Error> {
        let path = files.path_of("tokenizer.json");
        let bytes = files.file("tokenizer.json")?;
        let bytes = bytes.ok_or_else(|| Error::MissingFile {
            path: path.clone(),
            needed_for: NO_TOKENIZER,
        })?;
        let tokenizer = Tokenizer::from_bytes(&bytes, &path)?;
        let value = |name: &str| -> Result<Value, Error> {
            let Some(bytes) = files.file(name)? else {
                return Ok(Value::Null);
            };
            json::read(&bytes).map_err(|problem| Error::File {
                path: files.path_of(name),
                problem: format!("not JSON: {problem}"),
            })
        };
        let config = value("tokenizer_config.json")?;
        let special = SpecialTokens::of(&config, &value("special_tokens_map.json")?);
        let jinja = match files.file("chat_template.jinja")? {
            Some(bytes) => Some(String::from_utf8(bytes).map_err(|_| Error::File {
                path: files.path_of("chat_template.jinja"),
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
            template_path: files.path_of("chat_template.jinja"),
        })
    }

    /// The chat template.
    ///
    /// # Errors
    /// When the model has none.
    pub fn template(&self) -> Result<&ChatTemplate, Error> {
        self.template.as_ref().ok_or_else(|| Error::MissingFile {
            path: self.template_path.clone(),
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
