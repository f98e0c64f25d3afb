//! Answers, whole or piece by piece as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::{Value, json};
use weightsmith_infer::{Cancel, Model, Tokenizer};

use super::admission::App;
use super::failure::ApiError;
use super::fields::Fields;
use super::logprobs;
use super::parameters::random;
use super::pieces::{Piece, TokenRecord};
use super::prepared::prepared;
use super::running::{Running, Task, Update, Usage};

/// What every answer says of itself.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    id: String,
    created: u64,
    model: String,
}

impl Envelope {
    /// A new answer of a model.
    pub(super) fn new(prefix: &str, model: &str) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            id: format!("{prefix}-{:016x}{:016x}", random(), random()),
            created: since.map_or(0, |since| since.as_secs()),
            model: model.to_owned(),
        }
    }

    /// An answer or a part of one.
    fn wrap(&self, object: &str, choices: Vec<Value>, usage: Option<Value>) -> Value {
        let mut answer = json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
        });
        answer["choices"] = Value::Array(choices);
        if let Some(usage) = usage {
            answer["usage"] = usage;
        }
        answer
    }
}

/// A protocol's way of putting texts and tokens.
pub(super) trait Form: Send + 'static {
    /// `object` of a whole answer and of a part.
    const OBJECTS: (&'static str, &'static str);

    /// A choice of a whole answer.
    fn choice(
        &self,
        tokenizer: &Tokenizer,
        index: usize,
        piece: Piece,
        finish: Option<&'static str>,
    ) -> Value;

    /// A choice of a part of an answer.
    fn part(&self, tokenizer: &Tokenizer, update: Update) -> Value;

    /// What a stream says of a choice before anything else.
    fn opening(&self, index: usize) -> Option<Value>;
}

/// Runs what a request asks for on its model, and answers in the form it asks for.
pub(super) async fn started<F: Form>(
    app: &Arc<App>,
    fields: Fields<'_>,
    kind: &'static str,
    make: impl FnOnce(&Model, usize, &Cancel) -> Result<Task, ApiError> + Send + 'static,
    form: impl FnOnce(bool) -> F,
) -> Result<Response, ApiError> {
    let model = app.named_model(fields)?;
    let admission = app.admit()?;
    let lease = app.lease(model, &admission).await?;
    let context = app.context(&lease);
    let work = move |model: &Model, cancel: &Cancel| make(model, context, cancel);
    let (task, lease, admission) = prepared(app, lease, admission, work).await?;
    let form = form(task.logprobs.is_some());
    let envelope = Envelope::new(kind, lease.name());
    let running = Running::start(task, lease, admission);
    if running.task().parameters.stream {
        Ok(stream(running, envelope, form))
    } else {
        whole(running, &envelope, &form).await
    }
}

/// All choices at once.
async fn whole<F: Form>(
    mut running: Running,
    envelope: &Envelope,
    form: &F,
) -> Result<Response, ApiError> {
    let count = running.task().prompts.len() * running.task().parameters.choices;
    let mut choices = vec![(Piece::default(), None); count];
    while let Some(update) = running.next().await? {
        let (piece, finish) = &mut choices[update.choice];
        piece.text += &update.piece.text;
        piece.tokens.extend(update.piece.tokens);
        *finish = finish.or(update.finish);
    }
    let tokenizer = &running.lease().model().companions.tokenizer;
    let choices = choices
        .into_iter()
        .enumerate()
        .map(|(index, (piece, finish))| form.choice(tokenizer, index, piece, finish))
        .collect();
    let usage = usage(running.usage());
    Ok(Json(envelope.wrap(F::OBJECTS.0, choices, Some(usage))).into_response())
}

/// What a stream is made from.
struct Parts<F> {
    running: Running,
    envelope: Envelope,
    form: F,
    lines: VecDeque<String>,
    is_over: bool,
}

