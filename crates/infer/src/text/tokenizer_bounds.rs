//! What a `tokenizer.json` may ask for, looked at before it is loaded.
//!
//! The `tokenizers` crate does what the file says. Some files say what takes all memory or hours: steps within steps,
//! replacements that grow one another, words of any length. What it takes to encode a text is bounded here by a factor of
//! the text's length; the files that real models have are far below these bounds.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use weightsmith_tensors::json;

/// Bytes of the file. The largest of real models have 35 MB.
const MOST_BYTES: usize = 128 << 20;

/// Bytes of a token.
const MOST_TOKEN_BYTES: usize = 4096;

/// Steps of a normalizer, pre-tokenizer, post-processor or decoder, and how deep they may lie in each other.
const MOST_STEPS: usize = 64;
const MOST_DEPTH: usize = 8;

/// Bytes of all texts of these four. A compiled table of characters has half a megabyte.
const MOST_STEP_BYTES: usize = 8 << 20;

/// Bytes of a regular expression.
const MOST_REGEX_BYTES: usize = 16 << 10;

/// Bytes of all patterns and replacements, and of all that is put before a text.
const MOST_REPLACEMENT_BYTES: usize = 16 << 10;
const MOST_PREPENDED: usize = 64;

/// How many times longer steps may make a text.
const MOST_GROWTH: u64 = 64;

/// Tokens that a post-processor may put around a text, and how often it may repeat the text.
const MOST_AROUND: usize = 256;
const MOST_REPEATED: usize = 4;

/// Letters of a word for WordPiece, whose time grows with the square.
const MOST_WORD: u64 = 2000;

/// Says why a file is not loaded.
pub(super) fn look(bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > MOST_BYTES {
        let (found, most) = (bytes.len() >> 20, MOST_BYTES >> 20);
        return Err(format!("{found} MiB; at most {most} MiB are read"));
    }
    let outline: Outline = json::read(bytes).map_err(|problem| problem.to_string())?;
    let added = outline.added_tokens.unwrap_or_default();
    let longest = added.iter().map(|token| token.content.0);
    let longest = longest.max().unwrap_or(0).max(outline.model.vocab.0);
    if longest > MOST_TOKEN_BYTES {
        return Err(format!(
            "a token of {longest} bytes; at most {MOST_TOKEN_BYTES} are supported"
        ));
    }
    if let Some(most @ MOST_WORD..) = outline.model.max_input_chars_per_word.as_u64() {
        return Err(format!(
            "`max_input_chars_per_word` is {most}; expected less than {MOST_WORD}"
        ));
    }
    if let Some(prefix) = outline.model.continuing_subword_prefix.as_str()
        && !prefix.is_empty()
    {
        merges_have(prefix, bytes)?;
    }
    let mut before = steps("normalizer", &outline.normalizer)?;
    let normalizers = before.len();
    before.extend(steps("pre_tokenizer", &outline.pre_tokenizer)?);
    let (normalizers, later) = before.split_at(normalizers);
    grows_little("`normalizer` and `pre_tokenizer`", normalizers, later)?;
    grows_little("`decoder`", &steps("decoder", &outline.decoder)?, &[])?;
    surrounds_little(&steps("post_processor", &outline.post_processor)?)
}

/// A file without what is large in it.
#[derive(Deserialize)]
struct Outline {
    #[serde(default)]
    added_tokens: Option<Vec<Added>>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    decoder: Value,
    #[serde(default)]
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    #[serde(default)]
    content: Longest,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Model {
    vocab: Longest,
    max_input_chars_per_word: Value,
    continuing_subword_prefix: Value,
}

/// The length of the longest text, or key, in a value.
#[derive(Clone, Copy, Default)]
struct Longest(usize);

impl<'de> Deserialize<'de> for Longest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Longest(0))
    }
}

impl<'de> Visitor<'de> for Longest {
    type Value = Self;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("tokens")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self, E> {
        Ok(Self(text.len()))
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(Self(length)) = list.next_element()? {
            self.0 = self.0.max(length);
        }
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((Self(length), IgnoredAny)) = map.next_entry()? {
            self.0 = self.0.max(length);
        }
        Ok(self)
    }
}

