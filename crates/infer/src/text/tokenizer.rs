//! The model's tokenizer.

use std::path::Path;

use serde_json::Value;

use crate::Error;

/// Turns text into tokens and back: a `tokenizer.json`.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// Reads the bytes of a `tokenizer.json`; `path` is for messages.
    ///
    /// # Errors
    /// When they are not one.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let mut inner =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|problem| Error::File {
                path: path.to_owned(),
                problem: format!("not a tokenizer: {problem}"),
            })?;
        // files that were saved while training cut and pad to some length
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|problem| Error::Tokenizer(problem.to_string()))?;
        Ok(Self { inner })
    }

    /// The tokens of a text; with `special`, those the tokenizer puts around it, such as a beginning of text.
    ///
    /// A rendered chat template has them already.
    ///
    /// # Errors
    /// When the tokenizer cannot handle the text.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, Error> {
        self.inner
            .encode_fast(text, special)
            .map(|encoding| encoding.get_ids().to_vec())
            .map_err(|problem| Error::Tokenizer(problem.to_string()))
    }

    /// The text of some tokens; with `skip_special`, without special ones.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn decode(&self, tokens: &[u32], skip_special: bool) -> Result<String, Error> {
        self.inner
            .decode(tokens, skip_special)
            .map_err(|problem| Error::Tokenizer(problem.to_string()))
    }

    /// The number of a token.
    pub fn token(&self, text: &str) -> Option<u32> {
        self.inner.token_to_id(text)
    }

    /// A token as the vocabulary has it, which is not always text.
    pub fn name(&self, token: u32) -> Option<String> {
        self.inner.id_to_token(token)
    }

    /// Number of tokens, added ones included.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}

/// Special tokens that a chat template may use by name, as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpecialTokens {
    /// Pairs such as `bos_token` and `<s>`.
    pub named: Vec<(String, String)>,
}

impl SpecialTokens {
    /// Reads them from a `tokenizer_config.json` (or a `special_tokens_map.json`).
    pub fn from_json(config: &Value) -> Self {
        let names = [
            "bos_token",
            "eos_token",
            "unk_token",
            "pad_token",
            "sep_token",
            "cls_token",
        ];
        let text = |name: &str| {
            let value = config.get(name)?;
            let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
            Some((name.to_owned(), text.to_owned()))
        };
        Self {
            named: names.into_iter().filter_map(text).collect(),
        }
    }

    /// The text of the token of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.named
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }
}
