//! Keys of mappings: merge keys applied, contradictions refused.

use std::collections::BTreeMap;

use super::{Content, Key, Node, Resolved, excerpt};
use crate::{Diagnostic, Problems, Span};

/// An entry as it was read.
pub(super) struct Entry {
    pub(super) key: EntryKey,
    pub(super) value: Node,
}

/// The key of an entry as it was read.
pub(super) enum EntryKey {
    /// `<<`: take the entries of the mapping, or of the mappings in the list, that is the value.
    Merge,
    /// Any other key.
    Node(Node),
}

/// The entries of a mapping, with merge keys applied.
///
/// An entry's own key wins over a merged one. Of the mappings in one `<<:` the first wins, of several `<<:` the last.
/// Merged entries stand before the mapping's own, as in Python. The first of two own entries with the same key wins;
/// the second is an error, or a warning where it says the same.
pub(super) fn assemble(entries: Vec<Entry>, problems: &mut Problems) -> Vec<(Key, Node)> {
    let mut merged = Unique::default();
    let mut own = Unique::default();
    for Entry { key, value } in entries {
        match key {
            EntryKey::Merge => merge(&value, &mut merged, problems),
            EntryKey::Node(node) => {
                let Some(key) = read_key(&node, problems) else {
                    continue;
                };
                if let Some((first, known)) = own.find(&key.text) {
                    problems.add(duplicate(&key, first.span, known.same_value(&value)));
                } else {
                    own.replace(key, value);
                }
            }
        }
    }
    let mut entries = merged.entries;
    entries.retain(|(key, _)| own.find(&key.text).is_none());
    entries.append(&mut own.entries);
    entries
}

/// Entries with distinct keys.
#[derive(Default)]
struct Unique {
    entries: Vec<(Key, Node)>,
    positions: BTreeMap<String, usize>,
}

impl Unique {
    fn find(&self, key: &str) -> Option<&(Key, Node)> {
        self.entries.get(*self.positions.get(key)?)
    }

    fn replace(&mut self, key: Key, value: Node) {
        if let Some(position) = self.positions.get(&key.text) {
            self.entries[*position] = (key, value);
        } else {
            self.positions.insert(key.text.clone(), self.entries.len());
            self.entries.push((key, value));
        }
    }
}

fn merge(value: &Node, merged: &mut Unique, problems: &mut Problems) {
    match &value.content {
        Content::Mapping(entries) => {
            for (key, value) in &**entries {
                merged.replace(key.clone(), value.clone());
            }
        }
        Content::Sequence(items) => {
            // The last first, so that earlier ones replace it.
            for item in items.iter().rev() {
                match item.content {
                    Content::Mapping(_) => merge(item, merged, problems),
                    _ => problems.add(not_a_mapping(item)),
                }
            }
        }
        Content::Scalar(_) => problems.add(not_a_mapping(value)),
    }
}

fn not_a_mapping(found: &Node) -> Diagnostic {
    let message = format!(
        "`<<` takes a mapping or a list of mappings, found {}",
        found.kind()
    );
    Diagnostic::error(message, found.span)
}

fn duplicate(key: &Key, first: Span, is_same: bool) -> Diagnostic {
    let Span { line, column, .. } = first;
    let name = excerpt(&key.text);
    if is_same {
        let message =
            format!("key `{name}` is given twice with the same value, first at {line}:{column}");
        return Diagnostic::warning(message, key.span).hint("remove one of the two");
    }
    let message =
        format!("key `{name}` is given twice with different values, first at {line}:{column}");
    Diagnostic::error(message, key.span).hint("keep one of the two")
}

/// The text of a key. Keys that YAML takes for something else than a text are errors, yet go on under their text.
fn read_key(node: &Node, problems: &mut Problems) -> Option<Key> {
    let span = node.span;
    let kind = node.kind();
    let Content::Scalar(scalar) = &node.content else {
        let message = format!("a key must be a string, found {kind}");
        problems.add(Diagnostic::error(message, span));
        return None;
    };
    let text = scalar.text.clone();
    match scalar.value {
        Resolved::Text => {}
        Resolved::Null if text.is_empty() => {
            let message = "a key is missing before the `:`";
            problems.add(Diagnostic::error(message, span));
            return None;
        }
        value => {
            let kind = match value {
                Resolved::Null => "null",
                other => other.kind(),
            };
            let name = excerpt(&text);
            let message = format!("YAML reads the key `{name}` as {kind}");
            let hint = format!("put it in quotes: `\"{name}\":`");
            problems.add(Diagnostic::error(message, span).hint(hint));
        }
    }
    Some(Key { text, span })
}
