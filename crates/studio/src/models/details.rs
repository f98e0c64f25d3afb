//! What a model's own page shows besides.

use std::path::Path;

use serde_json::{Map, Value};
use weightsmith::output::Lock;

use super::facts::{RECIPE, small_text};
use super::usage::{Server, usage};
use super::{Catalogue, Entry};
use crate::wire::{Generation, Model, ModelDetails};

/// Everything about a model but its card, files and tensors.
pub(crate) fn details(
    catalogue: &Catalogue,
    entry: &Entry,
    server: &Server,
    published: Option<f64>,
) -> ModelDetails {
    let facts = &entry.facts;
    let folder = entry.folder.as_deref();
    ModelDetails {
        model: Model {
            published,
            ..catalogue.describe(entry)
        },
        recipe: recipe(entry),
        lock: folder.and_then(|folder| Lock::read(folder).ok()),
        has_card: facts.has_card,
        chat_template: facts.chat_template,
        vocabulary: facts.vocabulary,
        layers: facts.layers,
        hidden_size: facts.hidden_size,
        attention_heads: facts.attention_heads,
        key_value_heads: facts.key_value_heads,
        tied_embeddings: facts.tied_embeddings,
        generation: folder.and_then(generation),
        usage: usage(entry, server),
    }
}

/// The recipe that a model was made from.
pub(crate) fn recipe(entry: &Entry) -> Option<String> {
    match &entry.recipe {
        Some(recipe) => Some(recipe.clone()),
        None => small_text(&entry.folder.as_ref()?.join(RECIPE)),
    }
}

/// How its makers sample it.
fn generation(folder: &Path) -> Option<Generation> {
    let text = small_text(&folder.join("generation_config.json"))?;
    let config: Map<String, Value> = weightsmith_tensors::json::read(text.as_bytes()).ok()?;
    let number = |name: &str| config.get(name)?.as_number().cloned();
    Some(Generation {
        temperature: number("temperature"),
        top_p: number("top_p"),
        top_k: number("top_k"),
        repetition_penalty: number("repetition_penalty"),
    })
}
