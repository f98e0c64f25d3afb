//! YAML as mergekit reads it (PyYAML's `SafeLoader`), as a tree with places.
//!
//! The events come from `saphyr-parser`. What is added here: a tree in which every node knows its place, aliases and
//! merge keys applied, YAML 1.1 typing of plain scalars, and limits that keep hostile files harmless. Differences from PyYAML:
//! duplicate keys are errors, dates stay texts, and tags other than those of plain JSON-like values are errors.

mod builder;
mod mapping;
mod message;
mod place;
mod scalar;

pub(crate) use builder::documents;
pub(crate) use scalar::{Resolved, python_float};

use crate::Span;

/// One value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// Where it stands; for an alias, where the alias stands.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) content: Content,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order in which Python would hold them. Keys are scalars and differ from each other.
    Mapping(Vec<(Key, Node)>),
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
        matches!(
            &self.content,
            Content::Scalar(Scalar {
                value: Resolved::Null,
                ..
            })
        )
    }

    /// The kind of the node, with article, for messages that say what was found.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(scalar) => scalar.value.kind(),
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }
}
