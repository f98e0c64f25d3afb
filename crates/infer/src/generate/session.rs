//! A sequence that is continued, turn by turn.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{GenerationSettings, Sampler};
use crate::decoder::{Control, Observer, SequenceStep, Wants};
use crate::text::{StopFilter, TextStream};
use crate::{Cancel, Error, KvCache, Model};

/// Why a generation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model ended its text with this token.
    End(u32),
    /// One of the stop texts came.
    Stop(String),
    /// As many tokens as were asked for.
    MaxTokens,
    /// The model's positions are used up.
    ContextFull,
    /// It was cancelled.
    Cancelled,
}

/// Counts and times of a generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Those of them that were in the cache already.
    pub reused_tokens: usize,
    /// Those of them that are in the cache: all, unless it was cancelled before.
    pub read_tokens: usize,
    /// Tokens that were generated, the end of text included.
    pub generated_tokens: usize,
    /// Time spent on the prompt.
    pub prompt_time: Duration,
    /// From the call to the first generated token.
    pub time_to_first_token: Option<Duration>,
    /// From the first generated token to the last.
    pub decode_time: Duration,
    /// The seed of the random numbers.
    pub seed: u64,
    /// Why it ended; `None` while it runs.
    pub finish: Option<Finish>,
}

impl Report {
    /// New tokens of the prompt per second.
    pub fn prompt_speed(&self) -> f64 {
        let tokens = self.read_tokens - self.reused_tokens;
        tokens as f64 / self.prompt_time.as_secs_f64().max(1e-9)
    }

    /// Generated tokens per second, the first not counted: it belongs to the prompt.
    pub fn decode_speed(&self) -> f64 {
        let tokens = self.generated_tokens.saturating_sub(1);
        tokens as f64 / self.decode_time.as_secs_f64().max(1e-9)
    }
}

/// A sequence with its cache. What a prompt has in common with the sequence so far is not computed again.
#[derive(Debug)]
pub struct Session<'m> {
    model: &'m Model,
    cache: KvCache,
    /// The tokens that the cache holds.
    tokens: Vec<u32>,
}

impl<'m> Session<'m> {
    /// An empty sequence.
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            cache: model.decoder.new_cache(),
            tokens: Vec::new(),
        }
    }

    /// The tokens that the cache holds.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Its cache.
    pub fn cache(&self) -> &KvCache {
        &self.cache
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cache.clear();
        self.tokens.clear();
    }

    /// Begins to continue a prompt, given whole: [`Generation`] yields the text, piece by piece.
    ///
    /// # Errors
    /// When a setting makes no sense, or the prompt is empty or too long.
    pub fn generate(
        &mut self,
        prompt: &[u32],
        settings: &GenerationSettings,
        cancel: Cancel,
    ) -> Result<Generation<'_, 'm>, Error> {
        let seed = settings.seed.unwrap_or_else(seed_from_clock);
        let mut sampler = Sampler::new(settings.sampling, seed)?;
        if prompt.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        let positions = self.model.decoder.config().positions;
        if prompt.len() > positions {
            return Err(Error::TooLong {
                wanted: prompt.len(),
                cached: 0,
                new: prompt.len(),
                positions,
            });
        }
        sampler.observe(prompt);
        let reused = self.reuse(prompt);
        Ok(Generation {
            stream: TextStream::new(prompt, !settings.show_special),
            stop: StopFilter::new(&settings.stop),
            sampler,
            end: settings.end.clone(),
            max_tokens: settings.max_tokens.unwrap_or(usize::MAX),
            pending: prompt[reused..].to_vec(),
            logits: None,
            report: Report {
                prompt_tokens: prompt.len(),
                reused_tokens: reused,
                read_tokens: reused,
                generated_tokens: 0,
                prompt_time: Duration::ZERO,
                time_to_first_token: None,
                decode_time: Duration::ZERO,
                seed,
                finish: None,
            },
            begun: Instant::now(),
            first: None,
            failed: false,
            cancel,
            session: self,
        })
    }

    /// Cuts the cache to what it has in common with a prompt, whose last token is computed in any case.
    fn reuse(&mut self, prompt: &[u32]) -> usize {
        let common = self
            .tokens
            .iter()
            .zip(prompt)
            .take_while(|(a, b)| a == b)
            .count()
            .min(prompt.len() - 1);
        let decoder = &self.model.decoder;
        // keys that are there were turned for the length the sequence had
        let kept = if decoder.must_recompute(self.tokens.len(), prompt.len()) {
            0
        } else {
            common
        };
        // what a sliding window needs may be gone
        let kept = self.cache.truncate(kept);
        self.tokens.truncate(kept);
        kept
    }

    /// Adds tokens; `None` when it was cancelled. `progress` is told how many of them are done, in effect.
    fn step(
        &mut self,
        tokens: &[u32],
        cancel: &Cancel,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Option<Vec<f32>>, Error> {
        let decoder = &self.model.decoder;
        let mut tokens = tokens.to_vec();
        let length = self.tokens.len();
        if decoder.must_recompute(length, length + tokens.len()) {
            tokens.splice(..0, std::mem::take(&mut self.tokens));
            self.cache.clear();
        }
        let before = self.cache.len();
        let mut last = LastLogits {
            logits: None,
            cancel,
            progress,
        };
        let mut steps = [SequenceStep {
            tokens: &tokens,
            cache: &mut self.cache,
            wants: Wants::Last,
        }];
        let result = decoder.step_with(&mut steps, &mut last);
        let logits = last.logits;
        let done = self.cache.len() - before;
        self.tokens.extend_from_slice(&tokens[..done]);
        result.map(|()| logits)
    }
}

