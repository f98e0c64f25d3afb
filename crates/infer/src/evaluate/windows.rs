//! From a text to the pieces of it that a model reads at once.

use std::ops::ControlFlow;

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
    windows_while(text, companions, options, &mut || ControlFlow::Continue(()))
}

/// As [`windows`], as long as `goes_on`, which is asked now and then. The text is taken apart in pieces, and no further than
/// the limit says.
///
/// # Errors
/// As [`windows`], and [`Error::Cancelled`].
pub fn windows_while(
    text: &str,
    companions: &Companions,
    options: &WindowOptions,
    goes_on: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Vec<Window>, Error> {
    options.check()?;
    let tokenizer = &companions.tokenizer;
    let limit = options.limit.unwrap_or(usize::MAX);
    let mut windows = Vec::new();
    let mut cancelled = false;
    match options.unit {
        TextUnit::Whole => {
            let mut cut = Cut::new(options, &mut windows);
            tokenizer.encode_long(text, true, &mut |tokens| {
                cut.push(tokens);
                cancelled = goes_on().is_break();
                if cancelled || cut.windows.len() >= limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            cut.finish();
            windows.truncate(limit);
        }
        TextUnit::Documents => {
            let frame = Frame::of(companions);
            for document in documents(text).take(limit) {
                let mut cut = Cut::new(options, &mut windows);
                let mut last = frame.begin;
                cut.push(frame.begin.as_slice());
                tokenizer.encode_long(document, frame.begin.is_none(), &mut |tokens| {
                    cut.push(tokens);
                    last = tokens.last().copied().or(last);
                    let next = goes_on();
                    cancelled = next.is_break();
                    next
                })?;
                cut.push(frame.end.filter(|_| last != frame.end).as_slice());
                cut.finish();
                if cancelled {
                    break;
                }
            }
        }
    }
    if cancelled {
        return Err(Error::Cancelled);
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
}

/// Cuts tokens into windows while they come.
#[derive(Debug)]
struct Cut<'a> {
    options: WindowOptions,
    windows: &'a mut Vec<Window>,
    /// The tokens from the beginning of the next window on.
    tokens: Vec<u32>,
    /// How many of them have counted, or have nothing before them.
    counted: usize,
}

impl<'a> Cut<'a> {
    fn new(options: &WindowOptions, windows: &'a mut Vec<Window>) -> Self {
        Self {
            options: *options,
            windows,
            tokens: Vec::new(),
            counted: 1,
        }
    }

    fn push(&mut self, tokens: &[u32]) {
        let WindowOptions { window, stride, .. } = self.options;
        self.tokens.extend_from_slice(tokens);
        let mut begin = 0;
        while self.tokens.len() - begin >= window {
            self.windows.push(Window {
                tokens: self.tokens[begin..begin + window].to_vec(),
                counted_from: self.counted,
            });
            self.counted = window - stride;
            begin += stride;
        }
        self.tokens.drain(..begin);
    }

    /// The rest, which is shorter than a window.
    fn finish(self) {
        if self.tokens.len() > self.counted {
            self.windows.push(Window {
                tokens: self.tokens,
                counted_from: self.counted,
            });
        }
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
            let mut cut = Cut::new(&options, &mut windows);
            for some in tokens.chunks(5) {
                cut.push(some);
            }
            cut.finish();
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
    fn no_more_is_taken_apart_than_is_wanted() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/tiny-qwen2/instruct");
        let companions = Companions::read(&folder).unwrap();
        let text = "Anna lives in Rome. She has a dog.\n".repeat(40_000);
        let pieces = |limit: Option<usize>, most: usize| {
            let options = WindowOptions {
                unit: TextUnit::Whole,
                window: 64,
                stride: 32,
                limit,
            };
            let mut looks = 0;
            let found = windows_while(&text, &companions, &options, &mut || {
                looks += 1;
                if looks > most {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            (found.map(|windows| windows.len()).ok(), looks)
        };
        assert_eq!(pieces(Some(3), 100), (Some(3), 1));
        assert_eq!(pieces(None, 2), (None, 3));
    }

    #[test]
    fn blank_lines_part_documents() {
        let found: Vec<&str> = documents("a\nb\n\n\nc\n\n \n\nd\n").collect();
        assert_eq!(found, ["a\nb", "c", "d"]);
    }
}
