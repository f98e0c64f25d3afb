//! Every requirement met, and every way in which it is not.

use serde_json::{Value, json};
use tempfile::TempDir;
use weightsmith_tensors::testing::{TestTensor, write_checkpoint};
use weightsmith_tensors::{Checkpoint, DType};

use super::report::Outcome::{Failed, Passed, Warned};
use super::*;
use weightsmith::model::{LocateOptions, LocatedKind, Opened};

const ROWS: u64 = 8;

const CARD: &str = "---\nlicense: apache-2.0\nbase_model: [org/base, org/other]\nlibrary_name: transformers\n\
    pipeline_tag: text-generation\ntags: [merge]\n---\n# A merge\n";

/// A model that hosts take, to be spoilt.
struct Model {
    folder: TempDir,
    speech: Speech,
    bases: Vec<Opened>,
}

impl Model {
    fn new() -> Self {
        let model = Self {
            folder: tempfile::tempdir().unwrap(),
            speech: Speech {
                tokenizer: Ok(7),
                template: Template::Renders(5),
                end: vec![6],
                turn_end: Some(6),
                expected: Some(expected(ROWS)),
            },
            bases: Vec::new(),
        };
        model.tensors(&tensors(ROWS, DType::BF16));
        model.json("config.json", &config());
        model.json("tokenizer.json", &tokenizer());
        model.json(
            "generation_config.json",
            &json!({"eos_token_id": 6, "temperature": 0.7}),
        );
        model.write("README.md", CARD);
        model
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.folder.path().join(name), text).unwrap();
    }

    fn json(&self, name: &str, value: &Value) {
        self.write(name, &value.to_string());
    }

    fn remove(&self, name: &str) {
        fs_err::remove_file(self.folder.path().join(name)).unwrap();
    }

    fn tensors(&self, tensors: &[TestTensor<'_>]) {
        write_checkpoint(self.folder.path(), tensors).unwrap();
    }

    fn report(&self) -> HostReport {
        let folder = self.folder.path();
        let mut files: Vec<String> = fs_err::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let weights = Checkpoint::open(folder).map_err(|error| error.to_string());
        check(HostedModel {
            label: "merged",
            revision: None,
            folder,
            files: &files,
            weights: weights.as_ref().map_err(String::as_str),
            bases: &self.bases,
            speech: &self.speech,
        })
    }

    /// Fails unless this requirement, and no other, has this outcome for this reason.
    #[track_caller]
    fn expect(&self, requirement: Requirement, outcome: Outcome, reason: &str) {
        let report = self.report();
        for check in &report.checks {
            let expected = if check.requirement == requirement {
                outcome
            } else {
                Passed
            };
            assert_eq!(check.outcome, expected, "{check:?}");
            assert_eq!(check.hint.is_some(), check.outcome != Passed, "{check:?}");
            if check.requirement == requirement {
                assert!(check.reason.contains(reason), "{check:?}");
            }
        }
        assert_eq!(report.ready, outcome != Failed);
    }
}

fn tensors(rows: u64, dtype: DType) -> Vec<TestTensor<'static>> {
    let shape: &'static [u64] = match rows {
        ROWS => &[ROWS, 4],
        _ => &[16, 4],
    };
    vec![
        (
            "model.embed_tokens.weight",
            dtype,
            shape,
            vec![0.5; rows as usize * 4],
        ),
        (
            "model.layers.0.mlp.up_proj.weight",
            dtype,
            &[4, 4],
            vec![0.5; 16],
        ),
        (
            "model.layers.1.mlp.up_proj.weight",
            dtype,
            &[4, 4],
            vec![0.5; 16],
        ),
        ("model.norm.weight", dtype, &[4], vec![1.0; 4]),
    ]
}

fn expected(rows: u64) -> Vec<ExpectedTensor> {
    tensors(rows, DType::BF16)
        .into_iter()
        .map(|(name, _, shape, _)| ExpectedTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
        })
        .collect()
}

fn config() -> Value {
    json!({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_hidden_layers": 2, "hidden_size": 4,
        "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 8192,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "vocab_size": ROWS,
    })
}

fn tokenizer() -> Value {
    json!({
        "added_tokens": [{"id": 5, "content": "<start>"}, {"id": 6, "content": "<end>"}],
        "pre_tokenizer": {"type": "ByteLevel", "use_regex": true},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}, "merges": []},
    })
}

