//! What a recipe says about the tokenizer.

use indexmap::IndexMap;

use super::ModelReference;
use crate::{Span, Spanned};

/// The `tokenizer:` part of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokenizer {
    /// Whose vocabulary the output has; [`TokenizerSource::Union`] when the recipe does not say.
    pub source: TokenizerSource,
    /// Where `source` stands, when the recipe has it.
    pub source_span: Option<Span>,
    /// Tokens whose embeddings are chosen by hand, in the recipe's order.
    pub tokens: IndexMap<String, TokenEmbedding>,
    /// Round the number of embedding rows up to a multiple of this; at least 1.
    pub pad_to_multiple_of: Option<Spanned<u64>>,
    /// The whole entry.
    pub span: Span,
}

/// Whose vocabulary the output has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenizerSource {
    /// The tokens of all inputs together.
    Union,
    /// The base model's.
    Base,
    /// This model's.
    Model(ModelReference),
}

/// How the embedding of one token is made.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenEmbedding {
    /// Where the token's name stands.
    pub name_span: Span,
    /// Where the embedding comes from; none means the usual rules.
    pub source: Option<Spanned<EmbeddingSource>>,
    /// Use the source for all models, also for those that have the token.
    pub force: bool,
    /// The whole entry.
    pub span: Span,
}

/// Where an embedding comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddingSource {
    /// The same token of this model.
    Model(ModelReference),
    /// All zeros.
    Zero,
    /// Another token of this model.
    ModelToken {
        /// Which model.
        model: ModelReference,
        /// Which of its tokens.
        token: TokenChoice,
    },
}

/// A token, by its text or its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenChoice {
    /// By its text.
    Text(String),
    /// By its number in the model's vocabulary.
    Id(u64),
}
