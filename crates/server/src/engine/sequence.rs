//! A sequence that is computed: its tokens, the cache of some of them, and how it goes on.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;
use weightsmith_infer::config::RopeKind;
use weightsmith_infer::{Cancel, Decoder, Error, KvCache, Sampler, Wants};

use super::{Ending, Event, Request, TokenLogprobs};

/// A sequence. Tokens that its cache does not hold are pending.
#[derive(Debug)]
pub(super) struct Sequence {
    /// The prompt, then what was generated.
    pub(super) tokens: Vec<u32>,
    pub(super) cache: KvCache,
    /// Length of the sequence that the keys in the cache were turned for.
    pub(super) turned: usize,
    pub(super) state: State,
}

/// What becomes of a sequence's logits.
#[derive(Debug)]
pub(super) struct State {
    prompt: Arc<[u32]>,
    /// One for each continuation; more than one until the prompt is read.
    samplers: Vec<(Sampler, Cancel)>,
    end: Arc<[u32]>,
    generated: usize,
    max_tokens: usize,
    logprobs: Option<usize>,
    wants_prompt: bool,
    choice: usize,
    events: UnboundedSender<Event>,
    pub(super) arrived: Instant,
    /// Tokens of the prompt that came from another sequence's cache.
    pub(super) reused: usize,
    /// What the model thought of the prompt's tokens.
    prompt_logprobs: Vec<Option<TokenLogprobs>>,
    /// Positions before the step that runs.
    start: usize,
    /// A token found nobody who listens.
    pub(super) is_lost: bool,
    /// Tokens that the step chose, one for each sampler.
    chosen: Vec<(u32, Option<TokenLogprobs>)>,
}

impl Sequence {
    /// A sequence for a request.
    pub(super) fn new(request: Request, decoder: &Decoder) -> Result<Self, Error> {
        let Request {
            prompt,
            sampling,
            continuations,
            max_tokens,
            end,
            logprobs,
            prompt_logprobs,
            first_choice,
            events,
        } = request;
        let samplers = continuations
            .into_iter()
            .map(|(seed, cancel)| {
                let mut sampler = Sampler::new(sampling, seed)?;
                sampler.observe(&prompt);
                Ok((sampler, cancel))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self {
            state: State {
                prompt: prompt.as_slice().into(),
                samplers,
                end: end.into(),
                generated: 0,
                max_tokens,
                logprobs,
                wants_prompt: prompt_logprobs,
                choice: first_choice,
                events,
                arrived: Instant::now(),
                reused: 0,
                prompt_logprobs: vec![None; if prompt_logprobs { prompt.len() } else { 0 }],
                start: 0,
                is_lost: false,
                chosen: Vec::new(),
            },
            tokens: prompt,
            cache: decoder.new_cache(),
            turned: 0,
        })
    }

    /// Tokens that the cache does not hold.
    pub(super) fn pending(&self) -> usize {
        self.tokens.len() - self.cache.len()
    }

    /// True when nobody listens any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.state.events.is_closed()
    }

    /// True when nobody needs more of it.
    pub(super) fn is_over(&self) -> bool {
        let mut continuations = self.state.samplers.iter();
        self.is_abandoned() || continuations.all(|(_, cancel)| cancel.is_cancelled())
    }

    /// Continuations that it stands for.
    pub(super) fn continuations(&self) -> usize {
        self.state.samplers.len()
    }

    /// Whether nothing has to be computed for it.
    pub(super) fn needs_nothing(&self) -> bool {
        self.state.max_tokens == 0 && !self.state.wants_prompt
    }

    /// Tells that it is over before anything was computed.
    pub(super) fn end_at_once(mut self) -> Self {
        self.state.announce_prompt();
        self.state.finish(Ending::Length);
        self
    }

    /// Tells that it cannot go on.
    pub(super) fn fail(&self, problem: &str) {
        let problem = problem.to_owned();
        let _ = self.state.events.send(Event::Failed { problem });
    }

    /// Takes what another sequence computed; not where every token's logits are wanted.
    pub(super) fn begin_with(&mut self, cache: KvCache) {
        if self.reusable() {
            self.state.reused = cache.len();
            self.turned = self.tokens.len();
            self.cache = cache;
        }
    }

    /// Whether its beginning may come from another sequence.
    pub(super) fn reusable(&self) -> bool {
        self.cache.is_empty() && !self.state.wants_prompt && self.state.generated == 0
    }

    /// Empties the cache where the length of the sequence makes what it holds wrong.
    pub(super) fn settle(&mut self, decoder: &Decoder) {
        if decoder.must_recompute(self.turned, self.tokens.len()) {
            self.cache.clear();
        }
        self.turned = self.tokens.len();
    }

