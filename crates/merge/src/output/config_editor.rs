//! The text of `config.json` while it is edited.

use serde_json::Value;
use weightsmith_tensors::DType;

use super::config_file::ConfigError;
use super::json_text::{self, Kind, Node};
use super::layer_settings::{self, LayerChange};
use crate::architecture::{Architecture, MOST_LAYERS, text_config_path};

/// Keys of the type of the weights: the newer and the older one.
const DTYPE_KEYS: [&str; 2] = ["dtype", "torch_dtype"];

/// The text and what was found out on the way. Parsed anew for every change: a config is small.
pub(super) struct Editor {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
    /// Path of the object that describes the language model.
    text_config: &'static [&'static str],
}

impl Editor {
    /// `text` must be JSON, and `value` what it says.
    pub(super) fn new(text: &str, value: &Value) -> Self {
        Self {
            text: text.to_owned(),
            notes: Vec::new(),
            text_config: text_config_path(value),
        }
    }

    /// The text, parsed.
    pub(super) fn root(&self) -> Node {
        json_text::parse(&self.text)
            .expect("the text was parsed before and edits put JSON in the place of JSON")
    }

    /// The value at a path.
    pub(super) fn value(&self, path: &[&str]) -> Option<Value> {
        self.root().at(path).map(Node::to_value)
    }

    /// Writes JSON text at a path; nothing changes where it already stands for the same value.
    pub(super) fn set(&mut self, path: &[&str], raw: &str) -> Result<(), ConfigError> {
        let root = self.root();
        let same = root
            .at(path)
            .is_some_and(|node| &self.text[node.span.clone()] == raw);
        if !same {
            self.text = json_text::set(&self.text, &root, path, raw).ok_or_else(|| {
                ConfigError::NoObject {
                    path: path[..path.len().saturating_sub(1)]
                        .iter()
                        .map(|&key| key.to_owned())
                        .collect(),
                }
            })?;
        }
        Ok(())
    }

    /// Sets the type of the weights: wherever a text names one, at the top in any case.
    pub(super) fn set_dtype(&mut self, dtype: DType) -> Result<(), ConfigError> {
        let name = dtype.torch_name().ok_or(ConfigError::UnnamedDType(dtype))?;
        let raw = format!("\"{name}\"");
        let mut at_top = false;
        for key in DTYPE_KEYS {
            if self.value(&[key]).is_some() {
                self.set(&[key], &raw)?;
                at_top = true;
            }
        }
        for path in self.parts() {
            for key in DTYPE_KEYS {
                let path: Vec<&str> = path.iter().map(String::as_str).chain([key]).collect();
                if self.value(&path).is_some_and(|value| value.is_string()) {
                    self.set(&path, &raw)?;
                }
            }
        }
        if !at_top {
            self.set(&["torch_dtype"], &raw)?;
        }
        Ok(())
    }

    /// Paths of the objects that describe parts of a model, such as `vision_config`, and their parts.
    fn parts(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        collect_parts(&self.root(), &mut Vec::new(), &mut found);
        found
    }

    /// Sets a key wherever the top or the language model has it; in both where neither does.
    pub(super) fn set_everywhere(&mut self, key: &str, raw: &str) -> Result<(), ConfigError> {
        let mut objects: Vec<&[&str]> = vec![&[]];
        if !self.text_config.is_empty() {
            objects.push(self.text_config);
        }
        let paths: Vec<Vec<&str>> = objects
            .into_iter()
            .map(|object| object.iter().copied().chain([key]).collect())
            .collect();
        let nowhere = paths.iter().all(|path| self.value(path).is_none());
        for path in paths {
            if nowhere || self.value(&path).is_some() {
                self.set(&path, raw)?;
            }
        }
        Ok(())
    }

    /// Sets the layer count of the main stack, and lets every setting that goes by layer follow.
    pub(super) fn set_layers(
        &mut self,
        architecture: &Architecture,
        layer_map: &[u64],
    ) -> Result<(), ConfigError> {
        let Some(count) = architecture.layer_count() else {
            return Ok(());
        };
        let stored = architecture.layers();
        let old = architecture.counted_layers();
        if old > MOST_LAYERS {
            return Err(ConfigError::TooManyLayers { count: old });
        }
        if let Some(&layer) = layer_map.iter().find(|&&layer| layer >= stored) {
            return Err(ConfigError::LayerOutside {
                layer,
                count: stored,
            });
        }
        // layers beyond the config's count predict further tokens and are counted apart
        let layer_map: Vec<u64> = layer_map
            .iter()
            .copied()
            .filter(|&layer| layer < old)
            .collect();
        if layer_map.iter().copied().eq(0..old) {
            return Ok(());
        }
        let object: Vec<&str> = count.object.iter().map(String::as_str).collect();
        for key in &count.keys {
            // a family without the key counts the entries of its list
            if count.value.is_none() && self.root().at(&object).is_some_and(has_kinds) {
                break;
            }
            let path: Vec<&str> = object.iter().copied().chain([key.as_str()]).collect();
            self.set(&path, &layer_map.len().to_string())?;
        }
        // the lists of an encoder-decoder do not say which of the two they describe
        if architecture
            .facts()
            .is_some_and(|facts| !facts.stacks.is_empty())
        {
            return Ok(());
        }
        layer_settings::follow(
            self,
            &LayerChange {
                object: &object,
                old,
                stored,
                layer_map: &layer_map,
            },
        )
    }
}

/// Whether an object lists the kinds of its layers.
fn has_kinds(object: &Node) -> bool {
    object.member("layers_block_type").is_some()
}

fn collect_parts(node: &Node, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let Kind::Object(members) = &node.kind else {
        return;
    };
    for member in members {
        let is_part = matches!(member.value.kind, Kind::Object(_))
            && member.key.ends_with("_config")
            && member.key != "quantization_config";
        if is_part {
            path.push(member.key.clone());
            found.push(path.clone());
            collect_parts(&member.value, path, found);
            path.pop();
        }
    }
}
