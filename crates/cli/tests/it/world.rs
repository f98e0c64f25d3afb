//! A temporary folder with small models, and runs of the command in it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use weightsmith_tensors::DType;
use weightsmith_tensors::testing::{TestTensor, write_checkpoint};

/// The trained checkpoints of the repository.
pub(crate) const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/tiny-qwen2");

/// `config.json` of the models that [`World::model`] writes.
pub(crate) const CONFIG: &str = r#"{
  "architectures": ["Qwen2ForCausalLM"],
  "model_type": "qwen2",
  "num_hidden_layers": 2,
  "tie_word_embeddings": true,
  "torch_dtype": "float32",
  "vocab_size": 5
}
"#;

/// A temporary folder.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

/// What a run of the command did.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A folder with the models `a`, `b` and `c`, which differ in their values.
    pub(crate) fn with_models() -> Self {
        let world = Self::new();
        for (name, seed) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
            world.model(name, seed);
        }
        world
    }

    /// The path of something in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: &str) {
        fs_err::write(self.path(name), content).expect("written");
    }

    /// Writes a model of two layers, its values made from a seed.
    pub(crate) fn model(&self, name: &str, seed: f32) {
        self.model_of(name, &tensors(seed));
    }

    /// Writes a model with these tensors.
    pub(crate) fn model_of(&self, name: &str, tensors: &[TestTensor<'_>]) {
        write_checkpoint(&self.path(name), tensors).expect("written");
        self.write(&format!("{name}/config.json"), CONFIG);
    }

    /// Names of everything that lies in the folder itself.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let entries = fs_err::read_dir(self.folder.path()).expect("readable");
        entries
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }

    /// The command, to be run in the folder, in an environment that says nothing.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weightsmith"));
        command.args(arguments).current_dir(self.folder.path());
        for name in [
            "WEIGHTSMITH_MAX_MEMORY",
            "WEIGHTSMITH_THREADS",
            "WEIGHTSMITH_CPU",
            "HF_HUB_CACHE",
            "HF_HUB_OFFLINE",
            "HF_HUB_DISABLE_IMPLICIT_TOKEN",
            "HF_HUB_DISABLE_SYMLINKS",
            "HF_HUB_DOWNLOAD_TIMEOUT",
            "HF_HUB_ETAG_TIMEOUT",
            "HF_TOKEN",
            "HF_TOKEN_PATH",
            "HUGGING_FACE_HUB_TOKEN",
            "HTTPS_PROXY",
            "https_proxy",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
            "NO_COLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(name);
        }
        command.env("XDG_DATA_HOME", self.path("data"));
        command
            .env("HF_HOME", self.path("no-cache"))
            // nobody answers there: tests ask no real hub
            .env("HF_ENDPOINT", "http://127.0.0.1:9")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs the command in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.outcome(
            &self
                .command(arguments)
                .output()
                .expect("the command starts"),
        )
    }

    /// Text of a finished process, with what differs from run to run written in brackets.
    pub(crate) fn outcome(&self, output: &Output) -> Run {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let text = text.replace(&self.folder.path().display().to_string(), "[FOLDER]");
            text.replace(FIXTURES, "[FIXTURES]")
        };
        Run {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Run {
    /// Exit code, stdout and stderr as one text for snapshots.
    pub(crate) fn transcript(&self) -> String {
        let code = self
            .code
            .map_or("killed".to_owned(), |code| code.to_string());
        format!(
            "exit code: {code}\n--- stdout\n{}--- stderr\n{}",
            self.stdout, self.stderr
        )
    }

    /// Fails with the whole transcript unless the run ended with this code.
    #[track_caller]
    pub(crate) fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.transcript());
        self
    }

    /// Fails with the whole transcript unless stderr holds the text.
    #[track_caller]
    pub(crate) fn expect_error(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "expected {text:?} in\n{}",
            self.transcript()
        );
        self
    }
}

/// The tensors of a model of two layers.
pub(crate) fn tensors(seed: f32) -> Vec<TestTensor<'static>> {
    let values = |count: u16| {
        (0..count)
            .map(|index| seed + f32::from(index) * 0.25)
            .collect()
    };
    vec![
        ("model.embed_tokens.weight", DType::F32, &[5, 4], values(20)),
        (
            "model.layers.0.mlp.up_proj.weight",
            DType::F32,
            &[4, 4],
            values(16),
        ),
        (
            "model.layers.1.mlp.up_proj.weight",
            DType::F32,
            &[4, 4],
            values(16),
        ),
        ("model.norm.weight", DType::F32, &[4], values(4)),
    ]
}

/// A slerp of `a` and `b`.
pub(crate) const SLERP: &str = "\
models:
  - model: a
  - model: b
merge_method: slerp
base_model: a
parameters:
  t: 0.5
";
