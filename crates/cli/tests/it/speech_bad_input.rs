//! `generate` and `chat` on what cannot be: the message says what is wrong, where, and what to do.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::world::{FIXTURES, Run, World};

const FILES: [&str; 4] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
];

/// A copy of a trained model, whose files a test can spoil.
struct Copy {
    world: World,
}

impl Copy {
    fn new() -> Self {
        let world = World::new();
        fs_err::create_dir(world.path("model")).expect("created");
        for name in FILES {
            let from = Path::new(FIXTURES).join("instruct").join(name);
            fs_err::copy(from, world.path("model").join(name)).expect("copied");
        }
        Self { world }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.world.path("model").join(name)
    }

    fn remove(&self, name: &str) {
        fs_err::remove_file(self.file(name)).expect("removed");
    }

    /// Changes a JSON file.
    fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let text = fs_err::read_to_string(self.file(name)).expect("readable");
        let mut json = serde_json::from_str(&text).expect("JSON");
        change(&mut json);
        fs_err::write(self.file(name), json.to_string()).expect("written");
    }

    /// Overwrites the first number of a tensor in bfloat16.
    fn spoil(&self, tensor: &str, number: u16) {
        let mut bytes = fs_err::read(self.file("model.safetensors")).expect("readable");
        let header = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let json: Value = serde_json::from_slice(&bytes[8..8 + header]).expect("a header");
        assert_eq!(json[tensor]["dtype"], "BF16");
        let offset = json[tensor]["data_offsets"][0].as_u64().expect("a number") as usize;
        bytes[8 + header + offset..][..2].copy_from_slice(&number.to_le_bytes());
        fs_err::write(self.file("model.safetensors"), bytes).expect("written");
    }

    fn generate(&self, options: &[&str]) -> Run {
        let start = ["generate", "model", "--max-tokens", "4"];
        self.world.run(&[&start[..], options].concat())
    }

    fn chat(&self, options: &[&str], input: &str) -> Run {
        let arguments = [&["chat", "model", "--max-tokens", "4"][..], options].concat();
        let mut child = self
            .world
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        // a command that refuses the model reads nothing
        let _ = child
            .stdin
            .take()
            .expect("piped")
            .write_all(input.as_bytes());
        self.world.outcome(&child.wait_with_output().expect("ends"))
    }
}

const ASK: [&str; 2] = ["--prompt", "Where does Anna live?"];

#[test]
fn a_prompt_longer_than_the_context_is_refused_with_the_numbers() {
    let copy = Copy::new();
    copy.edit("config.json", |config| {
        config["max_position_embeddings"] = json!(20);
    });
    let long = "Anna lives in Rome. ".repeat(10);
    copy.generate(&["--raw", "--prompt", &long])
        .expect_code(1)
        .expect_error(" tokens do not fit the model's 20 positions");
    // a chat goes on
    copy.chat(&[], &format!("{long}\n/help\n"))
        .expect_code(1)
        .expect_error(" tokens do not fit the model's 20 positions")
        .expect_error("`/reset` clears")
        .expect_error("/compare TEXT");
}

#[test]
fn an_empty_prompt_is_refused() {
    let copy = Copy::new();
    for prompt in ["", " \n"] {
        copy.generate(&["--prompt", prompt])
            .expect_code(2)
            .expect_error("the prompt is empty");
    }
    copy.generate(&[])
        .expect_code(2)
        .expect_error("the prompt is empty");
    copy.generate(&["--raw"])
        .expect_code(1)
        .expect_error("the prompt is empty");
}

#[test]
fn a_missing_tokenizer_or_configuration_is_named() {
    let copy = Copy::new();
    copy.remove("tokenizer.json");
    for run in [copy.generate(&ASK), copy.chat(&[], "hi\n")] {
        run.expect_code(1)
            .expect_error("model/tokenizer.json: missing")
            .expect_error("save_pretrained");
        assert_eq!(run.stdout, "");
    }
    copy.remove("config.json");
    copy.generate(&ASK)
        .expect_code(1)
        .expect_error("model/config.json: missing");
}

