//! Text from tokens as they come, never in the middle of a character.

use super::Tokenizer;
use crate::Error;

/// Tokens that are kept back at most while their bytes make no character.
const MOST_PENDING: usize = 16;

/// Puts tokens together to text, piece by piece.
///
/// A token may be part of a character, and what it looks like may depend on those before it (a blank at the beginning of a
/// word). So the text of the last tokens is compared with and without the newest, and what is not a whole character waits.
#[derive(Debug, Clone, Default)]
pub struct TextStream {
    tokens: Vec<u32>,
    /// The tokens before this one serve as context only.
    given: usize,
    skip_special: bool,
}

impl TextStream {
    /// A stream that follows on from some tokens, the end of the prompt. Special tokens have no text with `skip_special`.
    pub fn new(context: &[u32], skip_special: bool) -> Self {
        /// Enough for any decoder's view back.
        const CONTEXT: usize = 6;
        let tokens = context[context.len().saturating_sub(CONTEXT)..].to_vec();
        Self {
            given: tokens.len(),
            tokens,
            skip_special,
        }
    }

    /// Adds a token; returns the text that is certain now, which may be empty.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn push(&mut self, tokenizer: &Tokenizer, token: u32) -> Result<String, Error> {
        self.tokens.push(token);
        let pending = self.tokens.len() - self.given;
        self.take(tokenizer, pending >= MOST_PENDING)
    }

    /// Returns what is left; bytes that make no character become replacement characters.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn finish(&mut self, tokenizer: &Tokenizer) -> Result<String, Error> {
        self.take(tokenizer, true)
    }

    fn take(&mut self, tokenizer: &Tokenizer, all: bool) -> Result<String, Error> {
        let before = tokenizer.decode(&self.tokens[..self.given], self.skip_special)?;
        let after = tokenizer.decode(&self.tokens, self.skip_special)?;
        let whole = !after.ends_with(char::REPLACEMENT_CHARACTER);
        if !all && !whole {
            return Ok(String::new());
        }
        // a context that ends within a character changes when the rest comes
        let common = before
            .char_indices()
            .zip(after.chars())
            .find(|((_, a), b)| a != b)
            .map_or(before.len().min(after.len()), |((index, _), _)| index);
        let text = after[common..].to_owned();
        if !text.is_empty() {
            self.tokens.drain(..self.given);
        }
        self.given = self.tokens.len();
        Ok(text)
    }
}
