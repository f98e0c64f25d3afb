//! From the tokens of a continuation to text that may be shown, and the tokens that belong to it.

use std::collections::VecDeque;

use weightsmith_infer::text::{Spelling, StopFilter, TextStream};
use weightsmith_infer::{Error, Tokenizer};

use crate::engine::TokenLogprobs;

/// A token of an answer, where log-probabilities are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TokenRecord {
    pub(super) token: u32,
    /// Characters of the text before it.
    pub(super) offset: usize,
    /// What it adds to the text.
    pub(super) spelling: Spelling,
    /// What the model thought of it; nothing of a text's first token.
    pub(super) logprobs: Option<TokenLogprobs>,
}

impl TokenRecord {
    /// A token that adds nothing yet.
    fn new(token: u32, offset: usize, logprobs: Option<TokenLogprobs>) -> Self {
        Self {
            token,
            offset,
            spelling: Spelling::default(),
            logprobs,
        }
    }

    /// Where its text ends; that of a part of a character is the character that comes with a later token.
    fn end(&self) -> usize {
        let Spelling { text, bytes } = &self.spelling;
        let part = usize::from(text.is_empty() && !bytes.is_empty());
        self.offset + text.chars().count() + part
    }

    /// Leaves of its text what is before a place.
    fn cut(&mut self, place: usize) {
        let kept = place.saturating_sub(self.offset);
        let Spelling { text, bytes } = &mut self.spelling;
        if let Some((index, _)) = text.char_indices().nth(kept) {
            text.truncate(index);
            bytes.clear();
            bytes.extend_from_slice(text.as_bytes());
        }
    }
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
    /// How many of them, the last ones, have made no text yet.
    silent: usize,
    /// The token that ended the text.
    end: Option<TokenRecord>,
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
            silent: 0,
            end: None,
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
        if self.wants_tokens {
            self.held
                .push_back(TokenRecord::new(token, self.offset, logprobs));
            self.silent += 1;
        }
        let text = self.stream.push(tokenizer, token)?;
        if !text.is_empty() {
            self.spell(tokenizer, &text);
        }
        Ok(self.show(&text))
    }

    /// Notes the token that ended the text: it has none of its own.
    pub(super) fn note_end(&mut self, token: u32, logprobs: Option<TokenLogprobs>) {
        if self.wants_tokens {
            self.end = Some(TokenRecord::new(token, self.offset, logprobs));
        }
    }

    /// Whether a stop text came.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.stopped().is_some()
    }

    /// What was held back, when nothing more comes.
    pub(super) fn finish(&mut self, tokenizer: &Tokenizer) -> Result<Piece, Error> {
        let rest = self.stream.finish(tokenizer)?;
        self.spell(tokenizer, &rest);
        let mut piece = self.show(&rest);
        if !self.is_stopped() {
            piece.text += &self.stop.finish();
            piece.tokens.extend(self.held.drain(..));
            let offset = self.offset;
            piece
                .tokens
                .extend(self.end.take().map(|end| TokenRecord { offset, ..end }));
        }
        self.held.clear();
        Ok(piece)
    }

    /// Says of the last tokens what they add to the text that they made together.
    fn spell(&mut self, tokenizer: &Tokenizer, text: &str) {
        let first = self.held.len() - std::mem::take(&mut self.silent);
        spell(
            tokenizer,
            self.held.range_mut(first..),
            text,
            true,
            self.offset,
        );
    }

    fn show(&mut self, text: &str) -> Piece {
        self.offset += text.chars().count();
        let text = self.stop.push(text);
        self.shown += text.chars().count();
        let spelled = self.held.iter().take(self.held.len() - self.silent);
        let ready = spelled.take_while(|one| one.end() <= self.shown).count();
        let mut tokens: Vec<TokenRecord> = self.held.drain(..ready).collect();
        if self.is_stopped() {
            let last = self.held.pop_front();
            tokens.extend(last.filter(|one| one.offset < self.shown));
            tokens.retain(|one| one.offset < self.shown);
            if let Some(last) = tokens.last_mut() {
                last.cut(self.shown);
            }
        }
        Piece { text, tokens }
    }
}

/// Says of tokens what they add to the text that they made together, which begins at a place.
fn spell<'a>(
    tokenizer: &Tokenizer,
    records: impl Iterator<Item = &'a mut TokenRecord>,
    text: &str,
    skip_special: bool,
    mut offset: usize,
) {
    let records: Vec<&mut TokenRecord> = records.collect();
    let tokens: Vec<u32> = records.iter().map(|one| one.token).collect();
    let spelled = tokenizer.spell(&tokens, text, skip_special);
    for (record, spelling) in records.into_iter().zip(spelled) {
        record.offset = offset;
        offset += spelling.text.chars().count();
        record.spelling = spelling;
    }
}

