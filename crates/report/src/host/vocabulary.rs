//! Whether a model's vocabulary can be converted to GGUF, the format of llama.cpp and of what is built on it.
//!
//! The converter takes the class of `config.json`, then a vocabulary: SentencePiece from `tokenizer.model`, the same written as a BPE with
//! bytes to fall back on, or a byte-level BPE whose way of splitting text llama.cpp has. Every token needs a row of the embedding.

use std::collections::BTreeSet;
use std::iter::once;

use serde_json::Value;

use super::report::{HostCheck, Requirement};
use super::{Evidence, json, some_of};

const THIS: Requirement = Requirement::Gguf;

/// Beginnings of class names whose models llama.cpp runs.
const FAMILIES: [&str; 44] = [
    "Apertus",
    "Arcee",
    "Baichuan",
    "Bloom",
    "ChatGLM",
    "CodeShell",
    "Cohere",
    "Dbrx",
    "Deepseek",
    "Ernie4_5",
    "Exaone",
    "Falcon",
    "GPT2",
    "GPTBigCode",
    "GPTNeoX",
    "Gemma",
    "Glm4",
    "GptOss",
    "Granite",
    "Grok",
    "HunYuan",
    "InternLM",
    "Jais",
    "Jamba",
    "Kimi",
    "LFM2",
    "Lfm2",
    "Llama",
    "MPT",
    "Mamba",
    "MiniCPM",
    "MiniMax",
    "Mistral",
    "Mixtral",
    "Nemotron",
    "OLMo",
    "Olmo",
    "Orion",
    "Phi",
    "Plamo",
    "Qwen",
    "SmolLM3",
    "StableLm",
    "Starcoder2",
];

/// Families that are converted from `tokenizer.model` only.
const SENTENCEPIECE_ONLY: [&str; 2] = ["Gemma", "Phi3"];

