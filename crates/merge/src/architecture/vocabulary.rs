//! Tensors with one row per token.

use serde_json::Value;
use weightsmith_tensors::TensorEntry;

use super::facts::Facts;
use super::stacks;

/// What a vocabulary tensor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VocabularyRole {
    /// Turns tokens into vectors.
    Embedding,
    /// Turns vectors into the tokens' scores.
    Head,
    /// Is added to the tokens' scores.
    Bias,
}

/// A tensor with one row (or column) per token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VocabularyTensor {
    /// The tensor's name.
    pub name: String,
    /// The axis that counts tokens.
    pub axis: usize,
    /// Its length.
    pub rows: u64,
    /// What it does.
    pub role: VocabularyRole,
}

/// Ends of the names of input embeddings, without `.weight`.
const EMBEDDINGS: [&str; 14] = [
    "embed_tokens",
    "word_embeddings",
    "wte",
    "embed_in",
    "tok_embeddings",
    "shared",
    "tokens_embed",
    "embedding",
    "embeddings",
    "embed_tokens_per_layer",
    "token_embedding",
    "emb",
    "word_embedding",
    "token_embd",
];

/// Ends of the names of output heads, without `.weight` or `.bias`.
const HEADS: [&str; 10] = [
    "lm_head",
    "embed_out",
    "predictions.decoder",
    "lm_head.decoder",
    "vocab_projector",
    "proj_out",
    "generator_lm_head",
    "lm_head.linear",
    "head",
    "output",
];

/// Ends of the names of biases that are stored apart from the head.
const BIASES: [&str; 3] = ["predictions.bias", "final_logits_bias", "lm_head.bias"];

/// Every tensor outside of the layers that has one row per token.
///
/// A name alone is not enough where `vocab_size` is known: the axis must be of that length or the name that of an
/// embedding or head (a model may have more rows than its config says).
pub(super) fn find(
    tensors: &[TensorEntry],
    vocab_size: Option<u64>,
    facts: Option<&Facts>,
) -> Vec<VocabularyTensor> {
    tensors
        .iter()
        .filter(|tensor| stacks::split(&tensor.name).is_none())
        .filter_map(|tensor| classify(tensor, vocab_size, facts))
        .collect()
}

fn classify(
    tensor: &TensorEntry,
    vocab_size: Option<u64>,
    facts: Option<&Facts>,
) -> Option<VocabularyTensor> {
    let shape = &tensor.info.shape;
    let role = role_by_name(&tensor.name, facts);
    let fits = |axis: usize| {
        shape
            .get(axis)
            .is_some_and(|rows| Some(*rows) == vocab_size)
    };
    let (role, axis) = match (role, shape.len()) {
        (Some(VocabularyRole::Bias), rank @ 1..=2) => (VocabularyRole::Bias, rank - 1),
        (Some(role), 2) if fits(1) && !fits(0) => (role, 1),
        (Some(role), 2) if is_certain(&tensor.name) || fits(0) || vocab_size.is_none() => (role, 0),
        (None, 2) if fits(0) && tensor.name.contains("embed") => (VocabularyRole::Embedding, 0),
        (None, 2) if fits(0) && tensor.name.contains("head") => (VocabularyRole::Head, 0),
        _ => return None,
    };
    Some(VocabularyTensor {
        name: tensor.name.clone(),
        axis,
        rows: shape[axis],
        role,
    })
}

/// The role that a name promises.
fn role_by_name(name: &str, facts: Option<&Facts>) -> Option<VocabularyRole> {
    if name.contains("position")
        || name.contains("token_type")
        || super::place::is_other_encoder(name)
    {
        return None;
    }
    if ends_with_any(name, &BIASES) {
        return Some(VocabularyRole::Bias);
    }
    if let Some(facts) = facts {
        if ends_with_part(name, facts.head) {
            return Some(VocabularyRole::Head);
        }
        if ends_with_any(name, facts.embedding) {
            return Some(VocabularyRole::Embedding);
        }
    }
    if let Some(module) = name.strip_suffix(".bias") {
        return ends_with_any(module, &HEADS).then_some(VocabularyRole::Bias);
    }
    let module = name.strip_suffix(".weight")?;
    if ends_with_any(module, &HEADS) {
        return Some(VocabularyRole::Head);
    }
    ends_with_any(module, &EMBEDDINGS).then_some(VocabularyRole::Embedding)
}

/// Names that stand for nothing else, so that the length need not agree with the config.
fn is_certain(name: &str) -> bool {
    let module = name.strip_suffix(".weight").unwrap_or(name);
    ends_with_any(module, &EMBEDDINGS[..7]) || ends_with_any(module, &HEADS[..6])
}

fn ends_with_any(name: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| ends_with_part(name, end))
}

/// Whether a name ends with whole dotted parts.
pub(super) fn ends_with_part(name: &str, end: &str) -> bool {
    !end.is_empty()
        && name
            .strip_suffix(end)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// `vocab_size` of the text model.
pub(super) fn vocab_size(config: &Value, text_path: &[&str]) -> Option<u64> {
    super::config_keys::value_at(config, text_path)
        .and_then(|text| text.get("vocab_size"))
        .or_else(|| config.get("vocab_size"))
        .and_then(Value::as_u64)
}
