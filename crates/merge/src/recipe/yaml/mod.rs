//! YAML as mergekit reads it (PyYAML's `SafeLoader`), as a tree with places.
//!
//! The events come from `saphyr-parser`. What is added here: a tree in which every node knows its place, aliases and
//! merge keys applied, YAML 1.1 typing of plain scalars, and limits that keep hostile files harmless. Differences from PyYAML:
//! keys given twice with different values are errors, dates stay texts, and tags other than those of plain JSON-like values are errors.

mod builder;
mod excerpt;
mod mapping;
mod message;
mod place;
mod scalar;

pub use builder::MAX_RECIPE_BYTES;
pub(crate) use builder::documents;
pub(crate) use excerpt::excerpt;
pub(crate) use place::Places;
pub(crate) use scalar::{Resolved, python_float};

use std::rc::Rc;

use crate::Span;

/// One value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// Where it stands; for an alias, where the alias stands.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) content: Content,
}

/// What a node is. Aliases share what they stand for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// A single value.
    Scalar(Rc<Scalar>),
    /// A list.
    Sequence(Rc<[Node]>),
    /// Keys and values in the order in which Python would hold them. Keys are scalars and differ from each other.
    Mapping(Rc<[(Key, Node)]>),
}

/// A single value, as written and as understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    /// The text, without quotes and with escapes resolved.
    pub(crate) text: String,
    /// What YAML 1.1 takes it for.
    pub(crate) value: Resolved,
}

/// The key of an entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    /// Its text, whatever YAML 1.1 takes it for.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) span: Span,
}

impl Node {
    /// True for `null`, `~` and for nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if scalar.value == Resolved::Null)
    }

    /// True for a list or a mapping with nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.content {
            Content::Scalar(_) => false,
            Content::Sequence(items) => items.is_empty(),
            Content::Mapping(entries) => entries.is_empty(),
        }
    }

    /// The kind of the node, with article, for messages that say what was found.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(scalar) => scalar.value.kind(),
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }

    /// Whether two nodes have the same value, wherever they stand. The order of a mapping's keys does not count.
    pub(crate) fn same_value(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Scalar(one), Content::Scalar(other)) => match (one.value, other.value) {
                (Resolved::Text, Resolved::Text) => one.text == other.text,
                (one, other) => one == other,
            },
            (Content::Sequence(one), Content::Sequence(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(&**other)
                        .all(|(one, other)| one.same_value(other))
            }
            (Content::Mapping(one), Content::Mapping(other)) => {
                let sorted = |entries: &[(Key, Self)]| {
                    let mut order: Vec<usize> = (0..entries.len()).collect();
                    order.sort_by(|a, b| entries[*a].0.text.cmp(&entries[*b].0.text));
                    order
                };
                let pairs = sorted(one).into_iter().zip(sorted(other));
                one.len() == other.len()
                    && pairs.map(|(a, b)| (&one[a], &other[b])).all(
                        |((key, value), (other_key, other))| {
                            key.text == other_key.text && value.same_value(other)
                        },
                    )
            }
            _ => false,
        }
    }
}
