//! A step: some sequences, each with its cache and some new tokens.

use super::pass::{Pass, Span};
use super::{Decoder, Place};
use crate::Error;
use crate::activation::{rms_norm, soft_cap};
use crate::cache::KvCache;

/// Tokens that go through the layers at once; longer prompts are cut. Bounds the memory of activations.
pub const MAX_PASS_TOKENS: usize = 512;

/// Rows of logits that are computed at once, where all are wanted.
const HEAD_ROWS: usize = 32;

/// Which logits of a sequence's new tokens are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wants {
    /// None: the tokens only fill the cache.
    Nothing,
    /// Those of the last token, which say what comes next.
    #[default]
    Last,
    /// Those of every token, as for perplexity.
    All,
}

/// One sequence's part of a step.
#[derive(Debug)]
pub struct SequenceStep<'a> {
    /// The new tokens.
    pub tokens: &'a [u32],
    /// What came before; the new tokens are added.
    pub cache: &'a mut KvCache,
    /// Which logits are wanted.
    pub wants: Wants,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop; the caches hold the passes that came to their end.
    Stop,
}

/// Is told of logits and progress while a step runs.
pub trait Observer {
    /// Logits of a token: the index of its sequence in the step, that of the token among its new ones.
    fn logits(&mut self, sequence: usize, token: usize, logits: &[f32]);

    /// A pass is over; this many of the step's tokens are in their caches.
    fn progress(&mut self, tokens: usize) -> Control {
        let _ = tokens;
        Control::Continue
    }

    /// A layer is over: behind a long context, a pass takes many seconds. `tokens` measures the work done, in tokens of the step;
    /// those of the running pass are not in their caches yet, and stopping gives them up.
    fn working(&mut self, tokens: usize) -> Control {
        let _ = tokens;
        Control::Continue
    }
}

/// All logits of a step, in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    vocabulary: usize,
    sequences: Vec<Vec<f32>>,
}

impl Collected {
    /// The wanted logits of a sequence, row by row.
    pub fn rows(&self, sequence: usize) -> impl ExactSizeIterator<Item = &[f32]> {
        self.sequences[sequence].chunks_exact(self.vocabulary)
    }

    /// The logits of a sequence's last token.
    ///
    /// # Panics
    /// When none were wanted.
    pub fn last(&self, sequence: usize) -> &[f32] {
        let rows = &self.sequences[sequence];
        &rows[rows.len() - self.vocabulary..]
    }
}

impl Observer for Collected {
    fn logits(&mut self, sequence: usize, _token: usize, logits: &[f32]) {
        self.sequences[sequence].extend_from_slice(logits);
    }
}

