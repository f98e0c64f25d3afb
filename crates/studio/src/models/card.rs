//! A model's card.

use std::collections::BTreeMap;

use weightsmith::output::MODEL_CARD;

use super::card_cache::{CardCache, Key};
use super::facts::small_text;
use super::files::picture_kind;
use super::markdown::{LARGEST_CARD, Links, html, plain, without_front_matter};
use super::{Catalogue, Entry, ParentName};
use crate::error::Refusal;
use crate::paths::segment;
use crate::wire::Card;

/// The card as sanitised HTML, with pictures of the model's folder and links to the pages of models that are known here.
pub(crate) fn card(
    catalogue: &Catalogue,
    cards: &CardCache,
    entry: &Entry,
) -> Result<Card, Refusal> {
    let none = || {
        let message = format!("`{}` has no {MODEL_CARD}", entry.name);
        Refusal::not_found("no_card", message)
    };
    let folder = entry.folder.as_ref().ok_or_else(none)?;
    let path = folder.join(MODEL_CARD);
    // before it is read: what is written meanwhile is looked at again
    let mut key = Key::of(&path).ok_or_else(none)?;
    let text = small_text(&path).ok_or_else(none)?;
    let markdown = without_front_matter(&text);
    let mut links = Links::default();
    for file in fs_err::read_dir(folder)?.filter_map(Result::ok) {
        if let Ok(name) = file.file_name().into_string()
            && picture_kind(&name).is_some()
        {
            let address = format!(
                "/api/models/{}/files/{}",
                segment(&entry.name),
                segment(&name)
            );
            links.pictures.insert(name, address);
        }
    }
    links.models = models(catalogue, entry);
    key.links.clone_from(&links);
    let shown = cards.get(key, || {
        html(markdown, links).unwrap_or_else(|| plain(markdown))
    });
    let end = markdown.floor_char_boundary(LARGEST_CARD);
    Ok(Card {
        html: (*shown).to_owned(),
        markdown: markdown[..end].to_owned(),
    })
}

/// What the card may call models, with their pages.
fn models(catalogue: &Catalogue, entry: &Entry) -> BTreeMap<String, String> {
    let mut models = BTreeMap::new();
    let page = |name: &str| format!("/models/{}", segment(name));
    for other in catalogue.list() {
        // what looks like a name on the hub is one wherever it stands
        if other.name.contains('/') {
            models.insert(other.name.clone(), page(&other.name));
        }
    }
    for parent in &entry.facts.parents {
        let label = ParentName {
            reference: parent.label.clone(),
            label: parent.label.clone(),
        };
        if let Some(known) = catalogue
            .known_as(parent)
            .or_else(|| catalogue.known_as(&label))
        {
            models.insert(parent.label.clone(), page(&known));
            models.insert(parent.reference.clone(), page(&known));
        }
    }
    models.remove(&entry.name);
    models
}

/// A card's text as HTML, in a studio that knows no models.
#[cfg(feature = "testing")]
pub(crate) fn card_html(text: &str) -> String {
    let markdown = without_front_matter(text);
    html(markdown, Links::default()).unwrap_or_else(|| plain(markdown))
}
