//! `config.json` of the result: the donor's, with what the merge changed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use weightsmith_tensors::{DType, ModelFiles};

use super::config_editor::Editor;
use super::json_text::{self, JsonError};
use crate::architecture::Architecture;

/// A change of `config.json`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ConfigEdit {
    /// The type of the weights on disk, under the key that the donor has: `dtype` or `torch_dtype`.
    DType(DType),
    /// The main stack's layers: for every layer of the result the index of the donor's layer that it comes from.
    Layers(Vec<u64>),
    /// The number of rows of the embedding.
    VocabSize(u64),
    /// Whether the head is the embedding.
    TieWordEmbeddings(bool),
}

/// A donor's `config.json`, as text and as a value.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigFile {
    text: String,
    value: Value,
}

/// An edited `config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedConfig {
    /// The file's text.
    pub text: String,
    /// What a user should know: settings that could not follow the layers. Lower case, no full stop.
    pub notes: Vec<String>,
}

/// `config.json` cannot be read or edited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read. The message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// The file is not JSON.
    #[error("`{}` is not JSON: {error}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        error: JsonError,
    },

    /// The file is JSON, but no object.
    #[error("`{}` is not an object", path.display())]
    NotAnObject {
        /// The file.
        path: PathBuf,
    },

    /// The type has no name in `config.json`.
    #[error("`{0}` has no name in `config.json`, expected one of F16, BF16, F32 and F64")]
    UnnamedDType(DType),

    /// A layer of the result comes from a layer that the donor does not have.
    #[error("layer {layer} does not exist, the donor has {count} layers")]
    LayerOutside {
        /// The donor's layer that was asked for.
        layer: u64,
        /// How many there are.
        count: u64,
    },

    /// The checkpoint's names count more layers than a model can have.
    #[error("the checkpoint counts {count} layers, expected at most 65536")]
    TooManyLayers {
        /// How many it counts.
        count: u64,
    },

    /// A part of the config that an edit needs is missing or no object.
    #[error("`config.json` has no object `{}`", path.join("."))]
    NoObject {
        /// Its path of keys.
        path: Vec<String>,
    },
}

impl ConfigFile {
    /// Reads that of a model; nothing where it has none.
    ///
    /// # Errors
    /// When it cannot be read or is no JSON object.
    pub fn of(files: &(impl ModelFiles + ?Sized)) -> Result<Option<Self>, ConfigError> {
        const NAME: &str = "config.json";
        let Some(text) = files.file_text(NAME)? else {
            return Ok(None);
        };
        Self::parse(text, &files.path_of(NAME)).map(Some)
    }

    /// Reads a text; `path` is for error messages.
    ///
    /// `NaN` and `Infinity`, which Python writes, are accepted and become `null` in [`Self::value`].
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn parse(mut text: String, path: &Path) -> Result<Self, ConfigError> {
        // no reader of the result expects a byte order mark
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        let root = json_text::parse(&text).map_err(|error| ConfigError::Json {
            path: path.to_owned(),
            error,
        })?;
        let value = root.to_value();
        if !value.is_object() {
            return Err(ConfigError::NotAnObject {
                path: path.to_owned(),
            });
        }
        Ok(Self { text, value })
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file as a value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The text with edits; what no edit names keeps every byte.
    ///
    /// `architecture` is the donor's, inferred with this config.
    ///
    /// # Errors
    /// When an edit cannot be expressed.
    pub fn edited(
        &self,
        architecture: &Architecture,
        edits: &[ConfigEdit],
    ) -> Result<EditedConfig, ConfigError> {
        let mut editor = Editor::new(&self.text, &self.value);
        for edit in edits {
            match edit {
                ConfigEdit::DType(dtype) => editor.set_dtype(*dtype)?,
                ConfigEdit::Layers(layer_map) => editor.set_layers(architecture, layer_map)?,
                ConfigEdit::VocabSize(rows) => {
                    editor.set_everywhere("vocab_size", &rows.to_string())?;
                }
                ConfigEdit::TieWordEmbeddings(tied) => {
                    editor.set_everywhere(
                        "tie_word_embeddings",
                        if *tied { "true" } else { "false" },
                    )?;
                }
            }
        }
        Ok(EditedConfig {
            text: editor.text,
            notes: editor.notes,
        })
    }
}
