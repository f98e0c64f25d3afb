//! A decoder with its tokenizer and template.

use std::path::Path;
use std::sync::Arc;

use weightsmith_tensors::{Checkpoint, ModelSource};

use crate::text::Companions;
use crate::{Cancel, Decoder, DecoderConfig, DecoderOptions, Error, Pool};

/// A decoder and what it takes to talk with it.
#[derive(Debug)]
pub struct Model {
    /// Tokens to logits.
    pub decoder: Decoder,
    /// Text to tokens and back.
    pub companions: Companions,
}

impl Model {
    /// Opens a model folder: `config.json`, the weights, the tokenizer and what else a conversation needs.
    ///
    /// # Errors
    /// When a file is missing or not sound, or the model is of a kind that cannot be run.
    pub fn open(folder: &Path, pool: Arc<Pool>, options: DecoderOptions) -> Result<Self, Error> {
        Self::open_source(Arc::new(Checkpoint::open(folder)?), pool, options)
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

    /// Opens any model, such as a merge that was never written.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_source(
        source: Arc<dyn ModelSource>,
        pool: Arc<Pool>,
        options: DecoderOptions,
    ) -> Result<Self, Error> {
        Self::open_given(source, None, pool, options)
    }

    /// As [`Self::open_source`], with a chat template that goes before the model's own.
    ///
    /// # Errors
    /// As [`Self::open`], and when the file cannot be read or is no template.
    pub fn open_with_template(
        source: Arc<dyn ModelSource>,
        template: &Path,
        pool: Arc<Pool>,
        options: DecoderOptions,
    ) -> Result<Self, Error> {
        Self::open_given(source, Some(template), pool, options)
    }

    /// Small files first: what is wrong with them shows before the weights are read.
    fn open_given(
        source: Arc<dyn ModelSource>,
        template: Option<&Path>,
        pool: Arc<Pool>,
        options: DecoderOptions,
    ) -> Result<Self, Error> {
        let config = DecoderConfig::of(source.as_ref())?;
        let mut companions = Companions::of(source.as_ref())?;
        if let Some(template) = template {
            companions.use_template(template)?;
        }
        Ok(Self {
            decoder: Decoder::open(source, config, pool, options)?,
            companions,
        })
    }
}