/// A BPE cuts the prefix off the second part of each merge without a look at it.
fn merges_have(prefix: &str, bytes: &[u8]) -> Result<(), String> {
    #[derive(Deserialize)]
    struct File {
        model: Merges,
    }
    #[derive(Deserialize)]
    struct Merges {
        #[serde(default)]
        merges: Vec<Value>,
    }
    let file: File = json::read(bytes).map_err(|problem| problem.to_string())?;
    for merge in &file.model.merges {
        let second = match merge {
            Value::String(pair) => pair.split_once(' ').map(|(_, second)| second),
            pair => pair[1].as_str(),
        };
        if !second.is_some_and(|second| second.starts_with(prefix)) {
            return Err(format!(
                "the second part of the merge {merge} does not begin with `{prefix}`"
            ));
        }
    }
    Ok(())
}

/// The steps of a component in their order, out of all sequences.
fn steps<'a>(component: &str, step: &'a Value) -> Result<Vec<&'a Value>, String> {
    let mut bytes = 0;
    measure(step, 0, &mut bytes).map_err(|problem| format!("`{component}` {problem}"))?;
    if bytes > MOST_STEP_BYTES {
        let (found, most) = (bytes >> 20, MOST_STEP_BYTES >> 20);
        return Err(format!(
            "`{component}` has {found} MiB of text; at most {most} are supported"
        ));
    }
    let mut list = Vec::new();
    flatten(step, &mut list);
    if list.len() > MOST_STEPS {
        let found = list.len();
        return Err(format!(
            "`{component}` has {found} steps; at most {MOST_STEPS} are supported"
        ));
    }
    Ok(list)
}

