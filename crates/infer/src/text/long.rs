//! Tokens of a text that is too long to be taken apart in memory at once.

use std::ops::ControlFlow;

use super::Tokenizer;
use crate::Error;

/// Bytes that are taken apart at once: a tokenizer takes some hundred bytes of memory for each.
const PIECE: usize = 256 << 10;

/// Bytes before and behind a cut that show whether a token ends there.
const VIEW: usize = 192;

/// Places that are tried for a cut.
const TRIES: usize = 64;

/// A place where a text may be parted, and the tokens of the bytes right before it.
#[derive(Debug, Default)]
struct Cut {
    at: usize,
    /// Where the bytes begin that the next piece is read with.
    view: usize,
    /// Their tokens.
    before: Vec<u32>,
}

impl Tokenizer {
    /// The tokens of a text of any length, given to `take` piece by piece until it breaks off.
    ///
    /// The text is parted where a token ends: at the end of a line or a word, with the text before in view, so that what a
    /// tokenizer puts before a text comes only once. The tokens are those of [`Self::encode`], unless hundreds of kilobytes
    /// have no such place.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_long(
        &self,
        text: &str,
        special: bool,
        take: &mut dyn FnMut(&[u32]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.encode_parted(text, special, PIECE, take)
    }

    fn encode_parted(
        &self,
        text: &str,
        special: bool,
        piece: usize,
        take: &mut dyn FnMut(&[u32]) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        if text.len() <= piece {
            let _ = take(&self.encode(text, special)?);
            return Ok(());
        }
        let mut begin = Cut::default();
        let mut around = (Vec::new(), Vec::new());
        while begin.at < text.len() {
            let end = self.cut(text, begin.at, piece)?;
            let tokens = self.encode(&text[begin.view..end.at], false)?;
            // else something far behind the cut reaches over it; then the piece stands alone
            let tokens = match tokens.strip_prefix(begin.before.as_slice()) {
                Some(tokens) => tokens.to_vec(),
                None => self.encode(&text[begin.at..end.at], false)?,
            };
            if begin.at == 0 && special {
                let framed = self.encode(&text[..end.at], true)?;
                around = frame(&framed, &tokens);
                if !around.0.is_empty() && take(&around.0).is_break() {
                    return Ok(());
                }
            }
            if take(&tokens).is_break() {
                return Ok(());
            }
            begin = end;
        }
        if !around.1.is_empty() {
            let _ = take(&around.1);
        }
        Ok(())
    }

    /// Where the piece that begins at `begin` ends.
    fn cut(&self, text: &str, begin: usize, piece: usize) -> Result<Cut, Error> {
        let rest = &text[begin..];
        if rest.len() <= piece {
            return Ok(Cut {
                at: text.len(),
                ..Cut::default()
            });
        }
        let mut end = piece;
        for _ in 0..TRIES {
            let at = begin + boundary(rest, end);
            if at <= begin + piece / 2 {
                break;
            }
            if let Some(cut) = self.try_cut(text, at)? {
                return Ok(cut);
            }
            end = at - begin - 1;
        }
        let at = begin + boundary(rest, piece);
        Ok(Cut {
            at,
            view: at,
            before: Vec::new(),
        })
    }

    /// A cut, if a token ends there whatever follows.
    fn try_cut(&self, text: &str, at: usize) -> Result<Option<Cut>, Error> {
        let view = text.ceil_char_boundary(at.saturating_sub(VIEW));
        let behind = text.floor_char_boundary(at.saturating_add(VIEW));
        let before = self.encode(&text[view..at], false)?;
        let both = self.encode(&text[view..behind], false)?;
        let ends = both.len() > before.len() && both.starts_with(&before);
        Ok(ends.then_some(Cut { at, view, before }))
    }
}

/// The tokens that stand before and behind those of a text.
fn frame(framed: &[u32], tokens: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let length = tokens.len().max(1);
    let found = framed.windows(length).position(|some| some == tokens);
    found.map_or_else(Default::default, |place| {
        (
            framed[..place].to_vec(),
            framed[place + tokens.len()..].to_vec(),
        )
    })
}

/// Where a text is parted so that its first piece has at most `most` bytes: behind the end of a line, else before a blank,
/// else where it may be. At least one character.
pub(super) fn boundary(text: &str, most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    let end = text.floor_char_boundary(most);
    let late = text.floor_char_boundary(most / 2);
    let tail = &text[late..end];
    let line = || {
        let place = tail.rfind('\n')? + 1;
        text[late + place..]
            .starts_with(|next: char| !next.is_whitespace())
            .then_some(place)
    };
    let blank = || tail.rfind(' ').filter(|&place| late + place > 0);
    match line().or_else(blank) {
        Some(place) => late + place,
        None if end > 0 => end,
        None => text.chars().next().map_or(0, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn parted(tokenizer: &Tokenizer, text: &str, piece: usize) -> Vec<u32> {
        let mut tokens = Vec::new();
        tokenizer
            .encode_parted(text, true, piece, &mut |more| {
                tokens.extend_from_slice(more);
                ControlFlow::Continue(())
            })
            .unwrap();
        tokens
    }

    #[test]
    fn pieces_have_the_tokens_of_the_whole_text() {
        let data = "../../fixtures/tiny-qwen2/data";
        let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(data);
        let mut text = String::new();
        for entry in fs_err::read_dir(data).unwrap() {
            let path = entry.unwrap().path();
            let content = fs_err::read_to_string(path).unwrap_or_default();
            text.extend(content.chars().take(20_000));
            text += "\n\nHello  world <s> world </s>😀\n";
        }
        assert!(text.len() > 20_000);
        for (name, tokenizer) in samples::all() {
            let whole = tokenizer.encode(&text, true).unwrap();
            for piece in [600, 4096] {
                assert_eq!(parted(&tokenizer, &text, piece), whole, "{name} {piece}");
            }
        }
    }

    #[test]
    fn a_text_without_any_place_to_part_it_is_parted_all_the_same() {
        for text in ["é".repeat(5000), " ".repeat(5000), "\n".repeat(5000)] {
            let tokenizer = samples::byte_fallback();
            let tokens = parted(&tokenizer, &text, 1000);
            assert!(!tokens.is_empty());
        }
    }

    #[test]
    fn it_ends_when_nobody_takes_more() {
        let text = "Hello world\n".repeat(2000);
        let mut pieces = 0;
        let tokenizer = samples::byte_fallback();
        tokenizer
            .encode_parted(&text, false, 1000, &mut |_| {
                pieces += 1;
                if pieces == 2 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .unwrap();
        assert_eq!(pieces, 2);
    }

    #[test]
    fn pieces_end_with_lines_and_words() {
        assert_eq!(boundary("ab\ncd ef", 100), 8);
        assert_eq!(boundary("ab\ncd ef", 5), 3);
        assert_eq!(boundary("abcdef gh", 8), 6);
        assert_eq!(boundary("äöü", 3), 2);
        assert_eq!(boundary("😀", 1), 4);
        assert_eq!(boundary("\n\n\n", 2), 2);
    }
}
