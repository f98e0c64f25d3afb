//! Tokens of a text of which nobody knows beforehand whether it fits.

use super::Tokenizer;
use super::long::boundary;
use crate::{Cancel, Error};

/// Bytes of a text that are taken apart at once while its tokens are counted.
const PIECE: usize = 64 << 10;

/// Tokens that a cut may add to a count, a special token of that many letters among them.
const CUT: usize = 256;

impl Tokenizer {
    /// The tokens of a text, as [`Self::encode`] gives them, if there are no more than `most`.
    ///
    /// A long text is counted in pieces first, up to the place where it is certain that it does not fit. So the work and
    /// the memory depend on what is allowed and not on what was sent. Between two pieces it can be cancelled.
    ///
    /// # Errors
    /// [`Error::TooManyTokens`] when there are more, [`Error::Cancelled`], or as [`Self::encode`].
    pub fn encode_within(
        &self,
        text: &str,
        special: bool,
        most: usize,
        cancel: &Cancel,
    ) -> Result<Vec<u32>, Error> {
        self.encode_counted(text, special, most, (PIECE, CUT), cancel)
    }

    fn encode_counted(
        &self,
        text: &str,
        special: bool,
        most: usize,
        (piece, cut): (usize, usize),
        cancel: &Cancel,
    ) -> Result<Vec<u32>, Error> {
        // there is rarely more than a token for each byte
        let direct = piece.max(most.saturating_mul(2));
        if text.len() > direct {
            self.refuse_surplus(text, most, (piece, cut), cancel)?;
        }
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let tokens = self.encode(text, special)?;
        if tokens.len() > most {
            return Err(Error::TooManyTokens {
                most,
                found: Some(tokens.len()),
            });
        }
        Ok(tokens)
    }

    /// Counts the tokens of the pieces. A cut can part a token, so a text is refused only for twice the number.
    fn refuse_surplus(
        &self,
        text: &str,
        most: usize,
        (piece, cut): (usize, usize),
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let mut allowed = most.saturating_mul(2);
        let mut counted = 0;
        let mut rest = text;
        while !rest.is_empty() {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let (now, later) = rest.split_at(boundary(rest, piece));
            counted += self.encode(now, false)?.len();
            allowed = allowed.saturating_add(cut);
            if counted > allowed {
                return Err(Error::TooManyTokens { most, found: None });
            }
            rest = later;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples;
    use super::*;

    #[test]
    fn a_text_that_does_not_fit_is_refused_before_its_end() {
        let tokenizer = samples::byte_fallback();
        let text = "a b ".repeat(1 << 18);
        let refused = tokenizer.encode_within(&text, true, 1000, &Cancel::default());
        assert!(
            matches!(
                refused,
                Err(Error::TooManyTokens {
                    most: 1000,
                    found: None
                })
            ),
            "{refused:?}"
        );
        let near = tokenizer.encode_within("a b c", true, 3, &Cancel::default());
        let message = near.unwrap_err().to_string();
        assert!(message.starts_with("the text has "), "{message}");
        assert!(
            message.ends_with(" tokens; expected at most 3"),
            "{message}"
        );
    }

    #[test]
    fn text_of_few_tokens_is_taken_however_long_it_is() {
        // one unknown token stands for all of it, and for each of its pieces
        let tokenizer = samples::word_piece();
        let text = "x".repeat(300_000);
        let tokens = tokenizer.encode_within(&text, false, 2, &Cancel::default());
        assert_eq!(tokens.unwrap(), tokenizer.encode(&text, false).unwrap());
    }

    #[test]
    fn nothing_is_done_for_who_has_gone() {
        let cancel = Cancel::default();
        cancel.cancel();
        let tokenizer = samples::byte_fallback();
        for text in ["a", &"a ".repeat(100_000)] {
            let refused = tokenizer.encode_within(text, true, 10, &cancel);
            assert!(matches!(refused, Err(Error::Cancelled)), "{refused:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_taken_has_the_tokens_of_the_whole_text(
            words in proptest::collection::vec("[a-dé ▁\n😀]{0,12}|Hello world|<s>|</s>|   |\n\n", 0..300),
            most in 0_usize..400,
        ) {
            let text = words.concat();
            for (name, tokenizer) in samples::all() {
                let whole = tokenizer.encode(&text, true).unwrap();
                let found = tokenizer.encode_counted(&text, true, most, (64, 16), &Cancel::default());
                match found {
                    Ok(tokens) => prop_assert_eq!(tokens, whole, "{}", name),
                    Err(Error::TooManyTokens { .. }) => prop_assert!(whole.len() > most, "{}", name),
                    Err(other) => prop_assert!(false, "{}: {}", name, other),
                }
            }
        }
    }
}