/// The tokens of a prompt with their places in its text. What a tokenizer puts around the text is not part of it.
pub(super) fn prompt_records(
    tokenizer: &Tokenizer,
    prompt: &[u32],
    text: &str,
) -> Result<Vec<TokenRecord>, Error> {
    let mut stream = TextStream::new(&[], false);
    let mut joined = String::new();
    let (mut offset, mut silent) = (0, 0);
    let mut records: Vec<TokenRecord> = Vec::with_capacity(prompt.len());
    for (index, &token) in prompt.iter().enumerate() {
        records.push(TokenRecord::new(token, offset, None));
        silent += 1;
        let mut more = stream.push(tokenizer, token)?;
        if index + 1 == prompt.len() {
            more += &stream.finish(tokenizer)?;
        }
        if more.is_empty() && index + 1 < prompt.len() {
            continue;
        }
        let first = records.len() - std::mem::take(&mut silent);
        spell(tokenizer, records[first..].iter_mut(), &more, false, offset);
        offset += more.chars().count();
        joined += &more;
    }
    if let Some(place) = joined.find(text).filter(|_| joined.len() > text.len()) {
        let before = joined[..place].chars().count();
        keep_within(&mut records, before, before + text.chars().count());
    }
    Ok(records)
}

/// Takes away of the tokens' texts what is not within two places, and counts from the first one.
fn keep_within(records: &mut [TokenRecord], begin: usize, end: usize) {
    for record in records {
        let extra = begin.saturating_sub(record.offset);
        if extra > 0 {
            let kept: String = record.spelling.text.chars().skip(extra).collect();
            record.spelling = Spelling {
                bytes: kept.as_bytes().to_vec(),
                text: kept,
            };
        }
        record.offset = record.offset.max(begin);
        record.cut(end.max(record.offset));
        record.offset = record.offset.min(end) - begin;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn tokenizer() -> Tokenizer {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2/instruct");
        let bytes = fs_err::read(folder.join("tokenizer.json")).unwrap();
        Tokenizer::from_bytes(&bytes, Path::new("tokenizer.json")).unwrap()
    }

    /// The text of an answer, and that of its tokens with their offsets.
    fn pieces(text: &str, stop: &[&str]) -> (String, String, Vec<usize>, usize) {
        let tokenizer = tokenizer();
        let stop: Vec<String> = stop.iter().map(|&stop| stop.to_owned()).collect();
        let mut pieces = Pieces::new(&[], &stop, 3, true);
        let mut all: Vec<Piece> = Vec::new();
        for token in tokenizer.encode(text, false).unwrap() {
            all.push(pieces.push(&tokenizer, token, None).unwrap());
            if pieces.is_stopped() {
                break;
            }
        }
        all.push(pieces.finish(&tokenizer).unwrap());
        let tokens: Vec<&TokenRecord> = all.iter().flat_map(|piece| &piece.tokens).collect();
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|one| one.spelling.bytes.clone())
            .collect();
        let whole: String = all.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), whole);
        (
            whole,
            tokens
                .iter()
                .map(|one| one.spelling.text.as_str())
                .collect(),
            tokens.iter().map(|one| one.offset).collect(),
            tokens.len(),
        )
    }

    #[test]
    fn tokens_joined_are_the_text_up_to_a_stop_text() {
        let (text, joined, offsets, _) = pieces("Größe 😀 ist 5.", &[]);
        assert_eq!(text, "Größe 😀 ist 5.");
        assert_eq!(joined, text);
        assert_eq!(offsets[0], 3);
        for stop in ["😀", "ße", " ist", "t 5", ".", "e 😀"] {
            let (text, joined, offsets, count) = pieces("Größe 😀 ist 5.", &[stop]);
            assert_eq!(joined, text, "{stop}");
            assert!(offsets.is_sorted() && count > 0);
        }
    }

    #[test]
    fn a_stop_text_that_does_not_come_holds_nothing_back_for_ever() {
        let (text, joined, ..) = pieces("Anna lives", &["ves in"]);
        assert_eq!(
            (text.as_str(), joined.as_str()),
            ("Anna lives", "Anna lives")
        );
    }

    #[test]
    fn a_prompt_is_its_text_without_what_stands_around_it() {
        let tokenizer = tokenizer();
        let mut tokens = tokenizer.encode("<|im_start|>", false).unwrap();
        tokens.extend(tokenizer.encode("Hé 😀!", false).unwrap());
        tokens.extend(tokenizer.encode("<|im_end|>", false).unwrap());
        for (text, first) in [("Hé 😀!", 0), ("<|im_start|>Hé 😀!<|im_end|>", 12)] {
            let records = prompt_records(&tokenizer, &tokens, text).unwrap();
            let joined: String = records
                .iter()
                .map(|one| one.spelling.text.as_str())
                .collect();
            assert_eq!(joined, text);
            assert_eq!((records[0].offset, records[1].offset), (0, first));
            let mut offset = 0;
            for one in &records {
                assert_eq!(one.offset, offset);
                offset += one.spelling.text.chars().count();
            }
        }
    }
}
