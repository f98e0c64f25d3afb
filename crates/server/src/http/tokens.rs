//! `/tokenize`, `/detokenize`, `/tokenizer_info`: the model's tokenizer, as vLLM serves it.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::Request;
use serde_json::{Map, Value, json};
use weightsmith_infer::Model;

use super::admission::App;
use super::chat::Conversation;
use super::completions::check_vocabulary;
use super::failure::ApiError;
use super::fields::{Fields, missing, wrong};
use super::parameters::tokens;
use super::receive::receive;
use crate::models::{Lease, ModelId};

/// The tokens of a text or a conversation.
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
    let lease = lease(&app, model).await?;
    let context = app.context(&lease);
    let answer = blocking(lease, move |model| {
        let tokenizer = &model.companions.tokenizer;
        let tokens = match (text, conversation) {
            (Some(text), _) => tokenizer.encode(&text, special)?,
            (None, Some(conversation)) => conversation.tokens(model)?,
            (None, None) => Vec::new(),
        };
        let strings = names.then(|| {
            let names = tokens.iter().map(|&token| tokenizer.name(token));
            names.collect::<Vec<_>>()
        });
        Ok(json!({
            "count": tokens.len(),
            "max_model_len": context,
            "tokens": tokens,
            "token_strs": strings,
        }))
    });
    answer.await.map(Json)
}

/// The text of tokens.
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
    let lease = lease(&app, model).await?;
    let answer = blocking(lease, move |model| {
        check_vocabulary(&list, model.decoder.config().vocabulary, "tokens")?;
        let text = model.companions.tokenizer.decode(&list, false)?;
        Ok(json!({"prompt": text}))
    });
    answer.await.map(Json)
}

/// What a `tokenizer_config.json` says.
pub(super) async fn info(
    State(app): State<Arc<App>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, ApiError> {
    let named = query.iter().find(|(name, _)| name == "model");
    let model = app.model_or_first(named.map(|(_, name)| name.as_str()))?;
    let lease = lease(&app, model).await?;
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

async fn lease(app: &App, model: ModelId) -> Result<Lease, ApiError> {
    let admission = app.admit()?;
    app.lease(model, &admission).await
}

/// Work that may take a moment, off the threads that serve connections.
async fn blocking(
    lease: Lease,
    work: impl FnOnce(&Model) -> Result<Value, ApiError> + Send + 'static,
) -> Result<Value, ApiError> {
    tokio::task::spawn_blocking(move || work(lease.model()))
        .await
        .map_err(|error| ApiError::internal(error.to_string()))?
}
