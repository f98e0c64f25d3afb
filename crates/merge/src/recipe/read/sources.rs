//! Models, slices and modules.

use super::super::structure::{Module, ModuleBody, Slice, Source};
use super::super::yaml::{Content, Node, excerpt};
use super::Reader;
use super::field::{Field, Fields, mismatch};
use super::keys::Level;
use crate::{Diagnostic, Span, Spanned};

/// Inputs of a merge or of a slice at most. Every tensor's plan names all of them.
const MOST_SOURCES: usize = 128;

impl Reader<'_> {
    /// `models:`; none unless all entries can be read.
    pub(super) fn models(&mut self, field: Field<'_>) -> Option<Vec<Source>> {
        let items = self.sources("`models`", field.value)?;
        self.all(items, |reader, item| reader.source(item, Level::Model))
    }

    /// The items of a list of models.
    fn sources<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n [Node]> {
        let items = self.items(what, node)?;
        let found = items.len();
        if found > MOST_SOURCES {
            let message = format!("{what} has {found} entries, expected at most {MOST_SOURCES}");
            self.report(Diagnostic::error(message, node.span));
            return None;
        }
        Some(items)
    }

    /// `slices:`; none unless all entries can be read.
    pub(super) fn slices(&mut self, field: Field<'_>) -> Option<Vec<Slice>> {
        let items = self.items("`slices`", field.value)?;
        self.all(items, Self::slice)
    }

    /// `modules:`; none unless all entries can be read.
    pub(super) fn modules(&mut self, field: Field<'_>) -> Option<Vec<Module>> {
        let fields = self.fields("`modules`", field.value)?;
        let modules: Vec<Field<'_>> = fields.rest().collect();
        if modules.is_empty() {
            let message = "`modules` is an empty mapping";
            self.report(Diagnostic::error(message, field.value.span));
            return None;
        }
        let read: Vec<Option<Module>> = modules
            .into_iter()
            .map(|module| self.module(module))
            .collect();
        read.into_iter().collect()
    }

    /// Reads all items, so that all problems are found, then says whether all could be read.
    fn all<T>(
        &mut self,
        items: &[Node],
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    /// An entry of `models:` or of `sources:`.
    fn source(&mut self, node: &Node, level: Level) -> Option<Source> {
        let what = match level {
            Level::Model => "an entry of `models`",
            _ => "an entry of `sources`",
        };
        if let Content::Scalar(scalar) = &node.content
            && !node.is_null()
        {
            let hint = match scalar.text.strip_prefix("model:") {
                Some(name) => format!(
                    "write `- model: {}`, with a space after the `:`",
                    excerpt(name)
                ),
                None => format!("write `- model: {}`", excerpt(&scalar.text)),
            };
            self.report(mismatch(what, "a mapping with `model`", node).hint(hint));
            return None;
        }
        let mut fields = self.fields(what, node)?;
        let missing = Diagnostic::error(format!("{what} has no `model`"), node.span);
        let model = self
            .required(&mut fields, "model", missing.hint("write `- model: …`"))
            .and_then(|field| self.model("`model`", field.value));
        let layer_range = match level {
            Level::Model => Some(None),
            _ => self.layer_range(&mut fields, node.span).map(Some),
        };
        let parameters = self.parameters(&mut fields);
        self.unknown(fields, level);
        Some(Source {
            model: model?,
            layer_range: layer_range?,
            parameters,
            span: node.span,
        })
    }

    /// `layer_range: [start, end]`.
    fn layer_range(&mut self, fields: &mut Fields<'_>, entry: Span) -> Option<Spanned<(u64, u64)>> {
        let hint = "the range `[0, 8]` is layers 0 to 7";
        let message = "an entry of `sources` has no `layer_range`";
        let missing = Diagnostic::error(message, entry)
            .hint(hint)
            .hint("to merge whole models, list them under `models:`");
        let field = self.required(fields, "layer_range", missing)?;
        let what = "`layer_range`";
        let expected = "a list of two whole numbers";
        let Content::Sequence(items) = &field.value.content else {
            self.report(mismatch(what, expected, field.value).hint(hint));
            return None;
        };
        let [start, end] = &items[..] else {
            let found = items.len();
            let message = format!("{what} must be {expected}, found {found} entries");
            self.report(Diagnostic::error(message, field.value.span).hint(hint));
            return None;
        };
        let mut whole = |what: &str, node: &Node| {
            let unsuitable = mismatch(what, "a whole number of at least 0", node);
            self.whole_or(node, unsuitable.hint(hint), what)
        };
        let start = whole("the start of `layer_range`", start);
        let end = whole("the end of `layer_range`", end);
        let (start, end) = (start?.value, end?.value);
        if start >= end {
            let message = format!("`layer_range` [{start}, {end}] is empty");
            let hint = "the first number must be less than the second, which is exclusive";
            self.report(Diagnostic::error(message, field.value.span).hint(hint));
            return None;
        }
        Some(Spanned::new((start, end), field.value.span))
    }

    /// An entry of `slices:`.
    fn slice(&mut self, node: &Node) -> Option<Slice> {
        let mut fields = self.fields("an entry of `slices`", node)?;
        let message = "an entry of `slices` has no `sources`";
        let missing = Diagnostic::error(message, node.span);
        let sources = self
            .required(&mut fields, "sources", missing)
            .and_then(|field| self.sources("`sources`", field.value))
            .and_then(|items| self.all(items, |reader, item| reader.source(item, Level::Source)));
        if let Some(sources) = &sources {
            self.check_lengths(sources);
        }
        let base_model = fields
            .take("base_model")
            .map(|field| self.model("`base_model`", field.value));
        let residual_weight = fields.take("residual_weight").and_then(|field| {
            let message = "`residual_weight` has no effect, as in mergekit";
            self.report(Diagnostic::warning(message, field.key.span));
            self.number("`residual_weight`", field.value)
        });
        let parameters = self.parameters(&mut fields);
        self.unknown(fields, Level::Slice);
        Some(Slice {
            sources: sources?,
            // A base model that cannot be read makes the slice unreadable.
            base_model: match base_model {
                Some(base_model) => Some(base_model?),
                None => None,
            },
            residual_weight,
            parameters,
            span: node.span,
        })
    }

    /// The sources of a slice are merged layer by layer.
    fn check_lengths(&mut self, sources: &[Source]) {
        let mut ranges = sources
            .iter()
            .filter_map(|source| source.layer_range.as_ref());
        let Some(first) = ranges.next() else { return };
        let length = |range: &Spanned<(u64, u64)>| range.value.1 - range.value.0;
        for range in ranges.filter(|range| length(range) != length(first)) {
            let message = format!(
                "the sources of a slice must have the same number of layers: [{}, {}] has {}, but [{}, {}] at {}:{} has {}",
                range.value.0,
                range.value.1,
                length(range),
                first.value.0,
                first.value.1,
                first.span.line,
                first.span.column,
                length(first),
            );
            self.report(Diagnostic::error(message, range.span).hint(
                "a slice merges its sources layer by layer; put other layers in a separate slice",
            ));
        }
    }

    fn module(&mut self, field: Field<'_>) -> Option<Module> {
        let name = &field.key.text;
        let what = format!("module `{}`", excerpt(name));
        let mut fields = self.fields(&what, field.value)?;
        let models = fields.take("models");
        let slices = fields.take("slices");
        if let (Some(models), Some(slices)) = (models, slices) {
            self.report(both(
                &what,
                "models",
                models.key.span,
                "slices",
                slices.key.span,
            ));
        }
        let body = match (models, slices) {
            (Some(models), _) => self.models(models).map(ModuleBody::Models),
            (None, Some(slices)) => self.slices(slices).map(ModuleBody::Slices),
            (None, None) => {
                let message = format!("{what} has neither `models` nor `slices`");
                self.report(Diagnostic::error(message, field.key.span));
                None
            }
        };
        let parameters = self.parameters(&mut fields);
        self.unknown(fields, Level::Module);
        Some(Module {
            name: Spanned::new(name.clone(), field.key.span),
            body: body?,
            parameters,
            span: field.value.span,
        })
    }
}

/// Two keys of which only one may be given; the error stands at the later one.
pub(super) fn both(
    what: &str,
    first: &str,
    first_span: Span,
    second: &str,
    second_span: Span,
) -> Diagnostic {
    let ((earlier, earlier_span), (later, later_span)) = if first_span.start < second_span.start {
        ((first, first_span), (second, second_span))
    } else {
        ((second, second_span), (first, first_span))
    };
    let message = format!(
        "{what} has both `{earlier}` (at {}:{}) and `{later}` (at {}:{}), expected one of them",
        earlier_span.line, earlier_span.column, later_span.line, later_span.column,
    );
    Diagnostic::error(message, later_span)
}
