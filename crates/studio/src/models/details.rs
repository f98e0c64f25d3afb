//! What a model's own page shows besides.

use std::path::Path;

use serde_json::{Map, Value, json};
use weightsmith::output::Lock;

use super::facts::{RECIPE, small_text};
use super::usage::{Server, usage};
use super::{Entry, describe, published};
use crate::app::App;

/// Everything about a model but its card, files and tensors.
pub(crate) fn details(app: &App, entry: &Entry, server: &Server) -> Value {
    let facts = &entry.facts;
    let mut value = describe(app, entry);
    value["published"] = published(app).remove(&entry.name).unwrap_or_default();
    let more = json!({
        "recipe": recipe(entry),
        "lock": entry.folder.as_deref().and_then(|folder| Lock::read(folder).ok()),
        "has_card": facts.has_card,
        "chat_template": facts.chat_template,
        "vocabulary": facts.vocabulary,
        "layers": facts.layers,
        "hidden_size": facts.hidden_size,
        "attention_heads": facts.attention_heads,
        "key_value_heads": facts.key_value_heads,
        "tied_embeddings": facts.tied_embeddings,
        "generation": entry.folder.as_deref().and_then(generation),
        "usage": usage(entry, server),
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// The recipe that a model was made from.
pub(super) fn recipe(entry: &Entry) -> Option<String> {
    match &entry.recipe {
        Some(recipe) => Some(recipe.clone()),
        None => small_text(&entry.folder.as_ref()?.join(RECIPE)),
    }
}

/// How its makers sample it.
fn generation(folder: &Path) -> Option<Value> {
    let text = small_text(&folder.join("generation_config.json"))?;
    let config: Map<String, Value> = weightsmith_tensors::json::read(text.as_bytes()).ok()?;
    let number = |name: &str| config.get(name).filter(|value| value.is_number()).cloned();
    Some(json!({
        "temperature": number("temperature"),
        "top_p": number("top_p"),
        "top_k": number("top_k"),
        "repetition_penalty": number("repetition_penalty"),
    }))
}
