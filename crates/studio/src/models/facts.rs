//! What the small files and the headers of a model's folder tell.

use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::Value;
use weightsmith::model::Located;
use weightsmith::output::{LOCK_FILE, Lock, MODEL_CARD};
use weightsmith_infer::DecoderConfig;
use weightsmith_report::card::FrontMatter;
use weightsmith_report::inspect::inspect;
use weightsmith_server::ModelFacts;
use weightsmith_tensors::{main_dtype, read_regular};

/// The recipe of a merge, by the name that mergekit gave it.
pub(super) const RECIPE: &str = "mergekit_config.yml";

/// Cards, recipes and configs above this size are not read.
pub(super) const LARGEST_TEXT: u64 = 16 << 20;

/// A model as a recipe or a card names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParentName {
    /// As it is written: a name or a path.
    pub(crate) reference: String,
    /// What to call it.
    pub(crate) label: String,
}

/// What is known of a model without reading its weights.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) architecture: Option<String>,
    pub(crate) model_type: Option<String>,
    pub(crate) parameters: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) weights_type: Option<String>,
    pub(crate) context: Option<u64>,
    pub(crate) vocabulary: Option<u64>,
    pub(crate) layers: Option<u64>,
    pub(crate) hidden_size: Option<u64>,
    pub(crate) attention_heads: Option<u64>,
    pub(crate) key_value_heads: Option<u64>,
    pub(crate) tied_embeddings: Option<bool>,
    pub(crate) chat_template: bool,
    pub(crate) has_card: bool,
    pub(crate) license: Option<String>,
    /// In seconds since 1970.
    pub(crate) created: Option<u64>,
    pub(crate) method: Option<String>,
    pub(crate) parents: Vec<ParentName>,
    pub(crate) tags: Vec<String>,
    /// Hashes of the headers of its weight files, sorted.
    pub(crate) headers: Vec<String>,
    /// By the lock: what was read to make it, each with the hashes of its headers, sorted.
    pub(crate) inputs: Vec<(String, Vec<String>)>,
    /// Why the folder cannot be read.
    pub(crate) broken: Option<String>,
    /// Why the model cannot speak, though its folder can be read.
    pub(crate) silent: Option<String>,
}

impl Facts {
    /// Reads a folder. What is wrong with it is among the facts.
    pub(super) fn read(located: &Located) -> Self {
        let folder = &located.folder;
        let mut facts = Self {
            created: modified(&folder.join("config.json")).or_else(|| modified(folder)),
            ..Self::default()
        };
        facts.read_card(folder);
        facts.read_provenance(folder);
        if let Err(problem) = facts.read_model(located) {
            facts.broken = Some(problem);
        }
        facts
    }

