//! From a text to the pieces of it that a model reads at once.

use crate::text::Tokenizer;
use crate::{Companions, Error};

/// What a text is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextUnit {
    /// One long text.
    #[default]
    Whole,
    /// Documents with blank lines between them, each on its own, with the end-of-text token before and behind it.
    Documents,
}

/// How a text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowOptions {
    /// What it is taken for.
    pub unit: TextUnit,
    /// Tokens that a model sees at once.
    pub window: usize,
    /// Tokens from the beginning of a window to that of the next: what both hold is context only in the second.
    pub stride: usize,
    /// Only so many documents of a text, or so many windows of a whole one.
    pub limit: Option<usize>,
}

/// Tokens that a model sees at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Index of the first token that counts; those before are context. At least 1: the first token follows on nothing.
    pub counted_from: usize,
}

/// Cuts a text. A token counts once, with the longest context that the windows give it.
///
/// A whole text begins with what the tokenizer puts before any text. A document is framed by `<|endoftext|>` where the
/// vocabulary has it, else begins as the tokenizer makes it and ends with the `eos_token`.
///
/// # Errors
/// When the window is too small, or the tokenizer fails.
pub fn windows(
    text: &str,
    companions: &Companions,
    options: &WindowOptions,
) -> Result<Vec<Window>, Error> {
    options.check()?;
    let tokenizer = &companions.tokenizer;
    let limit = options.limit.unwrap_or(usize::MAX);
    let mut windows = Vec::new();
    match options.unit {
        TextUnit::Whole => {
            cut(&tokenizer.encode(text, true)?, options, &mut windows);
            windows.truncate(limit);
        }
        TextUnit::Documents => {
            let frame = Frame::of(companions);
            for document in documents(text).take(limit) {
                cut(&frame.tokens(tokenizer, document)?, options, &mut windows);
            }
        }
    }
    Ok(windows)
}

impl WindowOptions {
    fn check(&self) -> Result<(), Error> {
        let problem = |name, found: usize, expected| {
            Err(Error::Setting {
                name,
                found: found.to_string(),
                expected,
            })
        };
        if self.window < 2 {
            return problem("window", self.window, "at least 2 tokens");
        }
        if self.stride == 0 || self.stride >= self.window {
            return problem("stride", self.stride, "at least 1 and less than the window");
        }
        Ok(())
    }
}

/// Parts of a text between blank lines.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
        .map(|document| document.trim_matches('\n'))
        .filter(|document| !document.trim().is_empty())
}

/// What stands around a document.
#[derive(Debug)]
struct Frame {
    /// A token before it; `None`: what the tokenizer puts there.
    begin: Option<u32>,
    end: Option<u32>,
}

impl Frame {
    fn of(companions: &Companions) -> Self {
        let tokenizer = &companions.tokenizer;
        if let Some(token) = tokenizer.token("<|endoftext|>") {
            return Self {
                begin: Some(token),
                end: Some(token),
            };
        }
        let end = companions.special.get("eos_token");
        Self {
            begin: None,
            end: end.and_then(|text| tokenizer.token(text)),
        }
    }

    fn tokens(&self, tokenizer: &Tokenizer, document: &str) -> Result<Vec<u32>, Error> {
        let mut tokens: Vec<u32> = self.begin.into_iter().collect();
        tokens.extend(tokenizer.encode(document, self.begin.is_none())?);
        if let Some(end) = self.end
            && tokens.last() != Some(&end)
        {
            tokens.push(end);
        }
        Ok(tokens)
    }
}

fn cut(tokens: &[u32], options: &WindowOptions, windows: &mut Vec<Window>) {
    let mut begin = 0;
    let mut counted = 1;
    while counted < tokens.len() {
        let end = tokens.len().min(begin + options.window);
        windows.push(Window {
            tokens: tokens[begin..end].to_vec(),
            counted_from: counted - begin,
        });
        counted = end;
        begin += options.stride;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_but_the_first_counts_once() {
        let tokens: Vec<u32> = (0..23).collect();
        for (window, stride) in [(8, 4), (8, 7), (23, 5), (40, 20), (2, 1)] {
            let options = WindowOptions {
                unit: TextUnit::Whole,
                window,
                stride,
                limit: None,
            };
            let mut windows = Vec::new();
            cut(&tokens, &options, &mut windows);
            let counted: Vec<u32> = windows
                .iter()
                .flat_map(|window| window.tokens[window.counted_from..].to_vec())
                .collect();
            assert_eq!(counted, tokens[1..]);
            assert!(
                windows
                    .iter()
                    .all(|one| one.tokens.len() <= window && one.counted_from >= 1)
            );
        }
    }

    #[test]
    fn blank_lines_part_documents() {
        let found: Vec<&str> = documents("a\nb\n\n\nc\n\n \n\nd\n").collect();
        assert_eq!(found, ["a\nb", "c", "d"]);
    }
}
