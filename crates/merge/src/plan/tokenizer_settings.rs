//! What a recipe says about tokenizer and chat template. None of it can be done yet, but much of it changes nothing.

use serde_json::Value;

use super::models::Model;
use crate::recipe::{ModelReference, Recipe, Tokenizer, TokenizerSource};
use crate::{Diagnostic, Span};

/// Files of a tokenizer, of which the first three hold a vocabulary.
const FILES: [&str; 5] = [
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
];
const VOCABULARIES: usize = 3;

/// Bytes of a file that is looked at.
const LARGEST: u64 = 64 << 20;

/// Refuses what would have to change the tokenizer, its embeddings or the template, and notes what changes nothing.
///
/// `models` are those that could be opened, `all` says whether those are all of them: else nobody knows yet what would change.
pub(super) fn check(
    recipe: &Recipe,
    models: &[Model],
    donor: Option<usize>,
    all: bool,
) -> Vec<Diagnostic> {
    let donor = donor.and_then(|donor| models.get(donor));
    let mut said = Vec::new();
    if let Some(settings) = &recipe.tokenizer {
        let changes = settings_change(settings, models, donor, all);
        said.extend(tokenizer("`tokenizer:`", settings.span, changes));
    }
    if let Some(source) = &recipe.tokenizer_source {
        let changes = source_changes(&source.value, models, all);
        said.extend(tokenizer("`tokenizer_source:`", source.span, changes));
    }
    if let Some(template) = &recipe.chat_template {
        let changes = template_changes(&template.value, models, donor, all);
        let (what, span) = ("`chat_template:`", template.span);
        said.extend(changes.map(|changes| {
            if changes {
                refusal(what, span)
                    .hint("without it, the base model's template is copied unchanged")
            } else {
                no_effect(what, span).hint("it is the base model's template already")
            }
        }));
    }
    said
}

fn tokenizer(what: &str, span: Span, changes: Option<bool>) -> Option<Diagnostic> {
    Some(if changes? {
        refusal(what, span).hint("without it, the base model's tokenizer is copied unchanged")
    } else {
        no_effect(what, span).hint("all models have the same tokenizer, which is copied unchanged")
    })
}

fn refusal(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(format!("recipes with {what} are not supported yet"), span)
}

fn no_effect(what: &str, span: Span) -> Diagnostic {
    Diagnostic::note(format!("{what} has no effect"), span)
}

fn settings_change(
    settings: &Tokenizer,
    models: &[Model],
    donor: Option<&Model>,
    all: bool,
) -> Option<bool> {
    if !settings.tokens.is_empty() {
        return Some(true);
    }
    let pads = settings.pad_to_multiple_of.as_ref().map(|multiple| {
        let rows = donor?
            .config
            .as_ref()?
            .value()
            .get("vocab_size")?
            .as_u64()?;
        Some(rows % multiple.value != 0)
    });
    match pads {
        Some(None) if all => return Some(true),
        Some(Some(true)) => return Some(true),
        _ => {}
    }
    source_changes(&settings.source, models, all)
}

/// Whether a tokenizer made of these sources would be another one than each of the models has; nothing where they are not all known.
fn source_changes(source: &TokenizerSource, models: &[Model], all: bool) -> Option<bool> {
    let is_input =
        |wanted: &ModelReference| models.iter().any(|model| model.reference == wanted.raw);
    match source {
        TokenizerSource::Model(wanted) if !is_input(wanted) => Some(true),
        _ if !all => None,
        _ => Some(!have_one_tokenizer(models)),
    }
}

fn have_one_tokenizer(models: &[Model]) -> bool {
    let Some((first, others)) = models.split_first() else {
        return false;
    };
    let Some(tokenizer) = tokenizer_files(first) else {
        return false;
    };
    tokenizer[..VOCABULARIES].iter().any(Option::is_some)
        && others
            .iter()
            .all(|other| tokenizer_files(other).is_some_and(|files| files == tokenizer))
}

/// The hashes of [`FILES`]; nothing where one of them cannot be looked at.
fn tokenizer_files(model: &Model) -> Option<Vec<Option<blake3::Hash>>> {
    let hash = |name: &&str| match model.source.file(name) {
        Ok(Some(bytes)) if bytes.len() as u64 > LARGEST => None,
        Ok(bytes) => Some(bytes.map(|bytes| blake3::hash(&bytes))),
        Err(_) => None,
    };
    FILES.iter().map(hash).collect()
}

fn template_changes(
    wanted: &str,
    models: &[Model],
    donor: Option<&Model>,
    all: bool,
) -> Option<bool> {
    if wanted == "auto" {
        if !all {
            return None;
        }
        let mut templates = models.iter().map(template);
        let first = templates.next()?;
        return Some(first.is_none() || !templates.all(|other| other == first));
    }
    match donor {
        Some(donor) => Some(template(donor) != Some(Value::from(wanted))),
        None if all => Some(true),
        None => None,
    }
}

/// A model's chat template, as its files have it.
fn template(model: &Model) -> Option<Value> {
    let read = |name: &str| {
        let text = model.source.file_text(name).ok().flatten()?;
        (text.len() as u64 <= LARGEST).then_some(text)
    };
    if let Some(text) = read("chat_template.jinja") {
        return Some(Value::from(text));
    }
    let mut config: Value = serde_json::from_str(&read("tokenizer_config.json")?).ok()?;
    let template = config.get_mut("chat_template")?.take();
    (!template.is_null()).then_some(template)
}