impl Decoder {
    /// Runs new tokens of some sequences and returns the wanted logits.
    ///
    /// # Errors
    /// When a sequence has no new token, a token is unknown, a sequence outgrows the model's positions, the calculation gives
    /// NaN, or a file of the weights became shorter or was written to. No cache has changed then but in the last two cases, where
    /// each holds the passes that were sound.
    pub fn step(&self, steps: &mut [SequenceStep<'_>]) -> Result<Collected, Error> {
        let mut collected = Collected {
            vocabulary: self.config().vocabulary,
            sequences: vec![Vec::new(); steps.len()],
        };
        self.step_with(steps, &mut collected)?;
        Ok(collected)
    }

    /// As [`Self::step`], handing out the logits row by row and reporting progress: memory does not grow with the tokens.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn step_with(
        &self,
        steps: &mut [SequenceStep<'_>],
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        self.check(steps)?;
        // the rotary embeddings that depend on the length are those of the step's end, however it is cut
        let lengths: Vec<usize> = steps
            .iter()
            .map(|step| step.cache.len() + step.tokens.len())
            .collect();
        let mut done = vec![0; steps.len()];
        loop {
            let spans = next_spans(steps, &done, &lengths);
            if spans.is_empty() {
                return self.ensure_unchanged_lately();
            }
            let before = done.iter().sum();
            let result = self.pass(steps, &spans, before, observer);
            // numbers that come from a damaged file stay in no cache, and are no finding about the model
            let intact = self.source.ensure_intact().map_err(Error::from);
            let result = intact.and(result);
            if !matches!(result, Ok(Control::Continue)) {
                for step in steps {
                    step.cache.drop_unfinished();
                }
                return result.map(drop);
            }
            for span in &spans {
                steps[span.sequence].cache.advance(span.count);
                done[span.sequence] += span.count;
            }
            if observer.progress(done.iter().sum()) == Control::Stop {
                return self.ensure_unchanged_lately();
            }
        }
    }

    fn check(&self, steps: &[SequenceStep<'_>]) -> Result<(), Error> {
        let config = self.config();
        for step in steps {
            assert!(step.cache.fits(config), "the cache is another model's");
            let (cached, new) = (step.cache.len(), step.tokens.len());
            if new == 0 {
                return Err(Error::EmptyPrompt);
            }
            if cached + new > config.positions {
                return Err(Error::TooLong {
                    wanted: cached + new,
                    cached,
                    new,
                    positions: config.positions,
                });
            }
            let vocabulary = config.vocabulary;
            if let Some(&token) = step
                .tokens
                .iter()
                .find(|&&token| token as usize >= vocabulary)
            {
                return Err(Error::UnknownToken { token, vocabulary });
            }
        }
        Ok(())
    }

    /// Runs some tokens of some sequences through all layers, and the wanted ones through the head. `before` tokens of the step
    /// are done.
    fn pass(
        &self,
        steps: &mut [SequenceStep<'_>],
        spans: &[Span],
        before: usize,
        observer: &mut dyn Observer,
    ) -> Result<Control, Error> {
        let mut pass = Pass::new(self, steps, spans)?;
        let count: usize = spans.iter().map(|span| span.count).sum();
        let layers = self.config().layers.len();
        for layer in 0..layers {
            pass.layer(layer, steps)?;
            let done = before + count * (layer + 1) / layers;
            if observer.working(done) == Control::Stop {
                return Ok(Control::Stop);
            }
        }
        let hidden = self.config().hidden;
        let wanted: Vec<(usize, usize, usize)> = spans
            .iter()
            .flat_map(|span| {
                let step = &steps[span.sequence];
                let last = step.tokens.len() - 1;
                let wants = step.wants;
                (0..span.count).filter_map(move |index| {
                    let token = span.first + index;
                    let wanted = match wants {
                        Wants::Nothing => false,
                        Wants::Last => token == last,
                        Wants::All => true,
                    };
                    wanted.then_some((span.sequence, token, span.row + index))
                })
            })
            .collect();
        let vocabulary = self.config().vocabulary;
        for some in wanted.chunks(HEAD_ROWS) {
            let mut rows: Vec<f32> = some
                .iter()
                .flat_map(|&(_, _, row)| &pass.hidden[row * hidden..][..hidden])
                .copied()
                .collect();
            rms_norm(&mut rows, &self.weights.norm, self.config().norm_epsilon);
            let mut logits = vec![0.0; some.len() * vocabulary];
            self.weights.head.forward(&self.pool, &rows, &mut logits);
            self.source.ensure_intact()?;
            if let Some(cap) = self.config().logit_cap {
                soft_cap(&mut logits, cap);
            }
            for (&(sequence, token, _), row) in some.iter().zip(logits.chunks_exact(vocabulary)) {
                if row.iter().any(|logit| logit.is_nan()) {
                    return Err(self.blame(Place::Head));
                }
                observer.logits(sequence, token, row);
            }
        }
        Ok(Control::Continue)
    }
}

/// What the next pass takes: of each sequence in turn as much as still fits.
fn next_spans(steps: &[SequenceStep<'_>], done: &[usize], lengths: &[usize]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut row = 0;
    for (sequence, step) in steps.iter().enumerate() {
        let first = done[sequence];
        let count = (step.tokens.len() - first).min(MAX_PASS_TOKENS - row);
        if count > 0 {
            spans.push(Span {
                sequence,
                first,
                count,
                row,
                start: step.cache.len(),
                length: lengths[sequence],
            });
            row += count;
        }
    }
    spans
}
