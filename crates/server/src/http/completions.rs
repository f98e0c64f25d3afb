//! `/v1/completions`: texts that are continued.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use serde_json::Value;
use weightsmith_infer::{Cancel, Model};

use super::admission::App;
use super::failure::ApiError;
use super::fields::{Fields, Most, missing, wrong};
use super::parameters::{MOST_ALTERNATIVES, Parameters, tokens};
use super::pieces::{Piece, prompt_records};
use super::prepared::prompt_tokens;
use super::receive::receive;
use super::running::{Prompt, Task};
use super::stream::{CompletionForm, started};

/// Continuations of a request at most.
pub(super) const MOST_CONTINUATIONS: usize = 256;

/// Log-probabilities of the tokens of prompts that are told at most: each takes some hundred bytes of an answer.
const MOST_TOLD: usize = 1 << 18;

/// Tokens of a continuation where the request does not say.
const DEFAULT_TOKENS: usize = 16;

/// A prompt as it was given.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    Text(String),
    Tokens(Vec<u32>),
}

/// A request, read.
#[derive(Debug)]
struct Completion {
    prompts: Vec<Given>,
    parameters: Parameters,
    max_tokens: Option<usize>,
    /// Tokens where `max_tokens` does not say.
    usual: Option<usize>,
    logprobs: Option<usize>,
    echo: bool,
    special: bool,
}

/// Answers a request.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let body = receive::<Value>(request, None).await?;
    let fields = Fields::of(&body.value)?;
    let completion = Completion::read(fields)?;
    let make =
        move |model: &Model, context, cancel: &Cancel| completion.into_task(model, context, cancel);
    started(&app, fields, "cmpl", make, |logprobs| CompletionForm {
        logprobs,
    })
    .await
}

impl Completion {
    fn read(fields: Fields<'_>) -> Result<Self, ApiError> {
        let parameters = Parameters::read(fields)?;
        if fields.text("suffix")?.is_some_and(|text| !text.is_empty()) {
            let message = "not supported";
            return Err(ApiError::unsupported("suffix", message));
        }
        // of one, or of none, there is no best
        let best_of = fields.count("best_of", 0)?.filter(|&best_of| best_of > 1);
        if best_of.is_some_and(|best_of| best_of != parameters.choices) {
            let message = "not supported unless it is equal to `n`";
            return Err(ApiError::unsupported("best_of", message));
        }
        let prompts = prompts(fields)?;
        if prompts.len() * parameters.choices > MOST_CONTINUATIONS {
            let found = format!("{} prompts times `n`", prompts.len());
            let expected = format!("at most {MOST_CONTINUATIONS} continuations");
            return Err(ApiError::field("prompt", &found, &expected));
        }
        let most = fields.most(&["max_tokens", "n_predict"], 0)?;
        Ok(Self {
            prompts,
            parameters,
            max_tokens: most.and_then(Most::tokens),
            usual: most.is_none().then_some(DEFAULT_TOKENS),
            logprobs: logprobs(fields)?,
            echo: fields.flag("echo")?,
            special: fields.flag_or("add_special_tokens", true)?,
        })
    }

    /// Numbers that are told about a prompt's tokens.
    fn told(&self, tokens: usize) -> usize {
        let each = self.logprobs.map_or(0, |alternatives| 1 + alternatives);
        tokens * self.parameters.choices * each
    }

