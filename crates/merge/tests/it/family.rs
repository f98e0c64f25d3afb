//! Small models of one family, with seeded random weights, and merges of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use weightsmith::model::LocateOptions;
use weightsmith::output::MODEL_CARD;
use weightsmith::plan::{FinishedFiles, MadeFile, Plan, PlanOptions, Planned, RunFacts, build};
use weightsmith::recipe::parse;
use weightsmith::run::{Report, Reporter, RunError, RunOptions, Silent, execute};
use weightsmith::{Diagnostic, Severity};
use weightsmith_tensors::testing::write_checkpoint;
use weightsmith_tensors::{Checkpoint, DType, TensorSource};

/// A model card of few words.
#[derive(Debug)]
pub(crate) struct Card;

impl FinishedFiles for Card {
    fn names(&self, _: &Plan) -> Vec<String> {
        vec![MODEL_CARD.to_owned()]
    }

    fn files(&self, facts: &RunFacts<'_>) -> io::Result<Vec<MadeFile>> {
        let card = format!("# {}\n", facts.title);
        Ok(vec![MadeFile::new(MODEL_CARD, card)])
    }
}

/// A folder for models and results.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

/// The shape of a model.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) layers: u64,
    pub(crate) hidden: u64,
    pub(crate) vocabulary: u64,
    pub(crate) dtype: DType,
    pub(crate) tied: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            layers: 3,
            hidden: 8,
            vocabulary: 20,
            dtype: DType::BF16,
            tied: true,
        }
    }
}

/// Numbers that look normal, the same for a seed on every machine (SplitMix64, sum of four uniforms).
pub(crate) fn numbers(seed: u64, count: u64, spread: f32) -> Vec<f32> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32) - 0.5
    };
    (0..count)
        .map(|_| (uniform() + uniform() + uniform() + uniform()) * spread)
        .collect()
}

