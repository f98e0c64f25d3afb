//! Where answers end, and how they are sampled.

use serde_json::Value;

use super::report::{HostCheck, Requirement};
use super::{Evidence, json};

const THIS: Requirement = Requirement::EndOfText;

/// `generation_config.json` makes sense, and some token of the vocabulary ends a text: the template's own, where there is one.
pub(super) fn check(evidence: &Evidence<'_>) -> HostCheck {
    const FILE: &str = "generation_config.json";
    let generation = match json(evidence.subject.folder, FILE) {
        Some(Ok(value)) => Some(value),
        None => None,
        Some(Err(problem)) => {
            return HostCheck::failed(THIS, problem, "copy the file from a parent");
        }
    };
    if let Some(problem) = generation.as_ref().and_then(sampling_problem) {
        return HostCheck::failed(
            THIS,
            format!("{FILE}: {problem}"),
            "loaders reject it: correct or remove the value",
        );
    }
    let speech = evidence.subject.speech;
    if speech.end.is_empty() {
        return HostCheck::failed(
            THIS,
            "there is no end token, so answers continue until the context is full",
            "set `eos_token_id` in generation_config.json and config.json",
        );
    }
    if let Some(rows) = evidence.rows()
        && let Some(outside) = speech.end.iter().find(|token| u64::from(**token) >= rows)
    {
        return HostCheck::failed(
            THIS,
            format!("the end token is {outside}, but the embedding has {rows} rows"),
            "set `eos_token_id` to a token of this model's vocabulary",
        );
    }
    if let Some(turn_end) = speech.turn_end.filter(|token| !speech.end.contains(token)) {
        return HostCheck::warned(
            THIS,
            format!(
                "the chat template ends answers with token {turn_end}, which is not an end token"
            ),
            "add it to `eos_token_id` in generation_config.json, or answers may run on",
        );
    }
    if generation.is_none() {
        return HostCheck::warned(
            THIS,
            format!("there is no {FILE}: hosts use their own defaults"),
            "copy the file from the parent whose behavior the merge should have",
        );
    }
    let tokens: Vec<String> = speech.end.iter().map(ToString::to_string).collect();
    let word = if tokens.len() == 1 { "token" } else { "tokens" };
    HostCheck::passed(THIS, format!("{word} {}", tokens.join(", ")))
}

/// Values that transformers refuses.
fn sampling_problem(generation: &Value) -> Option<String> {
    if !generation.is_object() {
        return Some("not an object".to_owned());
    }
    let within = |name: &str, fits: &dyn Fn(f64) -> bool, range: &str| {
        let value = generation.get(name).filter(|value| !value.is_null())?;
        let good = value.as_f64().is_some_and(fits);
        (!good).then(|| format!("`{name}` is {value}, expected {range}"))
    };
    within("temperature", &|value| value >= 0.0, "0 or more")
        .or_else(|| within("top_p", &|value| (0.0..=1.0).contains(&value), "0 to 1"))
        .or_else(|| within("min_p", &|value| (0.0..=1.0).contains(&value), "0 to 1"))
        .or_else(|| within("top_k", &|value| value >= 0.0, "0 or more"))
        .or_else(|| within("repetition_penalty", &|value| value > 0.0, "more than 0"))
}