fn base(tensors: &[TestTensor<'_>]) -> (TempDir, Opened) {
    let folder = tempfile::tempdir().unwrap();
    write_checkpoint(folder.path(), tensors).unwrap();
    let opened = Opened {
        label: "org/base".to_owned(),
        kind: LocatedKind::Local,
        source: std::sync::Arc::new(Checkpoint::open(folder.path()).unwrap()),
    };
    (folder, opened)
}

#[test]
fn a_model_that_lacks_nothing_passes() {
    let model = Model::new();
    model.expect(Requirement::Gguf, Passed, "split as `gpt-2`");
    let report = model.report();
    assert!(report.ready);
    assert_eq!(report.facts.parameters, 68);
    assert_eq!(report.facts.concurrency_units, 1);
    assert_eq!(report.facts.context_length, Some(8192));
    assert_eq!(report.facts.weights_type.as_deref(), Some("BF16"));
    let sixteen = report.facts.memory[2];
    assert_eq!((sixteen.bits, sixteen.weights), (16, 136));
    // 2 layers × 2 × 1 head × 2 × 2 bytes a token
    assert_eq!(sixteen.short_context, Some(136 + 16 * 4096));
    assert_eq!(sixteen.full_context, Some(136 + 16 * 8192));
    assert_eq!(report.facts.memory[0].weights, 34);
}

#[test]
fn a_card_names_models_of_the_hub_and_no_folders() {
    let here = tempfile::tempdir().unwrap();
    let folder = here.path().join("org/base");
    fs_err::create_dir_all(&folder).unwrap();
    write_checkpoint(&folder, &tensors(ROWS, DType::BF16)).unwrap();
    fs_err::write(folder.join("config.json"), config().to_string()).unwrap();
    let mut options = LocateOptions::from_env(|_| None);
    here.path().clone_into(&mut options.current_dir);
    let model = Model::new();
    model.write("README.md", &CARD.replace("org/other", "org/../org/base"));
    assert!(known_bases(model.folder.path(), &options).is_empty());
    // unless it is the name of one
    options.named.insert("org/base".to_owned(), folder.clone());
    let bases = known_bases(model.folder.path(), &options);
    let folders: Vec<_> = bases.iter().map(|base| base.source.origin()).collect();
    assert_eq!(folders, [&folder]);
}

#[test]
fn weights_are_safetensors() {
    const THIS: Requirement = Requirement::Safetensors;
    let model = Model::new();
    model.write("pytorch_model.bin", "pickle");
    model.expect(THIS, Warned, "`pytorch_model.bin`");
    model.remove("model.safetensors");
    let failed = |model: &Model| {
        let report = model.report();
        assert!(!report.ready);
        let check = report.checks[0].clone();
        assert_eq!((check.requirement, check.outcome), (THIS, Failed));
        check.reason
    };
    assert!(failed(&model).contains("the only weights are pickles: `pytorch_model.bin`"));
    model.remove("pytorch_model.bin");
    assert_eq!(failed(&model), "there are no weights");
    model.write("model.safetensors", "damaged");
    assert!(failed(&model).contains("model.safetensors"));
}

#[test]
fn weights_have_16_bits() {
    const THIS: Requirement = Requirement::WeightsType;
    let model = Model::new();
    model.tensors(&tensors(ROWS, DType::F32));
    model.expect(THIS, Failed, "most weights are F32");
    let mut mixed = tensors(ROWS, DType::BF16);
    mixed[3].1 = DType::F32;
    model.tensors(&mixed);
    model.expect(THIS, Warned, "`model.norm.weight (F32)`");
    mixed[3].1 = DType::BF16;
    mixed[1].1 = DType::F8_E4M3;
    model.tensors(&mixed);
    model.expect(
        THIS,
        Failed,
        "`model.layers.0.mlp.up_proj.weight (F8_E4M3)`",
    );
    model.tensors(&tensors(ROWS, DType::F16));
    model.expect(THIS, Passed, "`config.json` says bfloat16");
    let mut config = config();
    config["quantization_config"] = json!({"quant_method": "awq"});
    model.json("config.json", &config);
    model.expect(THIS, Failed, "quantized with awq");
}

#[test]
fn shapes_are_those_of_a_base_or_of_the_config() {
    const THIS: Requirement = Requirement::Shapes;
    let mut model = Model::new();
    model.expect(THIS, Passed, "match config.json");
    model.speech.expected = None;
    model.expect(THIS, Warned, "nothing to compare");
    model.speech.expected = Some(expected(16));
    model.expect(THIS, Failed, "8 rows, that of config.json 16");

    let mut config = config();
    config["vocab_size"] = 9.into();
    model.json("config.json", &config);
    model.expect(
        THIS,
        Failed,
        "the embedding has 8 rows, but config.json says 9",
    );
    config["vocab_size"] = ROWS.into();
    model.json("config.json", &config);

    let (_padded, padded) = base(&tensors(16, DType::BF16));
    model.bases = vec![padded];
    model.expect(THIS, Failed, "8 rows, that of `org/base` 16");
    let (_same, same) = base(&tensors(ROWS, DType::BF16));
    model.bases.push(same);
    model.expect(THIS, Passed, "those of `org/base`");
    let mut shorter = tensors(ROWS, DType::BF16);
    shorter.remove(2);
    let (_shorter, shorter) = base(&shorter);
    model.bases = vec![shorter];
    model.expect(
        THIS,
        Failed,
        "it has 1 tensor: `model.layers.1.mlp.up_proj.weight`",
    );
    let mut longer = tensors(ROWS, DType::BF16);
    longer.push((
        "model.layers.2.mlp.up_proj.weight",
        DType::BF16,
        &[4, 4],
        vec![0.5; 16],
    ));
    let (_longer, longer) = base(&longer);
    model.bases = vec![longer];
    model.expect(THIS, Failed, "it lacks 1 tensor");
    let mut wider = tensors(ROWS, DType::BF16);
    wider[1] = (
        "model.layers.0.mlp.up_proj.weight",
        DType::BF16,
        &[8, 4],
        vec![0.5; 32],
    );
    let (_wider, wider) = base(&wider);
    model.bases = vec![wider];
    model.expect(THIS, Failed, "([4, 4], not [8, 4])");
}

#[test]
fn a_tied_head_may_be_written_or_not() {
    let mut model = Model::new();
    let mut with_head = tensors(ROWS, DType::BF16);
    with_head.push(("lm_head.weight", DType::BF16, &[ROWS, 4], vec![0.5; 32]));
    let (_base, base) = base(&with_head);
    model.bases = vec![base];
    model.expect(Requirement::Shapes, Passed, "those of `org/base`");
}

#[test]
fn the_card_says_what_the_hub_reads() {
    const THIS: Requirement = Requirement::ModelCard;
    let model = Model::new();
    model.write("README.md", "# No metadata\n");
    model.expect(THIS, Failed, "has no metadata");
    for (line, missing) in [
        ("license: apache-2.0\n", "`license`"),
        ("base_model: [org/base, org/other]\n", "`base_model`"),
        ("library_name: transformers\n", "`library_name`"),
        ("pipeline_tag: text-generation\n", "`pipeline_tag`"),
        ("tags: [merge]\n", "`tags`"),
    ] {
        model.write("README.md", &CARD.replace(line, ""));
        model.expect(THIS, Failed, &format!("lacks {missing}"));
    }
    model.write("README.md", &CARD.replace("org/other", "my-folder"));
    model.expect(THIS, Warned, "`my-folder`");
    model.remove("README.md");
    model.expect(THIS, Failed, "there is no README.md");
}

#[test]
fn tokenizer_and_template_load() {
    let mut model = Model::new();
    model.speech.tokenizer = Err("not a tokenizer".to_owned());
    model.expect(Requirement::Tokenizer, Failed, "not a tokenizer");
    model.speech.tokenizer = Ok(7);
    model.speech.template = Template::Missing;
    model.expect(Requirement::ChatTemplate, Failed, "there is none");
    model.speech.template = Template::Broken("line 3".to_owned());
    model.expect(Requirement::ChatTemplate, Failed, "line 3");
}

#[test]
fn answers_end() {
    const THIS: Requirement = Requirement::EndOfText;
    let mut model = Model::new();
    model.speech.turn_end = Some(5);
    model.expect(THIS, Warned, "ends answers with token 5");
    model.speech.turn_end = None;
    model.speech.end = vec![6, 8];
    model.expect(
        THIS,
        Failed,
        "the end token is 8, but the embedding has 8 rows",
    );
    model.speech.end.clear();
    model.expect(THIS, Failed, "there is no end token");
    model.speech.end = vec![6];
    for (wrong, problem) in [
        (json!({"top_p": 1.5}), "`top_p` is 1.5"),
        (json!({"temperature": -1}), "`temperature` is -1"),
        (
            json!({"repetition_penalty": 0}),
            "`repetition_penalty` is 0",
        ),
        (json!({"min_p": "low"}), "`min_p` is \"low\""),
        (json!([]), "not an object"),
    ] {
        model.json("generation_config.json", &wrong);
        model.expect(THIS, Failed, problem);
    }
    model.write("generation_config.json", "{");
    model.expect(THIS, Failed, "is not JSON");
    model.remove("generation_config.json");
    model.expect(THIS, Warned, "there is no generation_config.json");
}

#[test]
fn the_vocabulary_can_be_converted() {
    const THIS: Requirement = Requirement::Gguf;
    let model = Model::new();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = tokenizer();
        change(&mut changed);
        model.json("tokenizer.json", &changed);
    };
    with(&|file| file["added_tokens"][1]["id"] = 8.into());
    model.expect(THIS, Failed, "9 tokens, but only 8 rows: none for `<end>`");
    with(&|file| file["added_tokens"][1]["id"] = 7.into());
    model.expect(THIS, Warned, "no token has number 6");
    with(&|file| file["pre_tokenizer"] = json!({"type": "Whitespace"}));
    model.expect(THIS, Failed, "neither byte-level");
    with(&|file| file["model"]["type"] = "WordPiece".into());
    model.expect(THIS, Failed, "a WordPiece vocabulary");
    with(&|file| file["model"]["type"] = "Unigram".into());
    model.expect(THIS, Failed, "without tokenizer.model");
    with(&|file| file["model"]["byte_fallback"] = true.into());
    model.expect(THIS, Failed, "an unusual decoder");
    let as_bpe = |file: &mut Value| {
        file["model"]["byte_fallback"] = true.into();
        file["decoder"] = json!({"type": "Sequence"});
    };
    with(&as_bpe);
    model.expect(THIS, Passed, "written as a BPE");
    with(&|file| {
        as_bpe(file);
        file["added_tokens"][1]["id"] = 7.into();
    });
    model.expect(THIS, Failed, "no token has number 6");
    model.remove("tokenizer.json");
    model.expect(THIS, Failed, "neither tokenizer.json nor tokenizer.model");
    model.write("tokenizer.model", "");
    model.expect(THIS, Passed, "from tokenizer.model");
}

