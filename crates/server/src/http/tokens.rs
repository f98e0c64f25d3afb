//! `/tokenize`, `/detokenize`, `/tokenizer_info`: the model's tokenizer, as vLLM serves it.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::Request;
use serde_json::{Map, Value, json};
use weightsmith_infer::Error;

use super::admission::App;
use super::chat::Conversation;
use super::completions::check_vocabulary;
use super::failure::ApiError;
use super::fields::{Fields, missing, wrong};
use super::logprobs::shown;
use super::parameters::tokens;
use super::prepared::prepared;
use super::receive::receive;
use super::running::Admission;
use crate::models::{Lease, ModelId};

/// Tokens of a text or conversation.
pub(super) async fn tokenize(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Json<Value>, ApiError> {
    let body = receive::<Value>(request, None).await?;
    let fields = Fields::of(&body.value)?;
    let model = app.model_or_first(fields.text("model")?)?;
    let names = fields.flag("return_token_strs")?;
    let text = fields.text("prompt")?.map(str::to_owned);
    let special = fields.flag_or("add_special_tokens", true)?;
    let conversation = match &text {
        Some(_) => None,
        None if fields.get("messages").is_some() => Some(Conversation::read(fields)?),
        None => return Err(missing("prompt")),
    };
    let (lease, admission) = lease(&app, model).await?;
    let context = app.context(&lease);
    let answer = prepared(&app, lease, admission, move |model, cancel| {
        let tokenizer = &model.companions.tokenizer;
        let (text, special) = match (text, conversation) {
            (Some(text), _) => (text, special),
            (None, Some(conversation)) => (conversation.text(model)?, false),
            (None, None) => (String::new(), false),
        };
        let most = most_tokens(context);
        let tokens = match tokenizer.encode_within(&text, special, most, cancel) {
            Err(Error::TooManyTokens { most, .. }) => return Err(ApiError::too_many_tokens(most)),
            tokens => tokens?,
        };
        let strings = names.then(|| {
            let texts = tokens.iter().map(|&token| shown(&tokenizer.piece(token)));
            texts.collect::<Vec<_>>()
        });
        Ok(json!({
            "count": tokens.len(),
            "max_model_len": context,
            "tokens": tokens,
            "token_strs": strings,
        }))
    });
    let (answer, ..) = answer.await?;
    Ok(Json(answer))
}

/// Text of tokens.
pub(super) async fn detokenize(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Json<Value>, ApiError> {
    let body = receive::<Value>(request, None).await?;
    let fields = Fields::of(&body.value)?;
    let model = app.model_or_first(fields.text("model")?)?;
    let value = fields.get("tokens").ok_or_else(|| missing("tokens"))?;
    let list = value.as_array().and_then(|list| tokens(list));
    let list = list.ok_or_else(|| wrong("tokens", value, "a list of tokens"))?;
    let (lease, admission) = lease(&app, model).await?;
    let most = most_tokens(app.context(&lease));
    if list.len() > most {
        return Err(ApiError::too_many_tokens(most));
    }
    let answer = prepared(&app, lease, admission, move |model, _| {
        check_vocabulary(&list, model.decoder.config().vocabulary, "tokens")?;
        let text = model.companions.tokenizer.decode(&list, false)?;
        Ok(json!({"prompt": text}))
    });
    let (answer, ..) = answer.await?;
    Ok(Json(answer))
}

/// What a `tokenizer_config.json` says.
pub(super) async fn info(
    State(app): State<Arc<App>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, ApiError> {
    let named = query.iter().find(|(name, _)| name == "model");
    let model = app.model_or_first(named.map(|(_, name)| name.as_str()))?;
    let (lease, _admission) = lease(&app, model).await?;
    let context = app.context(&lease);
    let companions = &lease.model().companions;
    let mut answer = Map::new();
    for (name, text) in &companions.special.named {
        answer.insert(name.clone(), Value::from(text.as_str()));
    }
    let template = companions.template.as_ref();
    answer.insert(
        "tokenizer_class".to_owned(),
        Value::from("PreTrainedTokenizerFast"),
    );
    answer.insert(
        "chat_template".to_owned(),
        template.map_or(Value::Null, |template| Value::from(template.source())),
    );
    answer.insert("model_max_length".to_owned(), Value::from(context));
    Ok(Json(Value::Object(answer)))
}

/// A place among the requests, and the model.
async fn lease(app: &App, model: ModelId) -> Result<(Lease, Admission), ApiError> {
    let admission = app.admit()?;
    let lease = app.lease(model, &admission).await?;
    Ok((lease, admission))
}

/// How many tokens are made or read: documents are counted before they are cut for a small context.
fn most_tokens(context: usize) -> usize {
    const AT_LEAST: usize = 1 << 16;
    context.max(AT_LEAST)
}
