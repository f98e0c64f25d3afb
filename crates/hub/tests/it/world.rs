//! A hub on loopback, a cache and models.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weightsmith_hub::testing::{Content, TestHub};
use weightsmith_hub::{Hub, HubError, HubSettings, ModelName, Silent, Token};

pub(crate) struct World {
    pub(crate) hub: TestHub,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) token: Option<&'static str>,
    pub(crate) attempts: u32,
    pub(crate) offline: bool,
    /// Changes what is not named above.
    pub(crate) change: fn(&mut HubSettings),
}

impl World {
    pub(crate) fn new() -> Self {
        let hub = TestHub::start().unwrap();
        hub.add_token("secret", "me");
        Self {
            hub,
            folder: tempfile::tempdir().unwrap(),
            token: None,
            attempts: 3,
            offline: false,
            change: |_| (),
        }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    pub(crate) fn client(&self) -> Hub {
        let mut settings = HubSettings {
            token: self.token.map(Token::new),
            offline: self.offline,
            connections: 4,
            attempts: self.attempts,
            first_wait: Duration::from_millis(1),
            ..HubSettings::new(self.hub.url(), self.cache())
        };
        (self.change)(&mut settings);
        Hub::new(&settings).with_pieces(1000)
    }

    pub(crate) fn pull(&self, name: &str) -> Result<PathBuf, HubError> {
        let hub = self.client();
        let name: ModelName = name.parse()?;
        let listing = hub.look(&name)?;
        Ok(hub.pull(&[listing], &Silent)?.remove(0))
    }

    pub(crate) fn repo(&self, name: &str) -> PathBuf {
        self.cache()
            .join(format!("models--{}", name.replace('/', "--")))
    }

    /// The blobs of a model with their sizes.
    pub(crate) fn blobs(&self, name: &str) -> BTreeMap<String, u64> {
        let Ok(entries) = fs_err::read_dir(self.repo(name).join("blobs")) else {
            return BTreeMap::new();
        };
        entries
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, entry.metadata().unwrap().len())
            })
            .collect()
    }
}

/// A safetensors file with one tensor of these many F32 numbers, which count from `first`.
pub(crate) fn weights(tensor: &str, numbers: u32, first: u32) -> Vec<u8> {
    let end = numbers * 4;
    let header =
        format!(r#"{{"{tensor}":{{"dtype":"F32","shape":[{numbers}],"data_offsets":[0,{end}]}}}}"#);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend((first..first + numbers).flat_map(|number| (number as f32).to_le_bytes()));
    file
}

/// A model of two shards with what else lies in such repositories.
pub(crate) fn files() -> Vec<(&'static str, Content)> {
    let index = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    vec![
        (".gitattributes", Content::from("x")),
        ("README.md", Content::from("# A model\n")),
        ("config.json", Content::from("{}")),
        (
            "consolidated.safetensors",
            Content::from(weights("a", 9, 0)),
        ),
        (
            "model-00001-of-00002.safetensors",
            Content::from(weights("a", 2000, 0)),
        ),
        (
            "model-00002-of-00002.safetensors",
            Content::from(weights("b", 500, 7)),
        ),
        ("model.safetensors.index.json", Content::from(index)),
        ("modeling_custom.py", Content::from("import os")),
        ("onnx/model.onnx", Content::from("onnx")),
        ("pytorch_model.bin", Content::from("pickle")),
        ("tokenizer.json", Content::from("{}")),
    ]
}

/// The names of a folder's files, those below it included.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// An error with its hints, the hub's address replaced.
pub(crate) fn shown(world: &World, error: &HubError) -> String {
    let text = std::iter::once(error.to_string())
        .chain(error.hints())
        .collect::<Vec<_>>()
        .join("\n");
    text.replace(&world.hub.url(), "HUB")
        .replace(world.folder.path().to_str().unwrap(), "DIR")
}
