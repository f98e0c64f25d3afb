//! Features that this server does not have. A request is refused when it uses one, not when it has the field in its empty form: client
//! libraries send all that they know.

use serde_json::Value;

use super::failure::ApiError;
use super::fields::{Fields, is_used};

const NO_FORM: &str = "not supported: output cannot be constrained";
const NO_TOOLS: &str = "tools are not supported: describe them in a message instead";

/// Fields of both kinds of request, with what is said where they are used.
pub(super) const OF_BOTH: [(&str, &str); 13] = [
    ("grammar", NO_FORM),
    ("json_schema", NO_FORM),
    ("guided_json", NO_FORM),
    ("guided_regex", NO_FORM),
    ("guided_choice", NO_FORM),
    ("guided_grammar", NO_FORM),
    ("structured_outputs", NO_FORM),
    ("min_tokens", "not supported; `ignore_eos` is"),
    ("use_beam_search", "not supported"),
    ("dynamic_temperature", SAMPLING),
    ("bad_words", "not supported"),
    ("allowed_token_ids", "not supported"),
    ("stop_token_ids", "not supported; `stop` takes texts"),
];

const SAMPLING: &str =
    "not supported; `temperature`, `top_k`, `top_p`, `min_p` and `repetition_penalty` are";

/// Ways of choosing tokens that other servers have, each with the number at which it does nothing. What tunes them, such as
/// `dry_base` or `mirostat_tau`, has no effect without them.
pub(super) const SAMPLERS: [(&str, f64); 19] = [
    ("mirostat", 0.0),
    ("mirostat_mode", 0.0),
    ("dry_multiplier", 0.0),
    ("xtc_probability", 0.0),
    ("typical_p", 1.0),
    ("typical", 1.0),
    ("tfs_z", 1.0),
    ("tfs", 1.0),
    ("top_a", 0.0),
    ("top_n_sigma", -1.0),
    ("adaptive_target", -1.0),
    ("epsilon_cutoff", 0.0),
    ("eta_cutoff", 0.0),
    ("dynatemp_range", 0.0),
    ("smoothing_factor", 0.0),
    ("penalty_alpha", 0.0),
    ("guidance_scale", 1.0),
    ("num_beams", 1.0),
    ("no_repeat_ngram_size", 0.0),
];

/// Fields of chats.
const OF_CHATS: [(&str, &str); 7] = [
    ("tools", NO_TOOLS),
    ("functions", NO_TOOLS),
    ("audio", "not supported: answers are text"),
    ("web_search_options", "not supported"),
    ("documents", "not supported: put them in a message"),
    (
        "chat_template",
        "not supported: the model's template is used",
    ),
    ("continue_final_message", "not supported"),
];

/// Refuses what neither kind of request may use.
pub(super) fn refuse_for_both(fields: Fields<'_>) -> Result<(), ApiError> {
    for name in ["presence_penalty", "frequency_penalty"] {
        let penalty = fields.number(name, -2.0, 2.0)?;
        if penalty.is_some_and(|penalty| penalty != 0.0) {
            let message = "not supported; `repetition_penalty` is";
            return Err(ApiError::unsupported(name, message));
        }
    }
    let is_bias = |bias: &Value| bias.as_f64() != Some(0.0);
    let changes = match fields.get("logit_bias") {
        Some(Value::Object(biases)) => biases.values().any(is_bias),
        Some(other) => is_used(other),
        None => false,
    };
    if changes {
        return Err(ApiError::unsupported("logit_bias", "not supported"));
    }
    refuse(fields, &OF_BOTH)?;
    for (name, neutral) in SAMPLERS {
        let is_neutral = |value: &Value| !is_used(value) || value.as_f64() == Some(neutral);
        if fields.get(name).is_some_and(|value| !is_neutral(value)) {
            return Err(ApiError::unsupported(name, SAMPLING));
        }
    }
    let form = fields.get("response_format");
    let kind = form.map(|form| form.get("type").unwrap_or(form));
    match kind {
        Some(kind) if is_used(kind) && kind != "text" => Err(ApiError::unsupported(
            "response_format",
            "only `{\"type\": \"text\"}` is supported",
        )),
        _ => Ok(()),
    }
}

