//! Special tokens by name, from the files that name them.

use serde_json::{Map, Value};

use super::SpecialTokens;

/// Names that every tokenizer of transformers knows.
const USUAL: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// The list's name, and what newer files call it.
const LISTS: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];

/// That a `tokenizer_config.json` has this says that it names all special tokens.
const WHOLE: &str = "added_tokens_decoder";

impl SpecialTokens {
    /// Merges those of a `tokenizer_config.json` and of a `special_tokens_map.json`, name by name, as transformers does.
    ///
    /// Names are the usual ones, all others that end with `_token`, and those within `extra_special_tokens`. Where both
    /// files have a name, the configuration goes before if it has the tokens themselves (`added_tokens_decoder`), and the
    /// map otherwise. `null` there means none.
    pub fn of(config: &Value, map: &Value) -> Self {
        let (first, second) = match config.get(WHOLE) {
            Some(_) => (config, map),
            None => (map, config),
        };
        let mut special = Self::default();
        let mut known: Vec<String> = Vec::new();
        for file in [first, second] {
            let Value::Object(fields) = file else {
                continue;
            };
            let mut found: Vec<String> = Vec::new();
            for (name, value) in named(fields) {
                if !known.contains(name) && !found.contains(name) {
                    found.push(name.clone());
                    let text = content(value).map(|text| (name.clone(), text.to_owned()));
                    special.named.extend(text);
                }
            }
            known.append(&mut found);
        }
        // lists add up, that of the configuration first
        for file in [config, map] {
            let lists = LISTS.iter().filter_map(|name| file.get(name)?.as_array());
            for token in lists.flatten().filter_map(content) {
                if special.additional.iter().all(|known| known != token) {
                    special.additional.push(token.to_owned());
                }
            }
        }
        special
    }
}

/// Names with their values: those of the model before the general ones that it replaces.
fn named(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let own = LISTS
        .iter()
        .filter_map(|name| fields.get(*name)?.as_object());
    let direct = fields.iter().filter(|(name, value)| {
        let usual = USUAL.contains(&name.as_str());
        usual || (name.ends_with("_token") && content(value).is_some())
    });
    own.flatten().chain(direct)
}

/// The text of a token: itself, or that of an object that says how it is matched.
fn content(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn get<'a>(special: &'a SpecialTokens, names: &[&str]) -> Vec<Option<&'a str>> {
        names.iter().map(|name| special.get(name)).collect()
    }

    #[test]
    fn older_files_are_merged_name_by_name() {
        let config = json!({"pad_token": "<pad>", "eos_token": "<old>", "add_bos_token": true});
        let map = json!({"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>"});
        let special = SpecialTokens::of(&config, &map);
        assert_eq!(
            get(
                &special,
                &["bos_token", "eos_token", "pad_token", "add_bos_token"]
            ),
            [Some("<s>"), Some("</s>"), Some("<pad>"), None]
        );
        assert_eq!(special.named.len(), 3);
    }

    #[test]
    fn a_whole_configuration_goes_before_the_map() {
        let config = json!({"added_tokens_decoder": {}, "eos_token": "<end>", "bos_token": null});
        let map = json!({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"});
        let special = SpecialTokens::of(&config, &map);
        assert_eq!(
            get(&special, &["bos_token", "eos_token", "unk_token"]),
            [None, Some("<end>"), Some("<unk>")]
        );
    }

    #[test]
    fn models_name_tokens_of_their_own() {
        let config = json!({
            "boi_token": "<start_of_image>",
            "extra_special_tokens": {"image_token": "<image>", "eoi_token": {"content": "<end_of_image>"}},
            "additional_special_tokens": ["<a>", {"content": "<b>"}],
            "image_token": "<other>",
        });
        let special = SpecialTokens::of(
            &config,
            &json!({"additional_special_tokens": ["<b>", "<c>"]}),
        );
        assert_eq!(
            get(&special, &["boi_token", "image_token", "eoi_token"]),
            [
                Some("<start_of_image>"),
                Some("<image>"),
                Some("<end_of_image>")
            ]
        );
        assert_eq!(special.additional, ["<a>", "<b>", "<c>"]);
        let newer = json!({"extra_special_tokens": ["<x>"]});
        assert_eq!(SpecialTokens::of(&newer, &Value::Null).additional, ["<x>"]);
        assert_eq!(
            SpecialTokens::of(&Value::Null, &Value::Null),
            SpecialTokens::default()
        );
    }
}
