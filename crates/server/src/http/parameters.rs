//! What completions and chats have in common: how tokens are chosen, when to end, in which form to answer.

use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value;
use weightsmith_infer::{GenerationDefaults, SamplingSettings};

use super::failure::ApiError;
use super::fields::{Fields, whole, wrong};
use super::refused::refuse_for_both;

/// Continuations of a prompt at most.
pub(super) const MOST_CHOICES: i64 = 32;
/// Texts that may end a continuation, at most: each is looked for behind every token.
pub(super) const MOST_STOPS: usize = 4096;
/// Bytes of those texts together, at most.
const MOST_STOP_BYTES: usize = 64 << 10;
/// Alternatives of a token at most.
pub(super) const MOST_ALTERNATIVES: i64 = 20;

/// Fields that both kinds of request have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameters {
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<usize>,
    min_p: Option<f32>,
    repetition_penalty: Option<f32>,
    seed: Option<u64>,
    /// Completions per prompt.
    pub(super) choices: usize,
    /// Texts that end a continuation.
    pub(super) stop: Vec<String>,
    /// The model's end of text does not end a continuation.
    pub(super) ignore_end: bool,
    /// The answer is sent piece by piece.
    pub(super) stream: bool,
    /// A stream ends with the numbers of tokens.
    pub(super) include_usage: bool,
}

impl Parameters {
    /// Reads them.
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, ApiError> {
        refuse_for_both(fields)?;
        let stream = fields.flag("stream")?;
        // without a stream there is nothing for them to say
        let options = fields.object("stream_options")?;
        let include_usage = options
            .map(|options| options.flag("include_usage"))
            .transpose()?;
        Ok(Self {
            temperature: fields.number("temperature", 0.0, 2.0)?,
            top_p: fields.number("top_p", 0.0, 1.0)?,
            // -1 is what others call all of them
            top_k: fields
                .integer("top_k", -1, i64::from(i32::MAX))?
                .map(|count| count.max(0) as usize),
            min_p: fields.number("min_p", 0.0, 1.0)?,
            repetition_penalty: penalty(fields)?,
            // -1 is what other local servers call any
            seed: fields
                .integer("seed", i64::MIN, i64::MAX)?
                .filter(|&seed| seed != -1)
                .map(i64::cast_unsigned),
            choices: fields.integer("n", 1, MOST_CHOICES)?.unwrap_or(1) as usize,
            stop: stops(fields)?,
            ignore_end: fields.flag("ignore_eos")?,
            stream,
            include_usage: include_usage.unwrap_or(false),
        })
    }

    /// The model's own settings, changed by what was asked for.
    pub(super) fn sampling(&self, defaults: &GenerationDefaults) -> SamplingSettings {
        let mut sampling = defaults.sampling;
        let cut = self.top_k.is_some_and(|count| count > 0)
            || self.top_p.is_some_and(|share| share < 1.0)
            || self.min_p.is_some_and(|share| share > 0.0);
        if let Some(temperature) = self.temperature {
            sampling.temperature = temperature;
        } else if cut && sampling.temperature == 0.0 {
            // whoever says what to choose among wants a choice
            sampling.temperature = 1.0;
        }
        sampling.top_k = self.top_k.unwrap_or(sampling.top_k);
        // 0 leaves the likeliest token
        let top_p = self.top_p.map(|share| share.max(f32::MIN_POSITIVE));
        sampling.top_p = top_p.unwrap_or(sampling.top_p);
        sampling.min_p = self.min_p.unwrap_or(sampling.min_p);
        let penalty = self.repetition_penalty;
        sampling.repetition_penalty = penalty.unwrap_or(sampling.repetition_penalty);
        sampling
    }

    /// The seeds of a prompt's continuations.
    pub(super) fn seeds(&self) -> impl Iterator<Item = u64> {
        let first = self.seed.unwrap_or_else(random);
        (0..self.choices as u64).map(move |index| first.wrapping_add(index))
    }
}

/// How much less likely tokens get that have occurred; llama.cpp's name goes second.
fn penalty(fields: Fields<'_>) -> Result<Option<f32>, ApiError> {
    let own = fields.number("repetition_penalty", 0.01, 100.0)?;
    let other = fields.number("repeat_penalty", 0.01, 100.0)?;
    Ok(own.or(other))
}

/// A text or a list of texts; empty ones end nothing.
fn stops(fields: Fields<'_>) -> Result<Vec<String>, ApiError> {
    let Some(value) = fields.get("stop") else {
        return Ok(Vec::new());
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let stops: Option<Vec<String>> = match value {
        Value::String(stop) => Some(vec![stop.clone()]),
        Value::Array(list) => list.iter().map(text).collect(),
        _ => None,
    };
    let mut stops = stops.ok_or_else(|| wrong("stop", value, "a string or a list of strings"))?;
    stops.retain(|stop| !stop.is_empty());
    let bytes: usize = stops.iter().map(String::len).sum();
    if bytes > MOST_STOP_BYTES || stops.len() > MOST_STOPS {
        let found = format!("{} texts of {bytes} bytes", stops.len());
        let expected = format!("at most {MOST_STOPS} strings of {MOST_STOP_BYTES} bytes in total");
        return Err(ApiError::field("stop", &found, &expected));
    }
    Ok(stops)
}

/// A number that nobody knows beforehand, from the keys that the standard library draws for its maps.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// A list of tokens; `None` if it is none.
pub(super) fn tokens(list: &[Value]) -> Option<Vec<u32>> {
    let token = |value: &Value| u32::try_from(whole(value)?).ok();
    list.iter().map(token).collect()
}