/// How byte-level BPEs split a text, by the pattern in `tokenizer.json`, and what llama.cpp calls it.
const PATTERNS: [(&str, &str); 4] = [
    (
        "qwen2",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        "llama-bpe",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        "tekken",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        "gpt-4o",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
];

/// What to do about numbers that no token has.
const GAP_HINT: &str = "added tokens must be consecutive: copy the tokenizer files from one parent";

/// What the converter would make of a tokenizer.
enum Kind {
    /// SentencePiece, from its own file.
    SentencePiece,
    /// SentencePiece, written as a BPE.
    LlamaBpe,
    /// Bytes, split in a way that llama.cpp has.
    ByteLevel(&'static str),
    /// Bytes, split in some other way.
    ByteLevelUnknown,
}

/// The error, with hints.
type Problem = (String, &'static str);

pub(super) fn check(evidence: &Evidence<'_>) -> HostCheck {
    match examine(evidence) {
        Ok(check) => check,
        Err((reason, hint)) => HostCheck::failed(THIS, reason, hint),
    }
}

fn examine(evidence: &Evidence<'_>) -> Result<HostCheck, Problem> {
    let class = evidence.class().ok_or((
        "config.json names no class in `architectures`".to_owned(),
        "the converter needs it: copy `config.json` from a parent",
    ))?;
    let tokenizer = json(evidence.subject.folder, "tokenizer.json")
        .transpose()
        .map_err(|problem| (problem, "copy the file from a parent"))?;
    let has_model = evidence
        .subject
        .files
        .iter()
        .any(|name| name == "tokenizer.model");
    let kind = kind(evidence, class, tokenizer.as_ref(), has_model)?;
    let gap = match &tokenizer {
        Some(tokenizer) => numbers(evidence, tokenizer)?,
        None => None,
    };
    if let Some(gap) = gap {
        let reason = format!("no token has number {gap}, though later ones are added");
        if matches!(kind, Kind::LlamaBpe) {
            return Err((reason, GAP_HINT));
        }
        return Ok(HostCheck::warned(THIS, reason, GAP_HINT));
    }
    Ok(
        if FAMILIES.iter().all(|family| !class.starts_with(family)) {
            HostCheck::warned(
                THIS,
                format!("`{class}` is not known to convert to GGUF"),
                "check llama.cpp's `convert_hf_to_gguf.py --print-supported-models`",
            )
        } else {
            match kind {
                Kind::SentencePiece => {
                    HostCheck::passed(THIS, "SentencePiece, from tokenizer.model")
                }
                Kind::LlamaBpe => HostCheck::passed(THIS, "SentencePiece, written as a BPE"),
                Kind::ByteLevel(name) => {
                    HostCheck::passed(THIS, format!("byte-level BPE, split as `{name}`"))
                }
                Kind::ByteLevelUnknown => HostCheck::warned(
                    THIS,
                    "a byte-level BPE with an unknown pre-tokenizer",
                    "llama.cpp must support it: try its `convert_hf_to_gguf.py --vocab-only` on the folder",
                ),
            }
        },
    )
}

fn kind(
    evidence: &Evidence<'_>,
    class: &str,
    tokenizer: Option<&Value>,
    has_model: bool,
) -> Result<Kind, Problem> {
    const SAVE: &str = "copy `tokenizer.model` from a parent";
    let Some(tokenizer) = tokenizer else {
        return if has_model {
            Ok(Kind::SentencePiece)
        } else {
            Err((
                "there is neither tokenizer.json nor tokenizer.model".to_owned(),
                "copy the tokenizer files from a parent",
            ))
        };
    };
    let model = &tokenizer["model"];
    // files of old versions do not name it
    let kind = model["type"].as_str().unwrap_or("BPE");
    if kind == "BPE" && model["byte_fallback"] != true {
        if !is_byte_level(&tokenizer["pre_tokenizer"]) {
            return Err((
                "a BPE that is neither byte-level nor has byte fallback".to_owned(),
                "llama.cpp does not support such vocabularies: use a parent's tokenizer",
            ));
        }
        let split = split_of(&tokenizer["pre_tokenizer"]);
        return Ok(split.map_or(Kind::ByteLevelUnknown, Kind::ByteLevel));
    }
    if has_model {
        return Ok(Kind::SentencePiece);
    }
    let class_of_tokenizer = json(evidence.subject.folder, "tokenizer_config.json");
    let is_gpt2 = matches!(class_of_tokenizer, Some(Ok(config)) if config["tokenizer_class"] == "GPT2Tokenizer");
    if SENTENCEPIECE_ONLY
        .iter()
        .any(|family| class.starts_with(family))
        && !is_gpt2
    {
        return Err((
            format!("`{class}` is converted from tokenizer.model, which is missing"),
            SAVE,
        ));
    }
    match kind {
        "BPE" if tokenizer["decoder"]["type"] == "Sequence" => Ok(Kind::LlamaBpe),
        "BPE" => Err((
            "a BPE with byte fallback and an unusual decoder".to_owned(),
            SAVE,
        )),
        "Unigram" => Err((
            "a Unigram vocabulary without tokenizer.model".to_owned(),
            SAVE,
        )),
        other => Err((
            format!("a {other} vocabulary, which GGUF does not support for decoders"),
            "use a parent's tokenizer",
        )),
    }
}

/// The steps of a pre-tokenizer.
fn steps(pre_tokenizer: &Value) -> Vec<&Value> {
    match pre_tokenizer["pretokenizers"].as_array() {
        Some(steps) => steps.iter().collect(),
        None => once(pre_tokenizer).filter(|one| one.is_object()).collect(),
    }
}

fn is_byte_level(pre_tokenizer: &Value) -> bool {
    steps(pre_tokenizer)
        .iter()
        .any(|step| step["type"] == "ByteLevel")
}

/// llama.cpp's name for how a byte-level pre-tokenizer splits.
fn split_of(pre_tokenizer: &Value) -> Option<&'static str> {
    let own_split = |step: &Value| step["use_regex"] != false;
    match steps(pre_tokenizer)[..] {
        [bytes] if own_split(bytes) => Some("gpt-2"),
        [digits, bytes]
            if digits["type"] == "Digits"
                && digits["individual_digits"] == true
                && own_split(bytes) =>
        {
            Some("starcoder")
        }
        [split, bytes]
            if split["type"] == "Split"
                && split["behavior"] == "Isolated"
                && split["invert"] != true
                && !own_split(bytes) =>
        {
            let pattern = split["pattern"]["Regex"].as_str()?;
            let known = PATTERNS.iter().find(|(_, known)| *known == pattern);
            known.map(|(name, _)| *name)
        }
        _ => None,
    }
}

/// Every token has a row. Gives the first number that no token has, where added ones come after it.
fn numbers(evidence: &Evidence<'_>, tokenizer: &Value) -> Result<Option<u64>, Problem> {
    let mut taken: BTreeSet<u64> = BTreeSet::new();
    match &tokenizer["model"]["vocab"] {
        Value::Object(vocabulary) => taken.extend(vocabulary.values().filter_map(Value::as_u64)),
        Value::Array(pieces) => taken.extend(0..pieces.len() as u64),
        _ => {}
    }
    let added = tokenizer["added_tokens"].as_array();
    let added: Vec<(u64, &str)> = added
        .into_iter()
        .flatten()
        .filter_map(|token| Some((token["id"].as_u64()?, token["content"].as_str()?)))
        .collect();
    let rows = [evidence.rows(), evidence.architecture.config_vocab_size()];
    let rows = rows.into_iter().flatten().min();
    let mut outside: Vec<&str> = added
        .iter()
        .filter(|(number, _)| rows.is_some_and(|rows| *number >= rows))
        .map(|(_, text)| *text)
        .collect();
    taken.extend(added.iter().map(|(number, _)| number));
    if let (Some(rows), Some(last)) = (rows, taken.last())
        && *last >= rows
    {
        if outside.is_empty() {
            outside.push("the vocabulary's last");
        }
        return Err((
            format!(
                "{} tokens, but only {rows} rows: none for {}",
                last + 1,
                some_of(&outside)
            ),
            "use the tokenizer files and the `vocab_size` of the parent that provided the embedding",
        ));
    }
    let gap = (0..).zip(&taken).find(|(number, taken)| number != *taken);
    Ok(gap.map(|(number, _)| number))
}