    /// Tokens instead of texts, and limits that fit the context.
    fn into_task(
        mut self,
        model: &Model,
        context: usize,
        cancel: &Cancel,
    ) -> Result<Task, ApiError> {
        let tokenizer = &model.companions.tokenizer;
        let mut prompts = Vec::with_capacity(self.prompts.len());
        let mut max_tokens = Vec::with_capacity(self.prompts.len());
        let mut told = 0;
        for given in std::mem::take(&mut self.prompts) {
            let (tokens, text) = match given {
                Given::Text(text) => (
                    prompt_tokens(model, &text, self.special, context, cancel)?,
                    self.echo.then_some(text),
                ),
                Given::Tokens(tokens) => {
                    check_vocabulary(&tokens, model.decoder.config().vocabulary, "prompt")?;
                    limit(tokens.len(), self.max_tokens, None, context)?;
                    let echo = self.echo.then(|| tokenizer.decode(&tokens, false));
                    (tokens, echo.transpose()?)
                }
            };
            if tokens.is_empty() {
                let expected = "at least one token";
                return Err(ApiError::field("prompt", "empty", expected));
            }
            let length = tokens.len();
            max_tokens.push(limit(length, self.max_tokens, self.usual, context)?);
            let echo = match text {
                None => None,
                Some(text) => {
                    told += self.told(length);
                    if told > MOST_TOLD {
                        return Err(too_much_told());
                    }
                    let tokens = match self.logprobs {
                        None => Vec::new(),
                        Some(_) => prompt_records(tokenizer, &tokens, &text)?,
                    };
                    Some(Piece { text, tokens })
                }
            };
            prompts.push(Prompt { tokens, echo });
        }
        let end = if self.parameters.ignore_end {
            Vec::new()
        } else {
            model.companions.defaults.end.clone()
        };
        Ok(Task {
            prompts,
            end,
            max_tokens,
            logprobs: self.logprobs,
            parameters: self.parameters,
        })
    }
}

fn too_much_told() -> ApiError {
    let expected = format!(
        "at most {MOST_TOLD} prompt log-probabilities: tokens times `n` times one plus the alternatives; request fewer alternatives or split the request"
    );
    ApiError::field("logprobs", "for too many tokens of prompts", &expected)
}

/// How many alternatives of each token are told; the other protocol says `false` where none are.
fn logprobs(fields: Fields<'_>) -> Result<Option<usize>, ApiError> {
    if fields.get("logprobs") == Some(&Value::Bool(false)) {
        return Ok(None);
    }
    let count = fields.integer("logprobs", 0, MOST_ALTERNATIVES)?;
    Ok(count.map(|count| count as usize))
}

/// How many tokens may be generated behind a prompt: what was asked for, if there is room, else what is usual or fits.
pub(super) fn limit(
    prompt: usize,
    asked: Option<usize>,
    usual: Option<usize>,
    context: usize,
) -> Result<usize, ApiError> {
    let wanted = asked.unwrap_or(1);
    if prompt + wanted > context {
        return Err(ApiError::too_long(prompt, wanted, context));
    }
    let room = context - prompt;
    Ok(asked.unwrap_or_else(|| usual.unwrap_or(room).min(room)))
}

/// Refuses tokens that a model does not have.
pub(super) fn check_vocabulary(
    tokens: &[u32],
    vocabulary: usize,
    name: &str,
) -> Result<(), ApiError> {
    match tokens.iter().find(|&&token| token as usize >= vocabulary) {
        None => Ok(()),
        Some(token) => {
            let expected = format!("tokens from 0 to {}", vocabulary.saturating_sub(1));
            Err(ApiError::field(name, &format!("token {token}"), &expected))
        }
    }
}

/// A text, texts, tokens, or lists of tokens.
fn prompts(fields: Fields<'_>) -> Result<Vec<Given>, ApiError> {
    const EXPECTED: &str =
        "a string, a list of strings, a list of tokens or a list of lists of tokens, not empty";
    let value = fields.get("prompt").ok_or_else(|| missing("prompt"))?;
    let given = match value {
        Value::String(text) => Some(vec![Given::Text(text.clone())]),
        Value::Array(list) => match list.first() {
            Some(Value::String(_)) => list
                .iter()
                .map(|one| one.as_str().map(|text| Given::Text(text.to_owned())))
                .collect(),
            Some(Value::Number(_)) => tokens(list).map(|tokens| vec![Given::Tokens(tokens)]),
            Some(Value::Array(_)) => list
                .iter()
                .map(|one| tokens(one.as_array()?).map(Given::Tokens))
                .collect(),
            _ => None,
        },
        _ => None,
    };
    given.ok_or_else(|| wrong("prompt", value, EXPECTED))
}
