//! A decoder with its tokenizer and template, from a folder or from parts.

use std::io;
use std::path::Path;
use std::sync::Arc;

use weightsmith_tensors::{Checkpoint, TensorSource, json, read_companion};

use crate::text::Companions;
use crate::{Cancel, ConfigError, Decoder, DecoderOptions, Error, ModelConfig, Pool};

/// A decoder and what it takes to talk with it.
#[derive(Debug)]
pub struct Model {
    /// Tokens to logits.
    pub decoder: Decoder,
    /// Text to tokens and back.
    pub companions: Companions,
}

/// What goes before the files of a model's folder.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overrides<'a> {
    /// The text of `config.json`: a merge that was not written has none in a folder.
    pub config: Option<&'a str>,
    /// A file with a chat template.
    pub template: Option<&'a Path>,
}

impl Model {
    /// Opens a model folder: `config.json`, the weights, the tokenizer and what else a conversation needs.
    ///
    /// # Errors
    /// When a file is missing or not sound, or the model is of a kind that cannot be run.
    pub fn open(folder: &Path, pool: Arc<Pool>, options: DecoderOptions) -> Result<Self, Error> {
        let source = Arc::new(Checkpoint::open(folder)?);
        Self::assemble(source, folder, Overrides::default(), pool, options)
    }

    /// The tokens of a prompt, if they fit the model's positions: a text that cannot is not taken apart to its end.
    ///
    /// # Errors
    /// [`Error::TooLong`] with the number of tokens, or [`Error::TooManyTokens`] where it is not known.
    pub fn prompt_tokens(&self, text: &str, special: bool) -> Result<Vec<u32>, Error> {
        let positions = self.decoder.config().positions;
        let tokenizer = &self.companions.tokenizer;
        match tokenizer.encode_within(text, special, positions, &Cancel::default()) {
            Err(Error::TooManyTokens {
                found: Some(wanted),
                ..
            }) => Err(Error::TooLong {
                wanted,
                cached: 0,
                new: wanted,
                positions,
            }),
            tokens => tokens,
        }
    }

    /// Puts a model together from tensors that may come from anywhere and the small files of a folder.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn assemble(
        source: Arc<dyn TensorSource>,
        folder: &Path,
        overrides: Overrides<'_>,
        pool: Arc<Pool>,
        options: DecoderOptions,
    ) -> Result<Self, Error> {
        let file = |name: &str| -> io::Result<Option<Vec<u8>>> {
            if let (Some(config), "config.json") = (overrides.config, name) {
                return Ok(Some(config.as_bytes().to_vec()));
            }
            match read_companion(&folder.join(name)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        let path = folder.join("config.json");
        let text = file("config.json")?.ok_or_else(|| Error::MissingFile {
            path: path.clone(),
            needed_for: "it describes the model's architecture",
        })?;
        let value = json::read(&text).map_err(|problem| Error::Config {
            path: path.clone(),
            problem: ConfigError::Json(problem),
        })?;
        let config =
            ModelConfig::from_json(&value).map_err(|problem| Error::Config { path, problem })?;
        let mut companions = Companions::read_with(folder, file)?;
        if let Some(template) = overrides.template {
            companions.use_template(template)?;
        }
        let decoder = Decoder::open(source, config, pool, options)?;
        Ok(Self {
            decoder,
            companions,
        })
    }
}