/// Keeps the logits of the last token, and stops when that is wished.
struct LastLogits<'a> {
    logits: Option<Vec<f32>>,
    cancel: &'a Cancel,
    progress: &'a mut dyn FnMut(usize),
}

impl Observer for LastLogits<'_> {
    fn logits(&mut self, _sequence: usize, _token: usize, logits: &[f32]) {
        self.logits = Some(logits.to_vec());
    }

    fn working(&mut self, tokens: usize) -> Control {
        (self.progress)(tokens);
        if self.cancel.is_cancelled() {
            Control::Stop
        } else {
            Control::Continue
        }
    }
}

/// A running generation: an iterator over pieces of text, none of them empty.
#[derive(Debug)]
pub struct Generation<'s, 'm> {
    session: &'s mut Session<'m>,
    sampler: Sampler,
    stream: TextStream,
    stop: StopFilter,
    end: Vec<u32>,
    max_tokens: usize,
    /// Tokens that the decoder has not seen yet.
    pending: Vec<u32>,
    /// What comes after the prompt, where that was read before it was asked for.
    logits: Option<Vec<f32>>,
    report: Report,
    begun: Instant,
    first: Option<Instant>,
    failed: bool,
    cancel: Cancel,
}

impl Generation<'_, '_> {
    /// Counts and times so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Reads the prompt, which the first call of [`Iterator::next`] does otherwise. `progress` is told now and then how many of its
    /// tokens are done, and how many there are. When it is cancelled, the iterator has nothing to yield.
    ///
    /// # Errors
    /// When a step fails.
    pub fn read_prompt(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<(), Error> {
        if self.first.is_some() || self.logits.is_some() || self.report.finish.is_some() {
            return Ok(());
        }
        let (reused, total) = (self.report.reused_tokens, self.report.prompt_tokens);
        let result = self.logits(&mut |done| progress((reused + done).min(total), total));
        self.failed |= result.is_err();
        match result? {
            Some(logits) => self.logits = Some(logits),
            None => self.report.finish = Some(Finish::Cancelled),
        }
        Ok(())
    }

    /// The logits of what comes next; `None` when it was cancelled.
    fn logits(&mut self, progress: &mut dyn FnMut(usize)) -> Result<Option<Vec<f32>>, Error> {
        if self.logits.is_some() {
            return Ok(self.logits.take());
        }
        if self.cancel.is_cancelled() {
            return Ok(None);
        }
        let pending = std::mem::take(&mut self.pending);
        let logits = self.session.step(&pending, &self.cancel, progress)?;
        if self.first.is_none() {
            self.report.prompt_time = self.begun.elapsed();
            self.report.read_tokens = self.session.tokens.len();
        }
        Ok(logits)
    }

    /// Generates to the end; the whole text and the report.
    ///
    /// # Errors
    /// When a step fails.
    pub fn finish(mut self) -> Result<(String, Report), Error> {
        let mut text = String::new();
        for piece in &mut self {
            text += &piece?;
        }
        Ok((text, self.report))
    }

    /// Generates a token; the text that can be shown because of it.
    fn advance(&mut self) -> Result<String, Error> {
        let positions = self.session.model.decoder.config().positions;
        if self.report.generated_tokens >= self.max_tokens {
            return self.end(Finish::MaxTokens);
        }
        if self.session.tokens.len() + self.pending.len() > positions {
            return self.end(Finish::ContextFull);
        }
        let Some(logits) = self.logits(&mut |_| ())? else {
            return self.end(Finish::Cancelled);
        };
        let token = self.sampler.sample(&logits);
        self.sampler.observe(&[token]);
        self.report.generated_tokens += 1;
        if let Some(first) = self.first {
            self.report.decode_time = first.elapsed();
        } else {
            self.first = Some(Instant::now());
            self.report.time_to_first_token = Some(self.begun.elapsed());
        }
        if self.end.contains(&token) {
            return self.end(Finish::End(token));
        }
        self.pending.push(token);
        let tokenizer = &self.session.model.companions.tokenizer;
        let text = self.stream.push(tokenizer, token)?;
        let text = self.stop.push(&text);
        if let Some(stop) = self.stop.stopped() {
            self.report.finish = Some(Finish::Stop(stop.to_owned()));
        }
        Ok(text)
    }

    /// Ends; the text that was held back.
    fn end(&mut self, finish: Finish) -> Result<String, Error> {
        self.session.model.decoder.ensure_unchanged()?;
        self.report.finish = Some(finish);
        let tokenizer = &self.session.model.companions.tokenizer;
        let rest = self.stream.finish(tokenizer)?;
        let text = self.stop.push(&rest);
        if let Some(stop) = self.stop.stopped() {
            self.report.finish = Some(Finish::Stop(stop.to_owned()));
        }
        Ok(text + &self.stop.finish())
    }
}

impl Iterator for Generation<'_, '_> {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.report.finish.is_none() && !self.failed {
            match self.advance() {
                Ok(text) if text.is_empty() => {}
                Ok(text) => return Some(Ok(text)),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

fn seed_from_clock() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}
