//! What a model's files say about generating.

use serde_json::Value;

use super::SamplingSettings;

/// A model's own settings: `generation_config.json`, and the ends of text that other files name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerationDefaults {
    /// How tokens are chosen.
    pub sampling: SamplingSettings,
    /// Tokens that end a text.
    pub end: Vec<u32>,
    /// How many tokens at most.
    pub max_tokens: Option<usize>,
    /// Texts that end it.
    pub stop: Vec<String>,
}

impl GenerationDefaults {
    /// Reads them from a `generation_config.json`, and ends of text from a `config.json` where that has none.
    pub fn from_json(generation: &Value, config: &Value) -> Self {
        let number = |name: &str| generation.get(name).and_then(Value::as_f64);
        let sampled = generation.get("do_sample").and_then(Value::as_bool) == Some(true);
        let greedy = SamplingSettings::default();
        let sampling = SamplingSettings {
            repetition_penalty: number("repetition_penalty").unwrap_or(1.0) as f32,
            ..if sampled {
                SamplingSettings {
                    temperature: number("temperature").unwrap_or(1.0) as f32,
                    // transformers' own defaults where the file says nothing
                    top_k: number("top_k").unwrap_or(50.0).max(0.0) as usize,
                    top_p: number("top_p").unwrap_or(1.0) as f32,
                    min_p: number("min_p").unwrap_or(0.0) as f32,
                    ..greedy
                }
            } else {
                greedy
            }
        };
        let mut end = tokens(generation.get("eos_token_id"));
        if end.is_empty() {
            let text = config.get("text_config");
            end = tokens(
                config
                    .get("eos_token_id")
                    .or_else(|| text?.get("eos_token_id")),
            );
        }
        let stop = match generation.get("stop_strings") {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(list)) => {
                let texts = list.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        Self {
            sampling,
            end,
            max_tokens: number("max_new_tokens").map(|number| number.max(0.0) as usize),
            stop,
        }
    }

    /// Adds a token that ends a text, if it is not there yet.
    pub fn add_end(&mut self, token: Option<u32>) {
        if let Some(token) = token.filter(|token| !self.end.contains(token)) {
            self.end.push(token);
        }
    }

    /// The settings of a generation that changes nothing of them.
    pub fn settings(&self) -> GenerationSettings {
        GenerationSettings {
            sampling: self.sampling,
            seed: None,
            end: self.end.clone(),
            max_tokens: self.max_tokens,
            stop: self.stop.clone(),
            show_special: false,
        }
    }
}

/// A token's number, or a list of them.
fn tokens(value: Option<&Value>) -> Vec<u32> {
    let number = |value: &Value| value.as_u64().and_then(|token| u32::try_from(token).ok());
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(number).collect(),
        Some(value) => number(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Everything that decides about a generation but the prompt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerationSettings {
    /// How tokens are chosen.
    pub sampling: SamplingSettings,
    /// Of the random numbers; drawn from the clock if there is none, and told in the report.
    pub seed: Option<u64>,
    /// Tokens that end the text; they are not shown.
    pub end: Vec<u32>,
    /// How many tokens at most; `None`: until the model's positions are used up.
    pub max_tokens: Option<usize>,
    /// Texts that end it; they are not shown.
    pub stop: Vec<String>,
    /// Special tokens are shown as text.
    pub show_special: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sampling_is_off_unless_the_file_asks_for_it() {
        let generation = json!({"temperature": 0.7, "repetition_penalty": 1.1, "eos_token_id": 5});
        let defaults = GenerationDefaults::from_json(&generation, &Value::Null);
        assert_eq!(defaults.sampling.temperature, 0.0);
        assert_eq!(defaults.sampling.repetition_penalty, 1.1);
        assert_eq!(defaults.end, [5]);
    }

    #[test]
    fn missing_numbers_are_those_of_transformers() {
        let generation = json!({"do_sample": true, "top_p": 0.8, "eos_token_id": [5, 6], "stop_strings": ["\n"]});
        let mut defaults = GenerationDefaults::from_json(&generation, &json!({"eos_token_id": 7}));
        defaults.add_end(Some(6));
        defaults.add_end(Some(9));
        assert_eq!(defaults.sampling.temperature, 1.0);
        assert_eq!(defaults.sampling.top_k, 50);
        assert_eq!(defaults.sampling.top_p, 0.8);
        assert_eq!(defaults.end, [5, 6, 9]);
        assert_eq!(defaults.stop, ["\n"]);
    }

    #[test]
    fn without_the_file_config_json_names_the_end() {
        let defaults = GenerationDefaults::from_json(&Value::Null, &json!({"eos_token_id": [7]}));
        assert_eq!(defaults.end, [7]);
    }
}
