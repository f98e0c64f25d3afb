//! `/v1/chat/completions`: conversations that are answered.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use serde_json::{Map, Value};
use weightsmith_infer::{Cancel, Message, Model, TemplateOptions};

use super::admission::App;
use super::body;
use super::completions::limit;
use super::failure::ApiError;
use super::fields::{Fields, missing, wrong};
use super::parameters::{MOST_ALTERNATIVES, Parameters};
use super::prepared::prompt_tokens;
use super::running::{Prompt, Task};
use super::stream::{ChatForm, started};

/// A request, read.
#[derive(Debug)]
struct Chat {
    conversation: Conversation,
    parameters: Parameters,
    max_tokens: Option<usize>,
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
    let body = body::json(request, app.settings.body_bytes).await?;
    let fields = Fields::of(&body)?;
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
        refuse_tools(fields)?;
        let alternatives = fields.integer("top_logprobs", 0, MOST_ALTERNATIVES)?;
        let wanted = fields.flag("logprobs")? || alternatives.is_some_and(|count| count > 0);
        // the newer name goes first
        let newer = fields.count("max_completion_tokens", 1)?;
        let older = fields.count("max_tokens", 1)?;
        Ok(Self {
            conversation: Conversation::read(fields)?,
            parameters,
            max_tokens: newer.or(older),
            second_limit: newer.and(older),
            logprobs: wanted.then(|| alternatives.unwrap_or(0) as usize),
        })
    }

    fn into_task(self, model: &Model, context: usize, cancel: &Cancel) -> Result<Task, ApiError> {
        let text = self.conversation.text(model)?;
        let tokens = prompt_tokens(model, &text, false, context, cancel)?;
        if tokens.is_empty() {
            let expected = "something that the chat template makes a text of";
            return Err(ApiError::field("messages", "an empty text", expected));
        }
        if let Some(second) = self.second_limit.filter(|&second| second > context) {
            return Err(ApiError::too_long(tokens.len(), second, context));
        }
        let defaults = &model.companions.defaults;
        let limit = limit(tokens.len(), self.max_tokens, defaults.max_tokens, context)?;
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

/// Refuses what would need a model to call tools or to keep to a form.
fn refuse_tools(fields: Fields<'_>) -> Result<(), ApiError> {
    for name in ["tools", "functions"] {
        if fields.list(name)?.is_some_and(|list| !list.is_empty()) {
            let message = "tools are not supported: leave them out, and say in a message what the model may use";
            return Err(ApiError::unsupported(name, message));
        }
    }
    for name in ["tool_choice", "function_call"] {
        let choice = fields.get(name);
        if choice.is_some_and(|choice| choice != "none" && choice != "auto") {
            return Err(ApiError::unsupported(name, "tools are not supported"));
        }
    }
    let Some(format) = fields.object("response_format")? else {
        return Ok(());
    };
    match format.text("type")? {
        Some("text") => Ok(()),
        _ => Err(ApiError::unsupported(
            "response_format",
            "only `{\"type\": \"text\"}` is supported",
        )),
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
                .map(|(index, message)| read_message(index, message))
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

fn read_message(index: usize, message: &Value) -> Result<Message, ApiError> {
    let name = format!("messages[{index}]");
    let Value::Object(fields) = message else {
        return Err(wrong(&name, message, "an object with `role` and `content`"));
    };
    let role = fields.get("role").unwrap_or(&Value::Null);
    let role = match role.as_str() {
        Some("developer") => "system",
        Some(known @ ("system" | "user" | "assistant")) => known,
        Some(other) => {
            let expected = "`system`, `developer`, `user` or `assistant`";
            let found = format!("`{other}`");
            return Err(ApiError::field(&format!("{name}.role"), &found, expected));
        }
        None => return Err(wrong(&format!("{name}.role"), role, "a string")),
    };
    if fields
        .get("tool_calls")
        .is_some_and(|calls| !calls.is_null())
    {
        let name = format!("{name}.tool_calls");
        return Err(ApiError::unsupported(&name, "tools are not supported"));
    }
    let content = fields.get("content").unwrap_or(&Value::Null);
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .enumerate()
            .map(|(part, value)| read_part(&format!("{name}.content[{part}]"), value))
            .collect::<Result<_, _>>()?,
        _ => {
            let name = format!("{name}.content");
            return Err(wrong(&name, content, "a string or a list of texts"));
        }
    };
    Ok(Message::new(role, &text))
}

/// A part of a message: a text.
fn read_part(name: &str, part: &Value) -> Result<String, ApiError> {
    let text = part.get("text").and_then(Value::as_str);
    match (part.get("type").and_then(Value::as_str), text) {
        (Some("text"), Some(text)) => Ok(text.to_owned()),
        (Some(kind), _) if kind != "text" => {
            let message = format!("`{kind}` is not supported; only texts are");
            Err(ApiError::unsupported(name, &message))
        }
        _ => Err(wrong(name, part, "{\"type\": \"text\", \"text\": \"…\"}")),
    }
}
