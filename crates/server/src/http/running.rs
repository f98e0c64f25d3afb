//! A request on its way: prompts with their continuations, from events to text.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout_at};
use weightsmith_infer::Cancel;

use super::failure::ApiError;
use super::local_paths::without_folders;
use super::parameters::Parameters;
use super::pieces::{Piece, Pieces};
use crate::engine::{BROKE_OFF, Ending, Event, Request};
use crate::models::Lease;

/// A place among the requests, and the time until which it is answered.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
}

impl Admission {
    /// The error of a request that takes too long.
    pub(super) fn timed_out(&self) -> ApiError {
        ApiError::timed_out(self.timeout.as_secs())
    }
}

/// A prompt, in tokens, and as it is repeated where that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prompt {
    pub(super) tokens: Vec<u32>,
    pub(super) echo: Option<Piece>,
}

/// What is asked of a model.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) prompts: Vec<Prompt>,
    pub(super) parameters: Parameters,
    /// Tokens that end a continuation.
    pub(super) end: Vec<u32>,
    /// Tokens of a continuation at most, for each prompt.
    pub(super) max_tokens: Vec<usize>,
    pub(super) logprobs: Option<usize>,
}

/// Numbers of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Usage {
    pub(super) prompt: usize,
    pub(super) reused: usize,
    pub(super) generated: usize,
}

/// News of a continuation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Update {
    /// Its number.
    pub(super) choice: usize,
    /// Text and tokens.
    pub(super) piece: Piece,
    /// Why it is over, if it is.
    pub(super) finish: Option<&'static str>,
}

/// A request that is being answered. Dropped, it is given up.
#[derive(Debug)]
pub(super) struct Running {
    events: UnboundedReceiver<Event>,
    task: Task,
    choices: Vec<Choice>,
    /// Continuations that are not over.
    open: usize,
    usage: Usage,
    ready: std::collections::VecDeque<Update>,
    admission: Admission,
    // the model stays while the request runs
    lease: Lease,
}

#[derive(Debug)]
struct Choice {
    pieces: Pieces,
    cancel: Cancel,
    is_open: bool,
}

impl Running {
    /// Hands the prompts to the model.
    pub(super) fn start(task: Task, lease: Lease, admission: Admission) -> Self {
        let (sender, events) = unbounded_channel();
        let parameters = &task.parameters;
        let sampling = parameters.sampling(&lease.model().companions.defaults);
        let wants_tokens = task.logprobs.is_some();
        let mut choices = Vec::new();
        for (prompt, &max_tokens) in task.prompts.iter().zip(&task.max_tokens) {
            let first_choice = choices.len();
            let echoed = prompt.echo.as_ref();
            let offset = echoed.map_or(0, |piece| piece.text.chars().count());
            let continuations: Vec<(u64, Cancel)> = parameters
                .seeds()
                .map(|seed| (seed, Cancel::default()))
                .collect();
            choices.extend(continuations.iter().map(|(_, cancel)| Choice {
                pieces: Pieces::new(&prompt.tokens, &parameters.stop, offset, wants_tokens),
                cancel: cancel.clone(),
                is_open: true,
            }));
            lease.engine().submit(Request {
                prompt: prompt.tokens.clone(),
                sampling,
                continuations,
                max_tokens,
                end: task.end.clone(),
                logprobs: task.logprobs,
                prompt_logprobs: wants_tokens && echoed.is_some(),
                first_choice,
                events: sender.clone(),
            });
        }
        Self {
            events,
            open: choices.len(),
            choices,
            usage: Usage {
                prompt: task.prompts.iter().map(|one| one.tokens.len()).sum(),
                ..Usage::default()
            },
            ready: std::collections::VecDeque::new(),
            task,
            admission,
            lease,
        }
    }

    /// The next news; `None` when all continuations are over.
    pub(super) async fn next(&mut self) -> Result<Option<Update>, ApiError> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Ok(Some(update));
            }
            if self.open == 0 {
                return Ok(None);
            }
            let Ok(event) = timeout_at(self.admission.deadline, self.events.recv()).await else {
                return Err(self.admission.timed_out());
            };
            // the lease keeps the engine, which falls silent only where a panic took the sequence with it
            let event = event.ok_or_else(|| ApiError::internal(BROKE_OFF))?;
            self.take(event)?;
        }
    }

    /// The model.
    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Numbers of tokens so far.
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// What was asked.
    pub(super) fn task(&self) -> &Task {
        &self.task
    }

    fn take(&mut self, event: Event) -> Result<(), ApiError> {
        match event {
            Event::Prompt {
                choice,
                logprobs,
                reused,
            } => {
                self.usage.reused += reused;
                self.echo(choice, logprobs);
                Ok(())
            }
            Event::Token {
                choice,
                token,
                logprobs,
            } => {
                if self.choices[choice].is_open {
                    self.usage.generated += 1;
                    self.token(choice, token, logprobs)?;
                }
                Ok(())
            }
            Event::Finished { choice, ending } => {
                if self.choices[choice].is_open {
                    let finish = match ending {
                        Ending::End => "stop",
                        Ending::Length => "length",
                    };
                    self.finish(choice, finish, Piece::default())?;
                }
                Ok(())
            }
            Event::Failed { problem } => Err(ApiError::internal(without_folders(&problem))),
        }
    }

    /// Repeats a prompt in each of its continuations.
    fn echo(&mut self, choice: usize, logprobs: Vec<Option<crate::engine::TokenLogprobs>>) {
        let each = self.task.parameters.choices;
        let Some(mut piece) = self.task.prompts[choice / each].echo.take() else {
            return;
        };
        for (record, logprobs) in piece.tokens.iter_mut().zip(logprobs) {
            record.logprobs = logprobs;
        }
        for choice in choice..choice + each {
            self.ready.push_back(Update {
                choice,
                piece: piece.clone(),
                finish: None,
            });
        }
    }

    fn token(
        &mut self,
        choice: usize,
        token: u32,
        logprobs: Option<crate::engine::TokenLogprobs>,
    ) -> Result<(), ApiError> {
        let tokenizer = &self.lease.model().companions.tokenizer;
        let pieces = &mut self.choices[choice].pieces;
        if self.task.end.contains(&token) {
            pieces.note_end(token, logprobs);
            return Ok(());
        }
        let piece = pieces.push(tokenizer, token, logprobs)?;
        if pieces.is_stopped() {
            self.choices[choice].cancel.cancel();
            return self.finish(choice, "stop", piece);
        }
        if !piece.text.is_empty() || !piece.tokens.is_empty() {
            self.ready.push_back(Update {
                choice,
                piece,
                finish: None,
            });
        }
        Ok(())
    }

    /// Ends a continuation: what was held back comes behind a piece.
    fn finish(
        &mut self,
        choice: usize,
        finish: &'static str,
        mut piece: Piece,
    ) -> Result<(), ApiError> {
        let tokenizer = &self.lease.model().companions.tokenizer;
        let one = &mut self.choices[choice];
        one.is_open = false;
        self.open -= 1;
        let rest = one.pieces.finish(tokenizer)?;
        piece.text += &rest.text;
        piece.tokens.extend(rest.tokens);
        let finish = if one.pieces.is_stopped() {
            "stop"
        } else {
            finish
        };
        self.ready.push_back(Update {
            choice,
            piece,
            finish: Some(finish),
        });
        Ok(())
    }
}