fn stream<F: Form>(running: Running, envelope: Envelope, form: F) -> Response {
    let mut parts = Parts {
        running,
        envelope,
        form,
        lines: VecDeque::new(),
        is_over: false,
    };
    parts.open();
    let body = unfold(parts, |mut parts| async move {
        while parts.lines.is_empty() {
            if parts.is_over {
                return None;
            }
            parts.advance().await;
        }
        let lines: String = parts.lines.drain(..).collect();
        Some((Ok::<_, Infallible>(lines), parts))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

impl<F: Form> Parts<F> {
    fn open(&mut self) {
        let task = self.running.task();
        let count = task.prompts.len() * task.parameters.choices;
        for index in 0..count {
            if let Some(opening) = self.form.opening(index) {
                self.send(vec![opening], None);
            }
        }
    }

    async fn advance(&mut self) {
        match self.running.next().await {
            Ok(Some(update)) => {
                let tokenizer = &self.running.lease().model().companions.tokenizer;
                let part = self.form.part(tokenizer, update);
                self.send(vec![part], None);
            }
            Ok(None) => {
                if self.running.task().parameters.include_usage {
                    let usage = usage(self.running.usage());
                    self.send(Vec::new(), Some(usage));
                }
                self.lines.push_back("data: [DONE]\n\n".to_owned());
                self.is_over = true;
            }
            Err(error) => {
                self.lines.push_back(event(&error.body()));
                self.is_over = true;
            }
        }
    }

    fn send(&mut self, choices: Vec<Value>, usage: Option<Value>) {
        // as with OpenAI, the field is there in every part if it will be in the last
        let wanted = self.running.task().parameters.include_usage;
        let usage = usage.or_else(|| wanted.then_some(Value::Null));
        let part = self.envelope.wrap(F::OBJECTS.1, choices, usage);
        self.lines.push_back(event(&part));
    }
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.generated,
        "total_tokens": usage.prompt + usage.generated,
        "prompt_tokens_details": {"cached_tokens": usage.reused},
    })
}

/// The form of completions.
#[derive(Debug)]
pub(super) struct CompletionForm {
    pub(super) logprobs: bool,
}

impl CompletionForm {
    fn columns(&self, tokenizer: &Tokenizer, records: &[TokenRecord]) -> Value {
        if !self.logprobs {
            return Value::Null;
        }
        let mut columns = logprobs::Columns::default();
        columns.extend(tokenizer, records);
        columns.into_json()
    }
}

impl Form for CompletionForm {
    const OBJECTS: (&'static str, &'static str) = ("text_completion", "text_completion");

    fn choice(
        &self,
        tokenizer: &Tokenizer,
        index: usize,
        piece: Piece,
        finish: Option<&'static str>,
    ) -> Value {
        json!({
            "index": index,
            "text": piece.text,
            "logprobs": self.columns(tokenizer, &piece.tokens),
            "finish_reason": finish,
        })
    }

    fn part(&self, tokenizer: &Tokenizer, update: Update) -> Value {
        self.choice(tokenizer, update.choice, update.piece, update.finish)
    }

    fn opening(&self, _index: usize) -> Option<Value> {
        None
    }
}

/// The form of chats.
#[derive(Debug)]
pub(super) struct ChatForm {
    pub(super) logprobs: bool,
}

impl ChatForm {
    fn content(&self, tokenizer: &Tokenizer, records: &[TokenRecord]) -> Value {
        if !self.logprobs {
            return Value::Null;
        }
        json!({"content": logprobs::content(tokenizer, records), "refusal": null})
    }
}

impl Form for ChatForm {
    const OBJECTS: (&'static str, &'static str) = ("chat.completion", "chat.completion.chunk");

    fn choice(
        &self,
        tokenizer: &Tokenizer,
        index: usize,
        piece: Piece,
        finish: Option<&'static str>,
    ) -> Value {
        json!({
            "index": index,
            "message": {"role": "assistant", "content": piece.text, "refusal": null},
            "logprobs": self.content(tokenizer, &piece.tokens),
            "finish_reason": finish,
        })
    }

    fn part(&self, tokenizer: &Tokenizer, update: Update) -> Value {
        let delta = if update.piece.text.is_empty() {
            json!({})
        } else {
            json!({"content": update.piece.text})
        };
        json!({
            "index": update.choice,
            "delta": delta,
            "logprobs": self.content(tokenizer, &update.piece.tokens),
            "finish_reason": update.finish,
        })
    }

    fn opening(&self, index: usize) -> Option<Value> {
        Some(json!({
            "index": index,
            "delta": {"role": "assistant", "content": ""},
            "logprobs": null,
            "finish_reason": null,
        }))
    }
}