/// Names and shapes of the tensors of a Qwen2-like model.
fn tensors(shape: &Shape) -> Vec<(String, Vec<u64>)> {
    let Shape {
        layers,
        hidden,
        vocabulary,
        tied,
        ..
    } = *shape;
    let mut tensors = vec![(
        "model.embed_tokens.weight".to_owned(),
        vec![vocabulary, hidden],
    )];
    for layer in 0..layers {
        let name = |kind: &str| format!("model.layers.{layer}.{kind}");
        tensors.push((name("input_layernorm.weight"), vec![hidden]));
        tensors.push((name("mlp.up_proj.weight"), vec![2 * hidden, hidden]));
        tensors.push((name("self_attn.q_proj.weight"), vec![hidden, hidden]));
        tensors.push((name("self_attn.q_proj.bias"), vec![hidden]));
    }
    tensors.push(("model.norm.weight".to_owned(), vec![hidden]));
    if !tied {
        tensors.push(("lm_head.weight".to_owned(), vec![vocabulary, hidden]));
    }
    tensors
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a model whose weights are those of seed 0 plus a tenth of the seed's own.
    pub(crate) fn model(&self, name: &str, seed: u64, shape: &Shape) -> PathBuf {
        self.model_with(name, seed, shape, &[])
    }

    /// The same with further tensors.
    pub(crate) fn model_with(
        &self,
        name: &str,
        seed: u64,
        shape: &Shape,
        further: &[(&str, DType, &[u64], Vec<f32>)],
    ) -> PathBuf {
        let folder = self.path(name);
        let shapes = tensors(shape);
        let mut entries: Vec<(&str, DType, &[u64], Vec<f32>)> = shapes
            .iter()
            .enumerate()
            .map(|(index, (name, dims))| {
                let count = dims.iter().product();
                let common = numbers(index as u64, count, 0.1);
                let own = numbers(
                    seed * 1000 + index as u64,
                    count,
                    if seed == 0 { 0.0 } else { 0.05 },
                );
                let values = common.iter().zip(own).map(|(a, b)| a + b).collect();
                (name.as_str(), shape.dtype, dims.as_slice(), values)
            })
            .collect();
        entries.extend(further.iter().cloned());
        write_checkpoint(&folder, &entries).unwrap();
        let config = serde_json::json!({
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            "num_hidden_layers": shape.layers,
            "hidden_size": shape.hidden,
            "vocab_size": shape.vocabulary,
            "tie_word_embeddings": shape.tied,
            "torch_dtype": "bfloat16",
        });
        fs_err::write(
            folder.join("config.json"),
            serde_json::to_string_pretty(&config).unwrap(),
        )
        .unwrap();
        folder
    }

    /// Changes a model's `config.json`.
    pub(crate) fn set_config(&self, model: &str, key: &str, value: serde_json::Value) {
        let path = self.path(model).join("config.json");
        let mut config: serde_json::Value =
            serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
        config[key] = value;
        fs_err::write(&path, config.to_string()).unwrap();
    }

    pub(crate) fn plan_options(&self) -> PlanOptions {
        PlanOptions {
            locate: LocateOptions {
                current_dir: self.folder.path().to_owned(),
                recipe_dir: None,
                remote: None,
                named: std::collections::BTreeMap::new(),
                given: std::collections::BTreeMap::new(),
                hub_cache: self.path("no-hub-cache"),
                home: None,
                offline: true,
                away: None,
            },
            shard_size: None,
            seed: 0,
            truncate_embeddings: false,
            copy_companions: true,
            finished: Some(Arc::new(Card)),
        }
    }

    pub(crate) fn try_plan(&self, recipe: &str) -> Result<Planned, Vec<Diagnostic>> {
        self.try_plan_with(recipe, |_| {})
    }

    pub(crate) fn plan(&self, recipe: &str) -> Planned {
        self.plan_with(recipe, |_| {})
    }

    /// Plans with options changed by `change`.
    pub(crate) fn plan_with(&self, recipe: &str, change: impl FnOnce(&mut PlanOptions)) -> Planned {
        self.try_plan_with(recipe, change)
            .unwrap_or_else(|diagnostics| {
                panic!(
                    "{}",
                    diagnostics
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("\n")
                )
            })
    }

    fn try_plan_with(
        &self,
        recipe: &str,
        change: impl FnOnce(&mut PlanOptions),
    ) -> Result<Planned, Vec<Diagnostic>> {
        let parsed = parse(recipe, &|path| self.path(path).exists());
        if parsed
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
        {
            return Err(parsed.diagnostics);
        }
        let mut options = self.plan_options();
        change(&mut options);
        build(&parsed.recipes[0], &options)
    }

    /// Merges with options changed by `change`.
    pub(crate) fn run(
        &self,
        planned: &Planned,
        out: &str,
        reporter: &dyn Reporter,
        interrupt: &AtomicBool,
        change: impl FnOnce(&mut RunOptions<'_>),
    ) -> Result<Report, RunError> {
        let mut options = RunOptions {
            max_memory: 256 << 20,
            threads: 2,
            force: false,
            sync: false,
            allow_non_finite: false,
            fresh: false,
            interrupt,
        };
        change(&mut options);
        execute(planned, &self.path(out), &options, reporter)
    }

    pub(crate) fn merge(&self, recipe: &str, out: &str) -> Report {
        self.run(
            &self.plan(recipe),
            out,
            &Silent,
            &AtomicBool::new(false),
            |_| {},
        )
        .unwrap()
    }

    /// The values of a tensor.
    pub(crate) fn values(&self, model: &str, tensor: &str) -> Vec<f64> {
        values(&Checkpoint::open(&self.path(model)).unwrap(), tensor)
    }
}

/// The values of a tensor of any source.
pub(crate) fn values(source: &dyn TensorSource, tensor: &str) -> Vec<f64> {
    let index = source
        .find(tensor)
        .unwrap_or_else(|| panic!("no tensor {tensor}"));
    let info = &source.tensors()[index].info;
    let mut scratch = Vec::new();
    let bytes = source
        .read(index, 0..info.elements(), &mut scratch)
        .unwrap();
    let mut values = vec![0.0; info.elements() as usize];
    weightsmith_tensors::widen_f64(info.dtype, bytes, &mut values).unwrap();
    values
}

/// The bytes of a folder's weight files, in order of their names.
pub(crate) fn weight_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "safetensors")
        })
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs_err::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// The first messages of a failed plan, errors only.
pub(crate) fn errors(result: Result<Planned, Vec<Diagnostic>>) -> Vec<String> {
    let diagnostics = result.expect_err("the plan should fail");
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(ToString::to_string)
        .collect()
}