/// Sums the bytes of all texts, and looks how deep they lie.
fn measure(value: &Value, depth: usize, bytes: &mut usize) -> Result<(), String> {
    // a sequence is an object and a list
    if depth > 2 * MOST_DEPTH + 4 {
        return Err(format!(
            "has sequences in sequences, deeper than {MOST_DEPTH}"
        ));
    }
    match value {
        Value::String(text) => *bytes += text.len(),
        Value::Array(list) => {
            for value in list {
                measure(value, depth + 1, bytes)?;
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                *bytes += key.len();
                measure(value, depth + 1, bytes)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn flatten<'a>(step: &'a Value, list: &mut Vec<&'a Value>) {
    let parts = ["normalizers", "pretokenizers", "processors", "decoders"]
        .into_iter()
        .find_map(|name| step.get(name)?.as_array());
    match parts {
        Some(parts) => {
            // an empty sequence is a step too
            list.push(&Value::Null);
            for part in parts {
                flatten(part, list);
            }
        }
        None => list.push(step),
    }
}

/// What a step does to the length of a text.
#[derive(Debug)]
enum Growth<'a> {
    /// Each of these letters may become this text.
    Letters(&'a str, &'a str),
    /// Any letter may become this text; one more where nothing may be replaced as well.
    Any(&'a str, bool),
    /// Any letter may become two.
    Twice,
    /// Letters stay letters of about the same length.
    Same,
}

fn growth(step: &Value) -> Result<Growth<'_>, String> {
    let kind = step["type"].as_str();
    let pattern = &step["pattern"];
    if let Some(regex) = pattern["Regex"].as_str()
        && regex.len() > MOST_REGEX_BYTES
    {
        let found = regex.len();
        return Err(format!(
            "a regular expression of {found} bytes; at most {MOST_REGEX_BYTES} are supported"
        ));
    }
    if kind == Some("ByteLevel") || step.get("trim_offsets").is_some() {
        return Ok(Growth::Twice);
    }
    let Some(content) = step["content"].as_str() else {
        return Ok(Growth::Same);
    };
    Ok(
        match (pattern["String"].as_str(), pattern["Regex"].as_str()) {
            (Some(""), _) => Growth::Any(content, true),
            (Some(letters), _) => Growth::Letters(letters, content),
            (None, Some(regex)) => Growth::Any(content, may_be_empty(regex)),
            (None, None) => Growth::Same,
        },
    )
}

/// Whether a regular expression might match nothing, and so between any two letters.
fn may_be_empty(regex: &str) -> bool {
    let optional = regex.contains(['*', '?', '|', '{', '^', '$']);
    let places = ["\\b", "\\B", "\\A", "\\z", "\\Z", "\\G", "\\K", "()"];
    optional || places.iter().any(|place| regex.contains(place))
}

/// Refuses steps that together make a text many times longer.
///
/// From the last step to the first, for each letter that a step names: how many bytes come of it in the end. Of all others
/// there come those of the letter that grows most, where a step may turn them into it.
fn grows_little(component: &str, steps: &[&Value], later: &[&Value]) -> Result<(), String> {
    let too_much = |problem: String| format!("{component}: {problem}");
    let text = |step: &Value, key: &str| step[key].as_str().map_or(0, str::len);
    let prepended: usize = steps.iter().map(|step| text(step, "prepend")).sum();
    if prepended > MOST_PREPENDED {
        return Err(too_much(format!(
            "{prepended} bytes to put before a text; at most {MOST_PREPENDED} are supported"
        )));
    }
    let named: usize = steps
        .iter()
        .map(|step| text(step, "content") + text(&step["pattern"], "String"))
        .sum();
    if named > MOST_REPLACEMENT_BYTES {
        return Err(too_much(format!(
            "{named} bytes of replacements; at most {MOST_REPLACEMENT_BYTES} are supported"
        )));
    }
    let mut lengths = Becoming::default();
    for step in steps.iter().chain(later).rev() {
        lengths.before(&growth(step).map_err(too_much)?);
    }
    if lengths.most() > MOST_GROWTH {
        return Err(too_much(format!(
            "steps that make a text more than {MOST_GROWTH} times longer"
        )));
    }
    Ok(())
}

/// How many bytes come of a letter, for each byte that it has.
#[derive(Debug)]
struct Becoming {
    named: BTreeMap<char, u64>,
    others: u64,
}

impl Default for Becoming {
    fn default() -> Self {
        Self {
            named: BTreeMap::new(),
            others: 1,
        }
    }
}

impl Becoming {
    fn most(&self) -> u64 {
        let named = self.named.values().copied();
        named.fold(self.others, u64::max)
    }

    /// Bytes that come of a text.
    fn of(&self, text: &str) -> u64 {
        text.chars().fold(0, |sum, letter| {
            let factor = self.named.get(&letter).copied().unwrap_or(self.others);
            factor
                .saturating_mul(letter.len_utf8() as u64)
                .saturating_add(sum)
        })
    }

    /// Puts a step before those that were looked at.
    fn before(&mut self, step: &Growth<'_>) {
        match *step {
            Growth::Same => {
                // other letters: of upper case, composed
                let most = self.most();
                self.named.clear();
                self.others = most;
            }
            Growth::Twice => {
                let most = self.most();
                self.named.clear();
                self.others = most.saturating_mul(2);
            }
            Growth::Any(content, between) => {
                let replaced = self.of(content);
                let all = self.named.values_mut().chain([&mut self.others]);
                for factor in all {
                    *factor = if between {
                        factor.saturating_add(replaced)
                    } else {
                        replaced.max(*factor)
                    };
                }
            }
            Growth::Letters(letters, content) => {
                // of a whole pattern comes the content once; what it comes to for each letter is its share
                let bytes = letters.len() as u64;
                let replaced = self.of(content).div_ceil(bytes);
                for letter in letters.chars() {
                    let unchanged = self.named.get(&letter).copied().unwrap_or(self.others);
                    self.named.insert(letter, replaced.max(unchanged));
                }
            }
        }
    }
}

/// Refuses post-processors that put much around a text or repeat it.
fn surrounds_little(steps: &[&Value]) -> Result<(), String> {
    let mut repeated = 1_usize;
    let mut around = 0;
    for step in steps {
        let Some(pieces) = step["single"].as_array() else {
            continue;
        };
        let texts = pieces
            .iter()
            .filter(|piece| piece.get("Sequence").is_some());
        repeated = repeated.saturating_mul(texts.count().max(1));
        for piece in pieces {
            let token = piece["SpecialToken"]["id"].as_str().unwrap_or_default();
            let ids = step["special_tokens"][token]["ids"].as_array();
            around += ids.map_or(1, Vec::len);
        }
        if repeated > MOST_REPEATED || around > MOST_AROUND {
            return Err(format!(
                "`post_processor` puts {around} tokens around a text and repeats it {repeated} times; at most {MOST_AROUND} and {MOST_REPEATED} are supported"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
