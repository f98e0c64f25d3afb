//! From the tokens of a continuation to text that may be shown, and the tokens that belong to it.

use std::collections::VecDeque;

use weightsmith_infer::text::{StopFilter, TextStream};
use weightsmith_infer::{Error, Tokenizer};

use crate::engine::TokenLogprobs;

/// A token of an answer, where log-probabilities are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TokenRecord {
    pub(super) token: u32,
    /// Characters of the text before it.
    pub(super) offset: usize,
    /// What the model thought of it; nothing of a text's first token.
    pub(super) logprobs: Option<TokenLogprobs>,
}

/// Text that may be shown, and the tokens that begin in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) tokens: Vec<TokenRecord>,
}

/// A continuation as text: whole characters, up to the first stop text.
#[derive(Debug)]
pub(super) struct Pieces {
    stream: TextStream,
    stop: StopFilter,
    /// Characters before the next token.
    offset: usize,
    /// Characters that were shown.
    shown: usize,
    /// Tokens whose text is held back.
    held: VecDeque<TokenRecord>,
    wants_tokens: bool,
}

impl Pieces {
    /// The continuation of a prompt; offsets begin at `offset`.
    pub(super) fn new(prompt: &[u32], stop: &[String], offset: usize, wants_tokens: bool) -> Self {
        Self {
            stream: TextStream::new(prompt, true),
            stop: StopFilter::new(stop),
            offset,
            shown: offset,
            held: VecDeque::new(),
            wants_tokens,
        }
    }

    /// Adds a token.
    pub(super) fn push(
        &mut self,
        tokenizer: &Tokenizer,
        token: u32,
        logprobs: Option<TokenLogprobs>,
    ) -> Result<Piece, Error> {
        self.note(token, logprobs);
        let text = self.stream.push(tokenizer, token)?;
        Ok(self.show(&text))
    }

    /// Notes the token that ended the text: it has none of its own.
    pub(super) fn note(&mut self, token: u32, logprobs: Option<TokenLogprobs>) {
        if self.wants_tokens {
            self.held.push_back(TokenRecord {
                token,
                offset: self.offset,
                logprobs,
            });
        }
    }

    /// Whether a stop text came.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.stopped().is_some()
    }

    /// What was held back, when nothing more comes.
    pub(super) fn finish(&mut self, tokenizer: &Tokenizer) -> Result<Piece, Error> {
        let rest = self.stream.finish(tokenizer)?;
        let mut piece = self.show(&rest);
        if !self.is_stopped() {
            piece.text += &self.stop.finish();
            piece.tokens.extend(self.held.drain(..));
        }
        self.held.clear();
        Ok(piece)
    }

    fn show(&mut self, text: &str) -> Piece {
        self.offset += text.chars().count();
        let text = self.stop.push(text);
        self.shown += text.chars().count();
        let ready = self.held.iter().take_while(|one| one.offset < self.shown);
        let ready = ready.count();
        Piece {
            text,
            tokens: self.held.drain(..ready).collect(),
        }
    }
}

/// The tokens of a prompt with their places in its text.
pub(super) fn prompt_records(
    tokenizer: &Tokenizer,
    prompt: &[u32],
    logprobs: Vec<Option<TokenLogprobs>>,
) -> Result<Vec<TokenRecord>, Error> {
    let mut stream = TextStream::new(&[], false);
    let mut offset = 0;
    prompt
        .iter()
        .zip(logprobs)
        .map(|(&token, logprobs)| {
            let record = TokenRecord {
                token,
                offset,
                logprobs,
            };
            offset += stream.push(tokenizer, token)?.chars().count();
            Ok(record)
        })
        .collect()
}

/// A token's text; where it is part of a character, its name in the vocabulary.
pub(super) fn token_text(tokenizer: &Tokenizer, token: u32) -> String {
    match tokenizer.decode(&[token], false) {
        Ok(text) if !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER) => text,
        text => {
            let name = tokenizer.name(token);
            name.unwrap_or_else(|| text.unwrap_or_default())
        }
    }
}
