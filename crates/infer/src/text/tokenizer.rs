//! The model's tokenizer.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use tokenizers::models::bpe::BPE;
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl,
};
use weightsmith_tensors::json;

use super::tokenizer_bounds;
use crate::Error;
use crate::caught::caught;

/// Turns text into tokens and back: a `tokenizer.json`.
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) inner: tokenizers::Tokenizer,
    /// An ordinary token, to look at others behind it.
    pub(super) anchor: OnceLock<Option<u32>>,
}

impl Tokenizer {
    /// Reads the bytes of a `tokenizer.json`; `path` is for messages.
    ///
    /// # Errors
    /// When they are not one.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let refused = |problem: String| Error::File {
            path: path.to_owned(),
            problem,
        };
        tokenizer_bounds::look(bytes)
            .map_err(|problem| refused(format!("not a tokenizer: {problem}")))?;
        let mut inner = caught(|| parse(bytes))
            .map_err(|panic| refused(format!("invalid: {panic}")))?
            .map_err(|problem| refused(format!("not a tokenizer: {problem}")))?;
        // files that were saved while training cut and pad to some length
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|problem| Error::Tokenizer(problem.to_string()))?;
        Ok(Self {
            inner,
            anchor: OnceLock::new(),
        })
    }

    /// The tokens of a text; with `special`, those the tokenizer puts around it, such as a beginning of text.
    ///
    /// A rendered chat template has them already.
    ///
    /// # Errors
    /// When the tokenizer cannot handle the text.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, Error> {
        sound(|| self.inner.encode_fast(text, special)).map(|encoding| encoding.get_ids().to_vec())
    }

    /// The text of some tokens; with `skip_special`, without special ones.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn decode(&self, tokens: &[u32], skip_special: bool) -> Result<String, Error> {
        sound(|| self.inner.decode(tokens, skip_special))
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

/// Asks the crate for something. It panics where a file contradicts itself: that costs the answer, nothing else.
pub(super) fn sound<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, Error> {
    caught(work)
        .map_err(Error::UnsoundTokenizer)?
        .map_err(|problem| Error::Tokenizer(problem.to_string()))
}

/// A tokenizer whose model is known to be a BPE.
type BpeTokenizer = TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// Reads a tokenizer, as a BPE first.
///
/// Nearly all are that, and to find out which of its models a file has, the crate makes three trees of its vocabulary
/// before it makes the model: most of the time that a vocabulary of 150,000 tokens takes.
fn parse(bytes: &[u8]) -> tokenizers::Result<tokenizers::Tokenizer> {
    let strictly = |text: &str| {
        BpeTokenizer::from_bytes(text)
            .map(Into::into)
            .or_else(|_| tokenizers::Tokenizer::from_bytes(text))
    };
    let text = json::text(bytes)?;
    strictly(text).or_else(|problem| match json::plain(text) {
        Cow::Borrowed(_) => Err(problem),
        Cow::Owned(plain) => strictly(&plain),
    })
}

/// Special tokens that a chat template may use by name, as text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpecialTokens {
    /// Pairs such as `bos_token` and `<s>`.
    pub named: Vec<(String, String)>,
    /// Those without names, which templates know as `additional_special_tokens`.
    pub additional: Vec<String>,
}

impl SpecialTokens {
    /// The text of the token of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.named
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A tokenizer that parts words at blanks, with some model.
    fn of(model: &Value) -> Vec<u8> {
        let file = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": [{
                "id": 4, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            }],
            "normalizer": null,
            "pre_tokenizer": { "type": "Whitespace" },
            "post_processor": null,
            "decoder": null,
            "model": model,
        });
        file.to_string().into_bytes()
    }

    fn read(model: &Value) -> Result<Tokenizer, Error> {
        Tokenizer::from_bytes(&of(model), Path::new("tokenizer.json"))
    }

    #[test]
    fn models_of_every_kind_are_read() {
        let vocabulary = json!({"a": 0, "b": 1, "ab": 2, "?": 3});
        let models = [
            json!({"type": "BPE", "vocab": vocabulary, "merges": [["a", "b"]]}),
            json!({"type": "BPE", "vocab": vocabulary, "merges": ["a b"]}),
            json!({"vocab": vocabulary, "merges": ["a b"]}),
            json!({"type": "WordLevel", "vocab": vocabulary, "unk_token": "?"}),
            json!({
                "type": "WordPiece", "vocab": vocabulary, "unk_token": "?",
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            }),
            json!({
                "type": "Unigram", "unk_id": 3, "byte_fallback": false,
                "vocab": [["a", -2.0], ["b", -2.0], ["ab", -1.0], ["?", -9.0]],
            }),
        ];
        for model in models {
            let tokenizer = read(&model).unwrap();
            let tokens = tokenizer.encode("ab a<end>b", false).unwrap();
            assert_eq!(tokens, [2, 0, 4, 1], "{model}");
        }
    }

    #[test]
    fn a_bpe_read_at_once_is_the_one_that_the_crate_reads() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2/instruct");
        let bytes = fs_err::read(folder.join("tokenizer.json")).unwrap();
        BpeTokenizer::from_bytes(&bytes).unwrap();
        let (ours, theirs) = (
            parse(&bytes).unwrap(),
            tokenizers::Tokenizer::from_bytes(&bytes).unwrap(),
        );
        assert_eq!(
            ours.to_string(false).unwrap(),
            theirs.to_string(false).unwrap()
        );
    }

    #[test]
    fn a_wrong_bpe_is_refused() {
        let merge_of_nothing = json!({"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]});
        let problem = read(&merge_of_nothing).unwrap_err().to_string();
        assert!(problem.contains("not a tokenizer"), "{problem}");
    }
}
