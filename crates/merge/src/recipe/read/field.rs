//! Taking values of an expected kind out of nodes.

use super::super::parameter::Scalar;
use super::super::yaml::{Content, Key, Node, Resolved, excerpt, python_float};
use super::Reader;
use crate::{Diagnostic, Span, Spanned};

/// The entries of a mapping, each taken at most once; what is left over is unknown.
pub(super) struct Fields<'n> {
    entries: Vec<Option<&'n (Key, Node)>>,
    pub(super) span: Span,
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(super) struct Field<'n> {
    pub(super) key: &'n Key,
    pub(super) value: &'n Node,
}

impl<'n> Fields<'n> {
    /// Takes an entry; one whose value is null counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Field<'n>> {
        self.take_even_null(name)
            .filter(|field| !field.value.is_null())
    }

    /// Takes an entry.
    pub(super) fn take_even_null(&mut self, name: &str) -> Option<Field<'n>> {
        self.entries
            .iter_mut()
            .find(|entry| entry.is_some_and(|(key, _)| key.text == name))
            .and_then(Option::take)
            .map(|(key, value)| Field { key, value })
    }

    /// True if the entry is there and was not taken.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries
            .iter()
            .flatten()
            .any(|(key, _)| key.text == name)
    }

    /// What was not taken, in the recipe's order.
    pub(super) fn rest(self) -> impl Iterator<Item = Field<'n>> {
        self.entries
            .into_iter()
            .flatten()
            .map(|(key, value)| Field { key, value })
    }
}

/// "expected …, found …" at a node.
pub(super) fn mismatch(what: &str, expected: &str, node: &Node) -> Diagnostic {
    let found = match &node.content {
        Content::Scalar(scalar) if scalar.value != Resolved::Null => {
            format!("{} `{}`", definite(scalar.value), excerpt(&scalar.text))
        }
        _ => node.kind().to_owned(),
    };
    Diagnostic::error(
        format!("{what} must be {expected}, found {found}"),
        node.span,
    )
}

fn definite(value: Resolved) -> &'static str {
    match value {
        Resolved::Null => "nothing",
        Resolved::Bool(_) => "the boolean",
        Resolved::Integer(_) | Resolved::Float(_) => "the number",
        Resolved::Text => "the string",
    }
}

impl Reader<'_> {
    /// The entries of a mapping.
    pub(super) fn fields<'n>(&mut self, what: &str, node: &'n Node) -> Option<Fields<'n>> {
        if let Content::Mapping(entries) = &node.content {
            return Some(Fields {
                entries: entries.iter().map(Some).collect(),
                span: node.span,
            });
        }
        self.report(mismatch(what, "a mapping", node));
        None
    }

    /// Takes an entry, and reports `missing` if it is not there.
    pub(super) fn required<'n>(
        &mut self,
        fields: &mut Fields<'n>,
        name: &str,
        missing: Diagnostic,
    ) -> Option<Field<'n>> {
        let field = fields.take(name);
        if field.is_none() {
            self.report(missing);
        }
        field
    }

    /// The items of a list that must not be empty.
    pub(super) fn items<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n [Node]> {
        match &node.content {
            Content::Sequence(items) if items.is_empty() => {
                self.report(Diagnostic::error(
                    format!("{what} is an empty list"),
                    node.span,
                ));
                None
            }
            Content::Sequence(items) => Some(items),
            _ => {
                self.report(mismatch(what, "a list", node));
                None
            }
        }
    }

    /// A text. Numbers and booleans are refused, with the hint to put them in quotes.
    pub(super) fn text(&mut self, what: &str, node: &Node) -> Option<Spanned<String>> {
        match &node.content {
            Content::Scalar(scalar) if scalar.value == Resolved::Text => {
                return Some(Spanned::new(scalar.text.clone(), node.span));
            }
            Content::Scalar(scalar) if !scalar.text.is_empty() => {
                let hint = format!("put it in quotes: `\"{}\"`", excerpt(&scalar.text));
                self.report(mismatch(what, "a string", node).hint(hint));
            }
            _ => self.report(mismatch(what, "a string", node)),
        }
        None
    }

    /// A single value that may be of any type but null, and is finite if it is a number.
    pub(super) fn scalar(&mut self, what: &str, expected: &str, node: &Node) -> Option<Scalar> {
        let Content::Scalar(scalar) = &node.content else {
            self.report(mismatch(what, expected, node));
            return None;
        };
        match scalar.value {
            Resolved::Bool(value) => Some(Scalar::Bool(value)),
            Resolved::Text => self
                .check_finite(what, &scalar.text, python_float(&scalar.text), node.span)
                .then(|| Scalar::Text(scalar.text.clone())),
            Resolved::Integer(value) | Resolved::Float(value) => self
                .check_finite(what, &scalar.text, Some(value), node.span)
                .then_some(Scalar::Number(value)),
            Resolved::Null => {
                self.report(mismatch(what, expected, node));
                None
            }
        }
    }

    fn check_finite(&mut self, what: &str, text: &str, value: Option<f64>, span: Span) -> bool {
        let finite = value.is_none_or(f64::is_finite);
        if !finite {
            let message = format!("{what} must be finite, found `{}`", excerpt(text));
            self.report(Diagnostic::error(message, span));
        }
        finite
    }

    /// A number, or a text that holds one.
    pub(super) fn number(&mut self, what: &str, node: &Node) -> Option<Spanned<f64>> {
        let scalar = self.scalar(what, "a number", node)?;
        let value = scalar.as_number();
        if value.is_none() {
            self.report(mismatch(what, "a number", node));
        }
        value.map(|value| Spanned::new(value, node.span))
    }

    /// A whole number of at least zero, or a text that holds one.
    pub(super) fn whole(&mut self, what: &str, node: &Node) -> Option<Spanned<u64>> {
        self.whole_or(
            node,
            mismatch(what, "a whole number of at least 0", node),
            what,
        )
    }

    /// The same; what is no such number is reported as `unsuitable` says.
    pub(super) fn whole_or(
        &mut self,
        node: &Node,
        unsuitable: Diagnostic,
        what: &str,
    ) -> Option<Spanned<u64>> {
        let scalar = self.scalar(what, "a whole number", node)?;
        let value = scalar
            .as_integer()
            .and_then(|value| u64::try_from(value).ok());
        if value.is_none() {
            self.report(unsuitable);
        }
        value.map(|value| Spanned::new(value, node.span))
    }

    /// A boolean, or what mergekit takes for one.
    pub(super) fn flag(&mut self, what: &str, node: &Node) -> Option<bool> {
        let scalar = self.scalar(what, "`true` or `false`", node)?;
        let value = scalar.as_bool();
        if value.is_none() {
            self.report(mismatch(what, "`true` or `false`", node));
        }
        value
    }
}
