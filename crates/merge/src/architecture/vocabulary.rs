//! Tensors with one row per token.

use serde_json::Value;
use weightsmith_tensors::TensorEntry;

use super::facts::Facts;
use super::place::is_other_encoder;
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

/// Ends of the names of input embeddings, without `.weight`: names that stand for nothing else.
const EMBEDDINGS: [&str; 9] = [
    "embed_tokens",
    "word_embeddings",
    "wte",
    "embed_in",
    "tok_embeddings",
    "tokens_embed",
    "embed_tokens_per_layer",
    "token_embedding",
    "token_embd",
];

/// Names that some families give to input embeddings and others to something else.
const POSSIBLE_EMBEDDINGS: [&str; 5] =
    ["shared", "embedding", "embeddings", "emb", "word_embedding"];

/// Ends of the names of output heads, without `.weight`: names that stand for nothing else.
const HEADS: [&str; 8] = [
    "lm_head",
    "embed_out",
    "predictions.decoder",
    "lm_head.decoder",
    "vocab_projector",
    "proj_out",
    "generator_lm_head",
    "lm_head.linear",
];

/// Names that some families give to output heads and others to something else.
const POSSIBLE_HEADS: [&str; 2] = ["head", "output"];

/// Biases that are stored apart from the head.
const BIASES: [&str; 2] = ["predictions.bias", "final_logits_bias"];

/// A guess from a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Guess {
    role: VocabularyRole,
    /// Whether the name alone will do. Otherwise an axis must have the length of the vocabulary.
    certain: bool,
}

/// Every tensor outside the layers that has one row per token.
///
/// A name that stands for nothing else will do, since a model may have more rows than its config says; another tensor
/// counts when an axis is as long as `vocab_size`, or as a tensor that is certain.
pub(super) fn find(
    tensors: &[TensorEntry],
    vocab_size: Option<u64>,
    facts: Option<&Facts>,
) -> Vec<VocabularyTensor> {
    let loose = || {
        tensors
            .iter()
            .filter(|tensor| stacks::split(&tensor.name).is_none())
            .map(|tensor| (tensor, guess(&tensor.name, facts)))
    };
    let mut lengths: Vec<u64> = vocab_size.into_iter().collect();
    for (tensor, guess) in loose() {
        if let (
            [rows, _],
            Some(Guess {
                certain: true,
                role,
            }),
        ) = (&tensor.info.shape[..], guess)
            && role != VocabularyRole::Bias
        {
            lengths.push(*rows);
        }
    }
    loose()
        .filter_map(|(tensor, guess)| classify(tensor, guess?, &lengths))
        .collect()
}

fn classify(tensor: &TensorEntry, guess: Guess, lengths: &[u64]) -> Option<VocabularyTensor> {
    let shape = &tensor.info.shape;
    let fits = |axis: usize| shape.get(axis).is_some_and(|rows| lengths.contains(rows));
    let axis = match (guess.role, shape.len()) {
        (VocabularyRole::Bias, rank @ 1..=2) if guess.certain || fits(rank - 1) => rank - 1,
        (VocabularyRole::Bias, _) => return None,
        (_, 2) if fits(0) => 0,
        (_, 2) if fits(1) => 1,
        (_, 2) if guess.certain => 0,
        _ => return None,
    };
    Some(VocabularyTensor {
        name: tensor.name.clone(),
        axis,
        rows: shape[axis],
        role: guess.role,
    })
}

fn guess(name: &str, facts: Option<&Facts>) -> Option<Guess> {
    if name.contains("position") || name.contains("token_type") || is_other_encoder(name) {
        return None;
    }
    let certain = |role| {
        Some(Guess {
            role,
            certain: true,
        })
    };
    let possible = |role| {
        Some(Guess {
            role,
            certain: false,
        })
    };
    if let Some(facts) = facts {
        if ends_with_part(name, facts.head) {
            return certain(VocabularyRole::Head);
        }
        if ends_with_any(name, facts.embedding) {
            return certain(VocabularyRole::Embedding);
        }
    }
    if ends_with_any(name, &BIASES) {
        return certain(VocabularyRole::Bias);
    }
    if let Some(module) = name.strip_suffix(".bias") {
        return ends_with_any(module, &HEADS)
            .then_some(VocabularyRole::Bias)
            .and_then(possible);
    }
    let module = name.strip_suffix(".weight").unwrap_or(name);
    if ends_with_any(module, &HEADS) {
        certain(VocabularyRole::Head)
    } else if ends_with_any(module, &EMBEDDINGS) {
        certain(VocabularyRole::Embedding)
    } else if ends_with_any(module, &POSSIBLE_HEADS)
        || module.contains("lm_head")
        || module.contains("unembed")
    {
        possible(VocabularyRole::Head)
    } else if ends_with_any(module, &POSSIBLE_EMBEDDINGS) || module.contains("embed") {
        possible(VocabularyRole::Embedding)
    } else {
        None
    }
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
