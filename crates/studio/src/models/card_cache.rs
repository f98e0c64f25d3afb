//! Cards that were rendered, for as long as their file and what they mention stay the same.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::markdown::Links;

/// Cards that are kept. Each is some megabytes at most.
const MOST: usize = 16;

/// What a rendered card depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
    pub(super) links: Links,
}

/// The cards that were looked at last. One is rendered at a time, however many are asked for: who asks for the same meanwhile
/// waits for it.
#[derive(Debug, Default)]
pub(crate) struct CardCache(Mutex<VecDeque<(Key, Arc<str>)>>);

impl CardCache {
    /// The card as HTML, made by `render` unless it is known.
    pub(super) fn get(&self, key: Key, render: impl FnOnce() -> String) -> Arc<str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = known.iter().position(|(other, _)| *other == key)
            && let Some((key, html)) = known.remove(index)
        {
            known.push_front((key, Arc::clone(&html)));
            return html;
        }
        let html: Arc<str> = render().into();
        known.retain(|(other, _)| other.path != key.path);
        known.push_front((key, Arc::clone(&html)));
        known.truncate(MOST);
        html
    }
}

impl Key {
    /// For a file as it is now, which mentions nothing.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = fs_err::metadata(path).ok()?;
        Some(Self {
            path: path.to_owned(),
            size: metadata.len(),
            modified: metadata.modified().ok(),
            links: Links::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, size: u64) -> Key {
        Key {
            path: name.into(),
            size,
            modified: None,
            links: Links::default(),
        }
    }

    #[test]
    fn a_card_is_rendered_once_until_it_changes() {
        let cache = CardCache::default();
        assert_eq!(&*cache.get(key("a", 1), || "one".to_owned()), "one");
        assert_eq!(&*cache.get(key("a", 1), || unreachable!("known")), "one");
        assert_eq!(&*cache.get(key("a", 2), || "two".to_owned()), "two");
        assert_eq!(&*cache.get(key("a", 1), || "again".to_owned()), "again");
        assert_eq!(cache.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn few_cards_are_kept_and_those_last_looked_at() {
        let cache = CardCache::default();
        for name in 0..MOST {
            cache.get(key(&name.to_string(), 0), String::new);
        }
        cache.get(key("0", 0), || unreachable!("known"));
        cache.get(key("new", 0), String::new);
        assert_eq!(cache.0.lock().unwrap().len(), MOST);
        cache.get(key("0", 0), || unreachable!("known"));
        assert_eq!(&*cache.get(key("1", 0), || "anew".to_owned()), "anew");
    }

    #[test]
    fn who_asks_for_a_card_that_is_being_rendered_gets_that() {
        let cache = CardCache::default();
        let rendered = Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    cache.get(key("a", 1), || {
                        *rendered.lock().unwrap() += 1;
                        String::new()
                    })
                });
            }
        });
        assert_eq!(*rendered.lock().unwrap(), 1);
    }
}
