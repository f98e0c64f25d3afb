//! The top level of a recipe.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::structure::{Body, Recipe};
use super::super::yaml::Node;
use super::Reader;
use super::field::Fields;
use super::keys::Level;
use super::sources::both;
use crate::methods::find_or_explain;
use crate::{Diagnostic, Span, Spanned};

/// Keys that only recipes of other tools have, and what such a recipe is.
const FOREIGN: [(&str, &str); 5] = [
    (
        "experts",
        "a mixture-of-experts recipe (for `mergekit-moe`)",
    ),
    (
        "gate_mode",
        "a mixture-of-experts recipe (for `mergekit-moe`)",
    ),
    (
        "shared_experts",
        "a mixture-of-experts recipe (for `mergekit-moe`)",
    ),
    ("genome", "an evolution recipe (for `mergekit-evolve`)"),
    (
        "layer_sources",
        "a layer recipe of an old mergekit (for `bakllama`)",
    ),
];

/// Different models that a recipe may name.
const MOST_MODELS: usize = 256;

impl Reader<'_> {
    /// One document; none when it has no merge method or its inputs cannot be read completely.
    pub(super) fn recipe(&mut self, node: &Node) -> Option<Recipe> {
        let mut fields = self.fields("a recipe", node)?;
        if self.is_foreign(&mut fields) {
            return None;
        }
        let merge_method = self.merge_method(&mut fields);
        let known = merge_method.as_ref().map(find_or_explain);
        self.method = known
            .as_ref()
            .and_then(|known| known.as_ref().ok().copied());
        let body = self.body(&mut fields);
        let base_model = fields
            .take("base_model")
            .map(|field| self.model("`base_model`", field.value));
        let dtype = fields
            .take("dtype")
            .and_then(|field| self.dtype("`dtype`", field.value));
        let out_dtype = fields
            .take("out_dtype")
            .and_then(|field| self.dtype("`out_dtype`", field.value));
        let parameters = self.parameters(&mut fields);
        let source = fields.take("tokenizer_source");
        let given = fields
            .take("tokenizer")
            .filter(|field| source.is_none() || !field.value.is_empty());
        if let (Some(tokenizer), Some(source)) = (given, source) {
            let names = ("tokenizer", "tokenizer_source");
            let spans = (tokenizer.key.span, source.key.span);
            self.report(both("the recipe", names.0, spans.0, names.1, spans.1));
        }
        let tokenizer = given.and_then(|field| self.tokenizer(field.value));
        let tokenizer_source =
            source.and_then(|field| self.tokenizer_source("`tokenizer_source`", field.value));
        let chat_template = fields
            .take("chat_template")
            .and_then(|field| self.text("`chat_template`", field.value));
        let name = fields
            .take("name")
            .and_then(|field| self.text("`name`", field.value));
        self.unknown(fields, Level::Recipe);
        let is_complete = body.is_some() && !matches!(base_model, Some(None));
        if !is_complete && let Some(Err(unknown)) = known {
            // planning, which would say so, is not come to
            self.report(*unknown);
        }
        let recipe = Recipe {
            merge_method: merge_method?,
            // A base model that cannot be read makes the inputs incomplete.
            base_model: match base_model {
                Some(base_model) => Some(base_model?),
                None => None,
            },
            body: body?,
            dtype,
            out_dtype,
            parameters,
            tokenizer_source: tokenizer_source.filter(|_| tokenizer.is_none()),
            tokenizer,
            chat_template,
            name,
            span: node.span,
            text: Arc::clone(&self.text),
        };
        self.has_few_models(&recipe).then_some(recipe)
    }

    /// Refuses a recipe with more different models than anybody merges: each is looked for on this machine and on the hub.
    fn has_few_models(&mut self, recipe: &Recipe) -> bool {
        let mut names = BTreeSet::new();
        for reference in recipe.references() {
            names.insert(reference.value.raw.as_str());
            if names.len() > MOST_MODELS {
                let message = format!("the recipe names more than {MOST_MODELS} different models");
                self.report(Diagnostic::error(message, reference.span));
                return false;
            }
        }
        true
    }

    fn is_foreign(&mut self, fields: &mut Fields<'_>) -> bool {
        let found = FOREIGN
            .into_iter()
            .filter_map(|(key, kind)| Some((key, kind, fields.take(key)?)))
            .find(|(_, _, field)| !field.value.is_empty());
        let Some((key, kind, field)) = found else {
            return false;
        };
        let message = format!("`{key}` makes this {kind}, which is not supported here");
        self.report(Diagnostic::error(message, field.key.span));
        true
    }

    fn merge_method(&mut self, fields: &mut Fields<'_>) -> Option<Spanned<String>> {
        let message = "the recipe has no `merge_method`";
        let missing = Diagnostic::error(message, start_of(fields.span))
            .hint("add one, such as `merge_method: linear`");
        let field = self.required(fields, "merge_method", missing)?;
        self.text("`merge_method`", field.value)
    }

    /// Exactly one of `models`, `slices` and `modules`. Of several, all are checked and none is taken, since nobody knows which was meant.
    fn body(&mut self, fields: &mut Fields<'_>) -> Option<Body> {
        let names = ["models", "slices", "modules"];
        let mut given: Vec<_> = names
            .into_iter()
            .filter_map(|name| Some((name, fields.take(name)?)))
            .collect();
        if given.iter().any(|(_, field)| !field.value.is_empty()) {
            // beside another one, an empty list is one that was not filled in
            given.retain(|(_, field)| !field.value.is_empty());
        }
        given.sort_by_key(|(_, field)| field.key.span.start);
        if given.is_empty() {
            let message = "the recipe has none of `models`, `slices` and `modules`";
            let hint = "list the models to merge under `models:`";
            self.report(Diagnostic::error(message, start_of(fields.span)).hint(hint));
        }
        if let [(first, earlier), (second, later), ..] = given.as_slice() {
            let spans = (earlier.key.span, later.key.span);
            self.report(both("the recipe", first, spans.0, second, spans.1));
        }
        let mut bodies: Vec<Option<Body>> = given
            .into_iter()
            .map(|(name, field)| match name {
                "models" => self.models(field).map(Body::Models),
                "slices" => self.slices(field).map(Body::Slices),
                _ => self.modules(field).map(Body::Modules),
            })
            .collect();
        if bodies.len() == 1 {
            bodies.pop().flatten()
        } else {
            None
        }
    }

    /// The recipes of one file must be told apart by their names; one of them may go without.
    pub(super) fn check_names(&mut self, recipes: &[Recipe]) {
        let mut earlier: BTreeMap<Option<&str>, &Recipe> = BTreeMap::new();
        for recipe in recipes {
            let name = recipe.name.as_ref().map(|name| name.value.as_str());
            match earlier.get(&name) {
                Some(first) => self.report(match (&first.name, &recipe.name) {
                    (Some(first), Some(second)) => same_name(first, second),
                    _ => no_names(first.span, recipe.span),
                }),
                None => {
                    earlier.insert(name, recipe);
                }
            }
        }
    }
}

fn same_name(first: &Spanned<String>, second: &Spanned<String>) -> Diagnostic {
    let Span { line, column, .. } = first.span;
    let name = &second.value;
    let message = format!("two recipes have the name `{name}`, the first at {line}:{column}");
    Diagnostic::error(message, second.span)
}

fn no_names(first: Span, second: Span) -> Diagnostic {
    let Span { line, column, .. } = first;
    let message = format!(
        "neither this recipe nor the one at {line}:{column} has a `name`; only one recipe of a file can omit it"
    );
    Diagnostic::error(message, start_of(second)).hint("add `name: …` to all but the last")
}

/// The start of a place: a message about a whole document points there.
fn start_of(span: Span) -> Span {
    Span {
        end: span.start,
        ..span
    }
}
