//! `/v1/chat/completions`: conversations that are answered.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use serde_json::{Map, Value};
use weightsmith_infer::{Cancel, Message, Model, TemplateOptions};

use super::admission::App;
use super::completions::limit;
use super::failure::ApiError;
use super::fields::{Fields, Most, missing};
use super::messages;
use super::parameters::{MOST_ALTERNATIVES, Parameters};
use super::prepared::prompt_tokens;
use super::receive::receive;
use super::refused::refuse_for_chats;
use super::running::{Prompt, Task};
use super::stream::{ChatForm, started};

/// A request, read.
#[derive(Debug)]
struct Chat {
    conversation: Conversation,
    parameters: Parameters,
    max_tokens: Option<usize>,
    /// The model's own limit does not count either.
    has_no_limit: bool,
    /// The limit under the name that goes second, if there are both.
    second_limit: Option<usize>,
    logprobs: Option<usize>,
}

/// Messages, and what else the template is told.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    messages: Vec<Message>,
    generation_prompt: bool,
    variables: Map<String, Value>,
}

/// Answers a request.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let body = receive::<Value>(request, None).await?;
    let fields = Fields::of(&body.value)?;
    let chat = Chat::read(fields)?;
    let make =
        move |model: &Model, context, cancel: &Cancel| chat.into_task(model, context, cancel);
    started(&app, fields, "chatcmpl", make, |logprobs| ChatForm {
        logprobs,
    })
    .await
}

impl Chat {
    fn read(fields: Fields<'_>) -> Result<Self, ApiError> {
        let parameters = Parameters::read(fields)?;
        refuse_for_chats(fields)?;
        let alternatives = fields.integer("top_logprobs", 0, MOST_ALTERNATIVES)?;
        let wanted = fields.flag("logprobs")? || alternatives.is_some_and(|count| count > 0);
        // the newer name goes first
        let newer = fields.most(&["max_completion_tokens"], 1)?;
        let older = fields.most(&["max_tokens", "n_predict"], 1)?;
        let most = newer.or(older);
        Ok(Self {
            conversation: Conversation::read(fields)?,
            parameters,
            max_tokens: most.and_then(Most::tokens),
            has_no_limit: most == Some(Most::NoLimit),
            second_limit: newer.and(older).and_then(Most::tokens),
            logprobs: wanted.then(|| alternatives.unwrap_or(0) as usize),
        })
    }

    fn into_task(self, model: &Model, context: usize, cancel: &Cancel) -> Result<Task, ApiError> {
        let text = self.conversation.text(model)?;
        let tokens = prompt_tokens(model, &text, false, context, cancel)?;
        if tokens.is_empty() {
            let expected = "messages that the chat template renders to a non-empty text";
            return Err(ApiError::field("messages", "an empty text", expected));
        }
        if let Some(second) = self.second_limit.filter(|&second| second > context) {
            return Err(ApiError::too_long(tokens.len(), second, context));
        }
        let defaults = &model.companions.defaults;
        let usual = defaults.max_tokens.filter(|_| !self.has_no_limit);
        let limit = limit(tokens.len(), self.max_tokens, usual, context)?;
        let mut parameters = self.parameters;
        let end = if parameters.ignore_end {
            Vec::new()
        } else {
            let mut end = defaults.end.clone();
            end.extend(model.companions.turn_end());
            let stop = model.companions.turn_stop().map(str::to_owned);
            parameters.stop.extend(stop);
            end
        };
        parameters.stop.extend(defaults.stop.iter().cloned());
        Ok(Task {
            prompts: vec![Prompt { tokens, echo: None }],
            parameters,
            end,
            max_tokens: vec![limit],
            logprobs: self.logprobs,
        })
    }
}

impl Conversation {
    /// Reads the messages.
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, ApiError> {
        let list = fields.list("messages")?;
        let list = list.ok_or_else(|| missing("messages"))?;
        if list.is_empty() {
            let expected = "at least one message";
            return Err(ApiError::field("messages", "empty", expected));
        }
        let variables = fields.object("chat_template_kwargs")?;
        Ok(Self {
            messages: list
                .iter()
                .enumerate()
                .map(|(index, message)| messages::read(index, message))
                .collect::<Result<_, _>>()?,
            generation_prompt: fields.flag_or("add_generation_prompt", true)?,
            variables: variables.map_or_else(Map::new, |fields| fields.all().clone()),
        })
    }

    /// The conversation in a model's template.
    pub(super) fn text(&self, model: &Model) -> Result<String, ApiError> {
        let options = TemplateOptions {
            generation_prompt: self.generation_prompt,
            variables: self.variables.clone(),
            ..TemplateOptions::default()
        };
        let template = model.companions.template()?;
        Ok(template.render(&self.messages, &options)?)
    }
}