/// Refuses what a chat may not use: tools, and other things than texts.
pub(super) fn refuse_for_chats(fields: Fields<'_>) -> Result<(), ApiError> {
    refuse(fields, &OF_CHATS)?;
    for name in ["tool_choice", "function_call"] {
        let choice = fields.get(name).filter(|choice| is_used(choice));
        if choice.is_some_and(|choice| choice != "none" && choice != "auto") {
            return Err(ApiError::unsupported(name, "tools are not supported"));
        }
    }
    match fields.list("modalities")? {
        Some(list) if list.iter().any(|one| one != "text") => Err(ApiError::unsupported(
            "modalities",
            "only `[\"text\"]` is supported",
        )),
        _ => Ok(()),
    }
}

fn refuse(fields: Fields<'_>, names: &[(&str, &str)]) -> Result<(), ApiError> {
    for (name, message) in names {
        if fields.get(name).is_some_and(is_used) {
            return Err(ApiError::unsupported(name, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(body: &Value) -> bool {
        let fields = Fields::of(body).unwrap();
        refuse_for_both(fields)
            .and_then(|()| refuse_for_chats(fields))
            .is_ok()
    }

    #[test]
    fn the_empty_forms_of_all_features_are_taken() {
        for (name, _) in OF_BOTH.iter().chain(&OF_CHATS) {
            for empty in [
                json!(null),
                json!([]),
                json!({}),
                json!(""),
                json!(false),
                json!(0),
            ] {
                let mut body = json!({});
                body[*name] = empty;
                assert!(taken(&body), "{body}");
            }
            let mut body = json!({});
            body[*name] = json!({"a": 1});
            assert!(!taken(&body), "{body}");
        }
    }

    #[test]
    fn samplers_of_other_servers_are_taken_where_they_do_nothing() {
        for (name, neutral) in SAMPLERS {
            for (value, expected) in [
                (json!(neutral), true),
                (json!(0), true),
                (json!(null), true),
                (json!(false), true),
                (json!(0.5), false),
                (json!(2), false),
                (json!("1"), false),
                (json!(true), false),
            ] {
                let mut body = json!({});
                body[name] = value;
                assert_eq!(taken(&body), expected, "{body}");
            }
        }
        // what llama.cpp's page sends with all of them off
        assert!(taken(&json!({
            "samplers": "edkypmxt", "dynatemp_range": 0, "dynatemp_exponent": 1, "typical_p": 1, "xtc_probability": 0,
            "xtc_threshold": 0.1, "repeat_last_n": 64, "dry_multiplier": 0, "dry_base": 1.75, "dry_allowed_length": 2,
            "dry_penalty_last_n": -1, "mirostat_tau": 5, "mirostat_eta": 0.1, "presence_penalty": 0,
        })));
        let problem = refuse_for_both(Fields::of(&json!({"mirostat": 2})).unwrap()).unwrap_err();
        assert_eq!(
            problem.body()["error"]["message"],
            "`mirostat`: not supported; `temperature`, `top_k`, `top_p`, `min_p` and `repetition_penalty` are"
        );
    }

    #[test]
    fn what_changes_nothing_is_taken_and_what_changes_something_is_not() {
        for (body, expected) in [
            (json!({"logit_bias": {}}), true),
            (json!({"logit_bias": []}), true),
            (json!({"logit_bias": {"5": 0, "7": 0.0}}), true),
            (json!({"logit_bias": {"5": -1}}), false),
            (json!({"logit_bias": [[5, 1]]}), false),
            (
                json!({"presence_penalty": 0, "frequency_penalty": 0.0}),
                true,
            ),
            (json!({"presence_penalty": 0.5}), false),
            (json!({"response_format": {"type": "text"}}), true),
            (json!({"response_format": {}}), true),
            (json!({"response_format": {"type": null}}), true),
            (json!({"response_format": {"type": "json_object"}}), false),
            (
                json!({"response_format": {"type": "json_schema", "json_schema": {}}}),
                false,
            ),
            (json!({"response_format": "json"}), false),
            (json!({"modalities": ["text"]}), true),
            (json!({"modalities": []}), true),
            (json!({"modalities": ["text", "audio"]}), false),
            (
                json!({"tool_choice": "auto", "function_call": "none"}),
                true,
            ),
            (json!({"tool_choice": {}, "function_call": ""}), true),
            (json!({"tool_choice": "required"}), false),
            (json!({"tool_choice": {"type": "function"}}), false),
            (
                json!({"parallel_tool_calls": true, "store": false, "metadata": {}, "user": "kim"}),
                true,
            ),
        ] {
            assert_eq!(taken(&body), expected, "{body}");
        }
    }
}
