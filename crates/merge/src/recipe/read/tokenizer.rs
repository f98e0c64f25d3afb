//! `tokenizer:` and `tokenizer_source:`.

use indexmap::IndexMap;

use super::super::tokenizer::{
    EmbeddingSource, TokenChoice, TokenEmbedding, Tokenizer, TokenizerSource,
};
use super::super::yaml::{Content, Node, excerpt};
use super::Reader;
use super::field::{Field, Fields, mismatch};
use super::keys::Level;
use crate::{Diagnostic, Spanned};

impl Reader<'_> {
    /// `tokenizer:`.
    pub(super) fn tokenizer(&mut self, node: &Node) -> Option<Tokenizer> {
        if let Content::Scalar(scalar) = &node.content {
            let hint = format!(
                "write `tokenizer_source: {0}`, or `source: {0}` below `tokenizer:`",
                excerpt(&scalar.text)
            );
            self.report(mismatch("`tokenizer`", "a mapping", node).hint(hint));
            return None;
        }
        let mut fields = self.fields("`tokenizer`", node)?;
        let source = fields
            .take("source")
            .map(|field| self.tokenizer_source("`source`", field.value));
        let tokens = match fields.take("tokens") {
            Some(field) => self.tokens(field),
            None => IndexMap::new(),
        };
        let pad_to_multiple_of = fields
            .take("pad_to_multiple_of")
            .and_then(|field| self.multiple(field));
        self.unknown(fields, Level::Tokenizer);
        let source = match source {
            Some(source) => Some(source?),
            None => None,
        };
        Some(Tokenizer {
            source_span: source.as_ref().map(|source| source.span),
            source: source.map_or(TokenizerSource::Union, |source| source.value),
            tokens,
            pad_to_multiple_of,
            span: node.span,
        })
    }

    /// `union`, `base` or a model.
    pub(super) fn tokenizer_source(
        &mut self,
        what: &str,
        node: &Node,
    ) -> Option<Spanned<TokenizerSource>> {
        if let Content::Scalar(scalar) = &node.content {
            let named = match scalar.text.as_str() {
                "union" => Some(TokenizerSource::Union),
                "base" => Some(TokenizerSource::Base),
                _ => None,
            };
            if let Some(source) = named {
                return Some(Spanned::new(source, node.span));
            }
        }
        let model = self.model(what, node)?;
        Some(Spanned::new(TokenizerSource::Model(model.value), node.span))
    }

    fn multiple(&mut self, field: Field<'_>) -> Option<Spanned<u64>> {
        let what = "`pad_to_multiple_of`";
        let multiple = self.whole(what, field.value)?;
        if multiple.value == 0 {
            self.report(Diagnostic::error(
                format!("{what} must be at least 1, found 0"),
                multiple.span,
            ));
            return None;
        }
        Some(multiple)
    }

    fn tokens(&mut self, field: Field<'_>) -> IndexMap<String, TokenEmbedding> {
        let fields = self.fields("`tokens`", field.value);
        let mut tokens = IndexMap::new();
        for field in fields.into_iter().flat_map(Fields::rest) {
            if let Some(token) = self.token(field) {
                tokens.insert(field.key.text.clone(), token);
            }
        }
        tokens
    }

    fn token(&mut self, field: Field<'_>) -> Option<TokenEmbedding> {
        let what = format!("token `{}`", excerpt(&field.key.text));
        if let Content::Scalar(scalar) = &field.value.content
            && !field.value.is_null()
        {
            let hint = format!("write `source: {}` below the token", excerpt(&scalar.text));
            self.report(mismatch(&what, "a mapping", field.value).hint(hint));
            return None;
        }
        let mut fields = self.fields(&what, field.value)?;
        let source = fields
            .take("source")
            .map(|source| self.embedding(source.value));
        let force = fields
            .take("force")
            .and_then(|field| self.flag("`force`", field.value));
        self.unknown(fields, Level::Token);
        Some(TokenEmbedding {
            name_span: field.key.span,
            source: match source {
                Some(source) => Some(source?),
                None => None,
            },
            force: force.unwrap_or(false),
            span: field.value.span,
        })
    }

    /// A model, or a mapping with `kind`.
    fn embedding(&mut self, node: &Node) -> Option<Spanned<EmbeddingSource>> {
        let source = match &node.content {
            Content::Mapping(_) => self.embedding_mapping(node)?,
            _ => EmbeddingSource::Model(self.model("`source`", node)?.value),
        };
        Some(Spanned::new(source, node.span))
    }

    fn embedding_mapping(&mut self, node: &Node) -> Option<EmbeddingSource> {
        let mut fields = self.fields("`source`", node)?;
        let is_token = fields.has("token") || fields.has("token_id");
        let Some(kind) = fields.take("kind") else {
            if is_token {
                let message = "`source` has a token, but no `kind`";
                let hint = "write `kind: model_token`";
                self.report(Diagnostic::error(message, node.span).hint(hint));
                return None;
            }
            return Some(EmbeddingSource::Model(self.model("`source`", node)?.value));
        };
        let name = self.text("`kind`", kind.value)?;
        match name.value.as_str() {
            "zero" => {
                self.unknown(fields, Level::Embedding);
                Some(EmbeddingSource::Zero)
            }
            "model_token" => self.model_token(fields),
            other => {
                let message = format!("`kind` is `{other}`, expected `zero` or `model_token`");
                self.report(Diagnostic::error(message, name.span));
                None
            }
        }
    }

    fn model_token(&mut self, mut fields: Fields<'_>) -> Option<EmbeddingSource> {
        let span = fields.span;
        let message = "a `source` of kind `model_token` has no `model`";
        let model = self
            .required(&mut fields, "model", Diagnostic::error(message, span))
            .and_then(|field| self.model("`model`", field.value));
        let text = fields.take("token");
        let id = fields.take("token_id");
        self.unknown(fields, Level::Embedding);
        let token = match (text, id) {
            (Some(text), None) => self
                .text("`token`", text.value)
                .map(|text| TokenChoice::Text(text.value)),
            (None, Some(id)) => self
                .whole("`token_id`", id.value)
                .map(|id| TokenChoice::Id(id.value)),
            (found, _) => {
                let found = if found.is_some() { "both" } else { "neither" };
                let message = format!(
                    "a `source` of kind `model_token` takes one of `token` and `token_id`, found {found}"
                );
                self.report(Diagnostic::error(message, span));
                None
            }
        };
        Some(EmbeddingSource::ModelToken {
            model: model?.value,
            token: token?,
        })
    }
}