    /// What a server was told of a model that has no folder.
    pub(super) fn of_served(served: &ModelFacts) -> Self {
        let known = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            architecture: known(&served.architecture),
            parameters: Some(served.parameters),
            bytes: Some(served.bytes),
            weights_type: known(&served.weights_type),
            context: Some(served.context_trained as u64),
            vocabulary: Some(served.vocabulary as u64),
            created: Some(served.created).filter(|time| *time > 0),
            ..Self::default()
        }
    }

    fn read_model(&mut self, located: &Located) -> Result<(), String> {
        let folder = &located.folder;
        let config = config(folder)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        self.architecture = text(&config["architectures"][0]);
        self.model_type = text(&config["model_type"]);
        let opened = located.open().map_err(|error| error.to_string())?;
        let headers = opened.source.weight_files().iter();
        self.headers = sorted(headers.map(|file| file.header_hash.clone()));
        let found = inspect(&opened).map_err(|error| error.to_string())?;
        let tensors = opened.source.tensors().iter();
        let most = main_dtype(tensors.map(|tensor| &tensor.info));
        self.weights_type = most.map(|dtype| dtype.to_string());
        self.parameters = Some(found.parameters);
        self.bytes = Some(found.bytes);
        self.context = found.config.context_length;
        self.vocabulary = found.vocabulary.rows.or(found.vocabulary.config);
        self.layers = Some(found.layers);
        self.hidden_size = found.config.hidden_size;
        self.attention_heads = found.config.attention_heads;
        self.key_value_heads = found.config.key_value_heads.or(self.attention_heads);
        self.tied_embeddings = found.tied_embeddings;
        self.chat_template = found.chat_template.is_some();
        self.silent = match DecoderConfig::from_json(&config) {
            Err(problem) => Some(format!("this model cannot be run here: {problem}")),
            Ok(_) if found.config.quantization.is_some() => {
                Some("its quantization is not supported".to_owned())
            }
            Ok(_) if !folder.join("tokenizer.json").is_file() => {
                Some("there is no `tokenizer.json`".to_owned())
            }
            Ok(_) => None,
        };
        Ok(())
    }

    fn read_card(&mut self, folder: &Path) {
        let Some(readme) = small_text(&folder.join(MODEL_CARD)) else {
            return;
        };
        self.has_card = true;
        let FrontMatter {
            license,
            license_name,
            base_model,
            tags,
            ..
        } = FrontMatter::parse(&readme);
        self.license = license_name.or(license);
        self.parents = base_model.iter().map(|name| ParentName::of(name)).collect();
        self.tags = tags;
    }

    /// Where it comes from: the lock and the recipe know it better than the card.
    fn read_provenance(&mut self, folder: &Path) {
        if folder.join(LOCK_FILE).is_file()
            && let Ok(lock) = Lock::read(folder)
        {
            let date = lock.date.parse::<jiff::Timestamp>().ok();
            let seconds = date.and_then(|date| u64::try_from(date.as_second()).ok());
            self.created = seconds.or(self.created);
            self.method = Some(lock.method);
            let inputs = lock.inputs.iter();
            self.parents = inputs.map(|input| ParentName::of(&input.label)).collect();
            self.inputs = lock
                .inputs
                .into_iter()
                .map(|input| {
                    let headers = input.files.into_iter().map(|file| file.header);
                    (input.label, sorted(headers))
                })
                .collect();
        }
        let Some(recipe) = small_text(&folder.join(RECIPE)) else {
            return;
        };
        if let Some((method, parents)) = super::parents_of(&recipe) {
            self.method.get_or_insert(method);
            self.parents = parents;
        }
    }
}

/// Hashes in an order of their own.
pub(crate) fn sorted(hashes: impl Iterator<Item = String>) -> Vec<String> {
    let mut hashes: Vec<String> = hashes.collect();
    hashes.sort();
    hashes
}

impl Facts {
    /// Whether what goes by a name now can be what was read under it: true where the lock says nothing of it. Models of one
    /// architecture have the same headers, so this tells sizes and kinds apart, not a model from its fine-tune.
    pub(crate) fn was_read(&self, label: &str, headers: &[String]) -> bool {
        let mut inputs = self.inputs.iter();
        let input = inputs.find(|(name, _)| name == label);
        input.is_none_or(|(_, read)| headers.is_empty() || read == headers)
    }
}

impl ParentName {
    /// A model by what it is called somewhere; of a path, the last part is shown.
    pub(crate) fn of(reference: &str) -> Self {
        let is_path = reference.starts_with(['/', '.', '~']);
        let last = reference.trim_end_matches('/').rsplit('/').next();
        let label = match last {
            Some(last) if is_path && !last.is_empty() => last,
            _ => reference,
        };
        Self {
            reference: reference.to_owned(),
            label: label.to_owned(),
        }
    }
}

/// The `config.json` of a folder.
pub(super) fn config(folder: &Path) -> Result<Value, String> {
    let path = folder.join("config.json");
    if !path.is_file() {
        return Err("there is no `config.json`".to_owned());
    }
    let text = small_text(&path).ok_or("`config.json` cannot be read")?;
    match weightsmith_tensors::json::read::<Value>(text.as_bytes()) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err("`config.json` is not an object".to_owned()),
        Err(problem) => Err(format!("`config.json` is not JSON: {problem}")),
    }
}

/// A text file that is not too large.
pub(super) fn small_text(path: &Path) -> Option<String> {
    let bytes = read_regular(path, LARGEST_TEXT).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// When a file was changed, in seconds since 1970.
pub(super) fn modified(path: &Path) -> Option<u64> {
    let time = fs_err::metadata(path).ok()?.modified().ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_called_by_their_name_and_not_by_their_path() {
        for (reference, label) in [
            ("org/name", "org/name"),
            ("base", "base"),
            ("/data/models/base/", "base"),
            ("../x/base", "base"),
            ("/", "/"),
        ] {
            assert_eq!(ParentName::of(reference).label, label);
        }
    }
}