#[test]
fn the_class_decides_how_it_is_converted() {
    const THIS: Requirement = Requirement::Gguf;
    let model = Model::new();
    let class = |name: &str| {
        let mut config = config();
        config["architectures"] = json!([name]);
        model.json("config.json", &config);
    };
    class("NewThingForCausalLM");
    model.expect(THIS, Warned, "`NewThingForCausalLM` is not known");
    class("Gemma2ForCausalLM");
    let mut file = tokenizer();
    file["model"]["byte_fallback"] = true.into();
    file["decoder"] = json!({"type": "Sequence"});
    model.json("tokenizer.json", &file);
    model.expect(
        THIS,
        Failed,
        "converted from tokenizer.model, which is missing",
    );
    model.write("tokenizer.model", "");
    model.expect(THIS, Passed, "from tokenizer.model");
    let mut config = config();
    config["architectures"] = json!([]);
    model.json("config.json", &config);
    model.expect(THIS, Failed, "names no class");
}

#[test]
fn known_ways_of_splitting_are_told_apart() {
    const THIS: Requirement = Requirement::Gguf;
    let model = Model::new();
    let with = |steps: Value| {
        let mut file = tokenizer();
        file["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": steps});
        model.json("tokenizer.json", &file);
    };
    let split = |pattern: &str| {
        json!([
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "use_regex": false},
        ])
    };
    let llama = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    with(split(llama));
    model.expect(THIS, Passed, "split as `llama-bpe`");
    with(split(&llama.replace("{1,3}", "")));
    model.expect(THIS, Passed, "split as `qwen2`");
    with(split(&llama.replace("{1,3}", "{1,2}")));
    model.expect(THIS, Warned, "unknown pre-tokenizer");
    with(json!([{"type": "Digits", "individual_digits": true}, {"type": "ByteLevel"}]));
    model.expect(THIS, Passed, "split as `starcoder`");
}