    /// Whether its rotary embedding depends on its length, so that its tokens are one step.
    pub(super) fn is_whole(&self, decoder: &Decoder) -> bool {
        let length = self.tokens.len();
        let stretched =
            decoder.config().ropes.iter().any(|rope| {
                matches!(rope.kind, RopeKind::Dynamic { .. }) && length > rope.positions
            });
        stretched || decoder.must_recompute(1, length)
    }

    /// Prepares a step of some pending tokens; which logits it needs.
    pub(super) fn begin_step(&mut self, count: usize) -> Wants {
        self.state.start = self.cache.len();
        self.state.chosen.clear();
        let is_prompt = self.state.start < self.state.prompt.len();
        if self.state.wants_prompt && is_prompt && self.state.generated == 0 {
            Wants::All
        } else if count == self.pending() && self.state.max_tokens > 0 {
            Wants::Last
        } else {
            Wants::Nothing
        }
    }

    /// Tells what a step brought.
    pub(super) fn end_step(mut self) -> Progress {
        if self.pending() > 0 {
            return Progress {
                told: false,
                going: vec![self],
                done: Vec::new(),
            };
        }
        if self.state.generated == 0 {
            self.state.announce_prompt();
        }
        let chosen = std::mem::take(&mut self.state.chosen);
        if chosen.is_empty() {
            self.state.finish(Ending::Length);
            return Progress {
                told: false,
                going: Vec::new(),
                done: vec![self],
            };
        }
        let (mut going, mut done) = (Vec::new(), Vec::new());
        for (mut sequence, (token, logprobs)) in self.fork().into_iter().zip(chosen) {
            if sequence.go_on(token, logprobs) {
                going.push(sequence);
            } else {
                done.push(sequence);
            }
        }
        Progress {
            told: true,
            going,
            done,
        }
    }

    /// A sequence for each continuation; they share what the cache holds.
    fn fork(mut self) -> Vec<Self> {
        let samplers = std::mem::take(&mut self.state.samplers);
        let mut all = Vec::with_capacity(samplers.len());
        for (index, sampler) in samplers.into_iter().enumerate() {
            all.push(Self {
                tokens: self.tokens.clone(),
                cache: self.cache.clone(),
                turned: self.turned,
                state: State {
                    samplers: vec![sampler],
                    choice: self.state.choice + index,
                    prompt: Arc::clone(&self.state.prompt),
                    end: Arc::clone(&self.state.end),
                    events: self.state.events.clone(),
                    prompt_logprobs: Vec::new(),
                    chosen: Vec::new(),
                    ..self.state
                },
            });
        }
        all
    }

    /// Adds a token and tells it; whether more may come.
    fn go_on(&mut self, token: u32, logprobs: Option<TokenLogprobs>) -> bool {
        self.state.generated += 1;
        self.tokens.push(token);
        let choice = self.state.choice;
        let told = self.state.events.send(Event::Token {
            choice,
            token,
            logprobs,
        });
        if told.is_err() {
            self.state.is_lost = true;
        } else if self.state.end.contains(&token) {
            self.state.finish(Ending::End);
        } else if self.state.generated == self.state.max_tokens {
            self.state.finish(Ending::Length);
        } else {
            return true;
        }
        false
    }

    /// Whether its first token has just been chosen.
    pub(super) fn is_first(&self) -> bool {
        self.state.generated == 1
    }
}

/// Where a sequence is after a step.
#[derive(Debug)]
pub(super) struct Progress {
    /// A token of each continuation has been told.
    pub(super) told: bool,
    /// What goes on: the continuations, or the sequence while its prompt is being read.
    pub(super) going: Vec<Sequence>,
    /// What is over.
    pub(super) done: Vec<Sequence>,
}

impl State {
    /// Takes the logits of a token of the step.
    pub(super) fn see(&mut self, token: usize, length: usize, logits: &[f32]) {
        let next = self.start + token + 1;
        if self.wants_prompt && next < self.prompt.len() {
            let alternatives = self.logprobs.unwrap_or(0);
            let entry = TokenLogprobs::of(logits, self.prompt[next], alternatives);
            self.prompt_logprobs[next] = Some(entry);
        }
        if next == length && self.max_tokens > 0 {
            let logprobs = self.logprobs;
            self.chosen = self
                .samplers
                .iter_mut()
                .map(|(sampler, _)| {
                    let token = sampler.sample(logits);
                    sampler.observe(&[token]);
                    let told = logprobs.map(|count| TokenLogprobs::of(logits, token, count));
                    (token, told)
                })
                .collect();
        }
    }

    fn announce_prompt(&mut self) {
        let _ = self.events.send(Event::Prompt {
            choice: self.choice,
            logprobs: std::mem::take(&mut self.prompt_logprobs),
            reused: self.reused,
        });
    }

    fn finish(&self, ending: Ending) {
        for choice in self.choice..self.choice + self.samplers.len() {
            let _ = self.events.send(Event::Finished { choice, ending });
        }
    }
}