#[test]
fn a_missing_template_is_named_and_can_be_given() {
    let copy = Copy::new();
    copy.edit("tokenizer_config.json", |config| {
        config
            .as_object_mut()
            .expect("an object")
            .remove("chat_template");
    });
    copy.chat(&[], "hi\n")
        .expect_code(1)
        .expect_error("model/chat_template.jinja: missing")
        .expect_error("--template FILE");
    copy.generate(&[&ASK[..], &["--system", "Be brief."]].concat())
        .expect_code(1)
        .expect_error("model/chat_template.jinja: missing");
    copy.world.write("my.jinja", "{{ messages[-1].content }}");
    let given = ["--template", "my.jinja"];
    copy.chat(&given, "hi\n").expect_code(0);
    let plain = copy.generate(&["--raw", "--prompt", "Anna lives in"]);
    let through_template = copy.generate(&["--prompt", "Anna lives in", given[0], given[1]]);
    through_template.expect_code(0);
    assert_eq!(through_template.stdout, plain.stdout);
    assert!(!through_template.stderr.contains("no chat template"));
    copy.generate(&[&ASK[..], &["--template", "no-such.jinja"]].concat())
        .expect_code(1)
        .expect_error("no-such.jinja");
}

#[test]
fn a_template_that_raises_or_is_none_says_why() {
    let copy = Copy::new();
    copy.world.write(
        "raises.jinja",
        "{%- if messages[0].role == 'system' -%}\n{{ raise_exception('System role not supported') }}\n{%- endif -%}\n{{ messages[-1].content }}",
    );
    let raises = ["--template", "raises.jinja"];
    let message = "chat template (raises.jinja): it refuses this conversation: System role not supported (line 2)";
    copy.generate(&[&ASK[..], &raises, &["--system", "Be brief."]].concat())
        .expect_code(1)
        .expect_error(message);
    // the chat goes on without the system prompt
    let run = copy.chat(&raises, "/system Be brief.\nhi\n/system\nhi\n");
    run.expect_code(1).expect_error(message);
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.transcript());
    copy.world.write("broken.jinja", "{% if %}");
    copy.generate(&[&ASK[..], &["--template", "broken.jinja"]].concat())
        .expect_code(1)
        .expect_error("chat template (broken.jinja): syntax error");
}

#[test]
fn an_unknown_architecture_is_named_with_those_that_are_known() {
    let copy = Copy::new();
    copy.edit("config.json", |config| {
        config["architectures"] = json!(["MambaForCausalLM"]);
    });
    for run in [copy.generate(&ASK), copy.chat(&[], "hi\n")] {
        run.expect_code(1)
            .expect_error(
                "model/config.json: architecture `MambaForCausalLM` is not supported; supported are ",
            )
            .expect_error("Qwen2ForCausalLM")
            .expect_error("Gemma3ForCausalLM");
    }
}

#[test]
fn missing_and_misshaped_tensors_are_named() {
    let copy = Copy::new();
    copy.edit("config.json", |config| {
        config["num_hidden_layers"] = json!(7);
    });
    copy.generate(&ASK)
        .expect_code(1)
        .expect_error("no tensor `model.layers.6.")
        .expect_error("tensors are missing in total");
    copy.edit("config.json", |config| {
        config["num_hidden_layers"] = json!(6);
        config["intermediate_size"] = json!(100);
    });
    copy.generate(&ASK)
        .expect_code(1)
        .expect_error("tensor `model.layers.0.mlp.")
        .expect_error("expected [100, ");
}

#[test]
fn nan_stops_with_the_first_tensor_to_blame() {
    let copy = Copy::new();
    copy.spoil("model.layers.3.mlp.down_proj.weight", 0x7fc0);
    copy.spoil("model.layers.4.mlp.down_proj.weight", 0x7fc0);
    let message = "NaN or infinity after layer 3's feed-forward block; tensor `model.layers.3.mlp.down_proj.weight` contains such values";
    let run = copy.generate(&ASK);
    run.expect_code(1).expect_error(message);
    assert_eq!(run.stdout, "");
    copy.generate(&[&ASK[..], &["--quantize", "q8_0"]].concat())
        .expect_code(1)
        .expect_error("model.layers.3.mlp.down_proj.weight");
}
