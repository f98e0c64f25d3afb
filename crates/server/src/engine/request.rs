//! What an engine is asked, and what it answers.

use tokio::sync::mpsc::UnboundedSender;
use weightsmith_infer::{Cancel, SamplingSettings};

use super::TokenLogprobs;

/// A prompt to be continued.
#[derive(Debug)]
pub struct Request {
    /// The tokens, at least one.
    pub prompt: Vec<u32>,
    /// How tokens are chosen.
    pub sampling: SamplingSettings,
    /// Continuations: the seed of the random numbers of each, and how to end it.
    pub continuations: Vec<(u64, Cancel)>,
    /// Tokens of a continuation at most. With 0 the prompt is only read.
    pub max_tokens: usize,
    /// Tokens that end a continuation.
    pub end: Vec<u32>,
    /// How many alternatives are told with each token's log-probability; `None`: no log-probabilities.
    pub logprobs: Option<usize>,
    /// Log-probabilities of the prompt's tokens are wanted too.
    pub prompt_logprobs: bool,
    /// Number of the first continuation in events.
    pub first_choice: usize,
    /// Where events go. When the other end is gone the request is given up.
    pub events: UnboundedSender<Event>,
}

/// News of a request.
#[derive(Debug)]
pub enum Event {
    /// The prompt was read.
    Prompt {
        /// Number of the first continuation.
        choice: usize,
        /// For each token what the model thought of it, if that was asked for; nothing of the first.
        logprobs: Vec<Option<TokenLogprobs>>,
        /// Tokens that were in a cache already.
        reused: usize,
    },
    /// A token.
    Token {
        /// Number of the continuation.
        choice: usize,
        /// The token.
        token: u32,
        /// What the model thought of it.
        logprobs: Option<TokenLogprobs>,
    },
    /// A continuation is over.
    Finished {
        /// Its number.
        choice: usize,
        /// Why.
        ending: Ending,
    },
    /// The request cannot be answered.
    Failed {
        /// What went wrong.
        problem: String,
    },
}

/// Why a continuation is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The model ended its text; the last token says so.
    End,
    /// As many tokens as were asked for, or as the model has positions for.
    Length,
}
