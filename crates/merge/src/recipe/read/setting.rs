//! `parameters:` and what stands in it.

use indexmap::IndexMap;

use super::super::parameter::{Alternative, ParameterValue, Parameters, Scalar, Setting};
use super::super::yaml::{Content, Node, excerpt};
use super::Reader;
use super::field::{Fields, mismatch};
use super::keys::Level;
use crate::{Diagnostic, Span};

/// What a parameter may be, for messages.
const EXPECTED: &str = "a number, a boolean, a string, or a list";

/// Entries of a parameter at most: for every tensor they are asked in order.
const MOST_ALTERNATIVES: usize = 1000;

/// Every filter is compared with all before it; lists longer than this are no human's work.
const MAX_COMPARED: usize = 500;

impl Reader<'_> {
    /// The `parameters:` of a level.
    pub(super) fn parameters(&mut self, fields: &mut Fields<'_>) -> Parameters {
        let mut settings = IndexMap::new();
        let entries = fields
            .take("parameters")
            .and_then(|field| self.fields("`parameters`", field.value));
        for field in entries.into_iter().flat_map(Fields::rest) {
            let name = &field.key.text;
            if self.is_misplaced_parameter(name, field.key.span) {
                continue;
            }
            let setting = Setting {
                name_span: field.key.span,
                span: field.value.span,
                alternatives: self.alternatives(&format!("`{}`", excerpt(name)), field.value),
            };
            settings.insert(name.clone(), setting);
        }
        Parameters(settings)
    }

    fn alternatives(&mut self, name: &str, node: &Node) -> Vec<Alternative> {
        let alternatives: Vec<Alternative> = match &node.content {
            Content::Mapping(_) => self.alternative(name, node).into_iter().collect(),
            Content::Sequence(items)
                if items.len() > MOST_ALTERNATIVES && items.iter().any(is_mapping) =>
            {
                let found = items.len();
                let message =
                    format!("{name} has {found} entries, expected at most {MOST_ALTERNATIVES}");
                self.report(Diagnostic::error(message, node.span));
                Vec::new()
            }
            Content::Sequence(items) if items.iter().any(is_mapping) => items
                .iter()
                .filter_map(|item| self.filtered(name, item))
                .collect(),
            _ => self
                .value(name, node)
                .map(|value| Alternative {
                    filter: None,
                    value,
                    span: node.span,
                })
                .into_iter()
                .collect(),
        };
        self.check_reachable(name, &alternatives);
        alternatives
    }

    /// An item of a list of `{filter, value}`.
    fn filtered(&mut self, name: &str, item: &Node) -> Option<Alternative> {
        if is_mapping(item) {
            return self.alternative(name, item);
        }
        let what = format!("every entry of {name}");
        let diagnostic = mismatch(&what, "a mapping with `value` like the others", item);
        self.report(diagnostic.hint("a value for all other tensors is written `- value: …`"));
        None
    }

    /// `{filter, value}`.
    fn alternative(&mut self, name: &str, node: &Node) -> Option<Alternative> {
        let mut fields = self.fields(name, node)?;
        let filter = fields.take("filter");
        let value = fields.take("value");
        self.unknown(fields, Level::Alternative);
        let filter = match filter {
            Some(filter) => Some(self.text("`filter`", filter.value)?.value),
            None => None,
        };
        let Some(value) = value else {
            let message = format!("an entry of {name} has no `value`");
            let hint = "an entry is written `- filter: …` with `value: …` below it";
            self.report(Diagnostic::error(message, node.span).hint(hint));
            return None;
        };
        Some(Alternative {
            filter,
            value: self.value(name, value.value)?,
            span: value.value.span,
        })
    }

    /// A single value or a gradient.
    fn value(&mut self, name: &str, node: &Node) -> Option<ParameterValue> {
        match &node.content {
            Content::Scalar(_) if node.is_null() => {
                let message = format!("{name} has no value");
                self.report(Diagnostic::error(message, node.span));
                None
            }
            Content::Scalar(_) => self
                .scalar(name, EXPECTED, node)
                .map(ParameterValue::Scalar),
            Content::Sequence(_) => self.gradient(name, node),
            Content::Mapping(_) => {
                self.report(mismatch(name, EXPECTED, node));
                None
            }
        }
    }

    fn gradient(&mut self, name: &str, node: &Node) -> Option<ParameterValue> {
        let items = self.items(name, node)?;
        let what = format!("every value of the list {name}");
        let expected = "a number, a boolean or a string";
        let anchors: Vec<Option<Scalar>> = items
            .iter()
            .map(|item| self.scalar(&what, expected, item))
            .collect();
        let anchors: Vec<Scalar> = anchors.into_iter().collect::<Option<_>>()?;
        let places = items.iter().map(|item| item.span);
        match mixture(&anchors, places) {
            Some((kinds, span)) => {
                let message =
                    format!("the list {name} mixes {kinds}, which cannot be interpolated");
                self.report(Diagnostic::error(message, span));
                None
            }
            None => Some(ParameterValue::Gradient(anchors)),
        }
    }

    /// Warns about alternatives that no tensor can get to.
    fn check_reachable(&mut self, name: &str, alternatives: &[Alternative]) {
        if alternatives.len() > MAX_COMPARED {
            return;
        }
        for (at, later) in alternatives.iter().enumerate() {
            let Some(earlier) = alternatives[..at].iter().find(|a| shadows(a, later)) else {
                continue;
            };
            let filter = |alternative: &Alternative| match alternative.filter.as_deref() {
                None => "without a filter".to_owned(),
                Some(filter) => format!("with the filter `{}`", excerpt(filter)),
            };
            let message = format!(
                "this entry of {name} {} is never used: the one {} at {}:{} comes first and matches all its tensors",
                filter(later),
                filter(earlier),
                earlier.span.line,
                earlier.span.column,
            );
            let hint = "the first match wins: put specific filters before general ones";
            self.report(Diagnostic::warning(message, later.span).hint(hint));
        }
    }
}

fn is_mapping(node: &Node) -> bool {
    matches!(node.content, Content::Mapping(_))
}

/// True if every tensor that the later one matches is matched by the earlier one.
fn shadows(earlier: &Alternative, later: &Alternative) -> bool {
    match (earlier.filter.as_deref(), later.filter.as_deref()) {
        (None | Some("*" | ""), _) => true,
        (Some(_), None | Some("*")) => false,
        (Some(earlier), Some(later)) => later.contains(earlier),
    }
}

/// What a list mixes that cannot be mixed, and the place of the first value that does not fit.
fn mixture(
    anchors: &[Scalar],
    mut places: impl Iterator<Item = Span>,
) -> Option<(&'static str, Span)> {
    let has_number = anchors.iter().any(|a| matches!(a, Scalar::Number(_)));
    let has_bool = anchors.iter().any(|a| matches!(a, Scalar::Bool(_)));
    anchors.iter().find_map(|anchor| {
        let place = places.next()?;
        let is_text = matches!(anchor, Scalar::Text(_));
        if is_text && has_number && anchor.as_number().is_none() {
            Some(("numbers and strings", place))
        } else if is_text && has_bool && anchor.as_bool().is_none() {
            Some(("booleans and strings", place))
        } else {
            None
        }
    })
}
