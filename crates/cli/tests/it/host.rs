//! `check --host`.

use serde_json::Value;

use crate::hub::{Online, RECIPE};
use crate::world::{FIXTURES, World};

const CARD: &str = "---\nlicense: apache-2.0\n---\n# A parent\n";

/// The fixtures merged, with parents that the hub has; config and tokenizer are those of one that answers.
fn merged() -> Online {
    let online = Online::with(&[("README.md", CARD)]);
    let recipe = RECIPE.replace("base_model: org/base", "base_model: org/instruct");
    online.world.write("recipe.yml", &recipe);
    online.done(&["merge", "recipe.yml", "out"]);
    online.hub.stop();
    online
}

#[test]
fn the_fixtures_merge_is_ready_for_hosts() {
    let online = merged();
    insta::assert_snapshot!(online.run(&["check", "--host", "out"]).transcript(), @r"
    exit code: 0
    --- stdout
    passed  safetensors    1 file, 74 tensors
    passed  weights type   BF16
    passed  shapes         those of `org/instruct`
    passed  model card     apache-2.0, from org/base and org/instruct
    passed  tokenizer      1059 tokens
    passed  chat template  renders a question as 32 tokens
    passed  end of text    tokens 1058, 1056
    passed  GGUF           byte-level BPE, split as `qwen2`

    size class         below 0.1B, 2.57M parameters
    weights type       BF16
    context length     131,072 tokens
    concurrency units  1 at Featherless.ai (as of 2026-11)

      memory   weights  with 4,096 tokens  with 131,072 tokens
      4 bits    1.3 MB             7.6 MB             202.6 MB
      8 bits    2.6 MB             8.9 MB             203.9 MB
      16 bits   5.1 MB            11.4 MB             206.5 MB

    out is ready for hosts
    --- stderr
    ");
    online.done(&["check", "--host", "--strict", "out"]);
}

#[test]
fn a_merge_whose_answers_would_not_end_is_ready_with_a_warning() {
    let online = Online::with(&[("README.md", CARD)]);
    // the base model ends texts, its template answers, with different tokens
    online.done(&["merge", "recipe.yml", "out"]);
    let run = online.done(&["check", "--host", "out"]);
    let reason = "warned  end of text    the chat template ends answers with token 1058";
    assert!(run.stdout.contains(reason), "{}", run.transcript());
    online
        .run(&["check", "--host", "--strict", "out"])
        .expect_code(1);
}

#[test]
fn what_hosts_would_refuse_is_told_with_what_to_do() {
    let online = merged();
    let out = online.world.path("out");
    fs_err::remove_file(out.join("README.md")).expect("removed");
    fs_err::write(out.join("chat_template.jinja"), "{% if %}").expect("written");
    fs_err::write(out.join("pytorch_model.bin"), "").expect("written");
    let config = fs_err::read_to_string(out.join("config.json")).expect("readable");
    let config = config.replace("\"vocab_size\": 1059", "\"vocab_size\": 1058");
    fs_err::write(out.join("config.json"), config).expect("written");
    let generation = "{\"eos_token_id\": 5000}";
    fs_err::write(out.join("generation_config.json"), generation).expect("written");
    insta::assert_snapshot!(online.run(&["check", "--host", "out"]).transcript(), @r"
    exit code: 1
    --- stdout
    warned  safetensors    there are also pickles: `pytorch_model.bin`
                           hint: hosts ignore them, but scanners flag them: remove them
    passed  weights type   BF16
    failed  shapes         the embedding has 1059 rows, but config.json says 1058
                           hint: set `vocab_size` in config.json to the number of rows
    failed  model card     there is no README.md
                           hint: `weightsmith merge` writes one unless `--no-write-model-card` is given
    passed  tokenizer      1059 tokens
    failed  chat template  chat template (chat_template.jinja): syntax error: unexpected `%}`, expected a value (line 1)
                           hint: copy `chat_template.jinja` from the parent whose behavior the merge should have
    failed  end of text    the end token is 5000, but the embedding has 1059 rows
                           hint: set `eos_token_id` to a token of this model's vocabulary
    failed  GGUF           1059 tokens, but only 1058 rows: none for `<|im_end|>`
                           hint: use the tokenizer files and the `vocab_size` of the parent that provided the embedding

    size class         below 0.1B, 2.57M parameters
    weights type       BF16
    context length     131,072 tokens
    concurrency units  1 at Featherless.ai (as of 2026-11)

      memory   weights  with 4,096 tokens  with 131,072 tokens
      4 bits    1.3 MB             7.6 MB             202.6 MB
      8 bits    2.6 MB             8.9 MB             203.9 MB
      16 bits   5.1 MB            11.4 MB             206.5 MB

    out is not ready for hosts, 5 failures, 1 warning
    --- stderr
    ");

    fs_err::write(out.join("tokenizer.json"), "{}").expect("written");
    fs_err::remove_file(out.join("model.safetensors")).expect("removed");
    insta::assert_snapshot!(online.run(&["check", "--host", "out"]).transcript(), @r"
    exit code: 1
    --- stdout
    failed  safetensors    the only weights are pickles: `pytorch_model.bin`
                           hint: hosts do not load pickles: save the model with `save_pretrained(…, safe_serialization=True)`
    failed  weights type   there are no weights to check
                           hint: see `safetensors` above
    failed  shapes         there are no weights to check
                           hint: see `safetensors` above
    failed  model card     there is no README.md
                           hint: `weightsmith merge` writes one unless `--no-write-model-card` is given
    failed  tokenizer      out/tokenizer.json: not a tokenizer: Model missing. at line 1 column 2
                           hint: copy the tokenizer files from a parent, or save them with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`
    failed  chat template  there is no tokenizer to test it with
                           hint: copy `chat_template.jinja` from the parent whose behavior the merge should have
    failed  end of text    there is no end token, so answers continue until the context is full
                           hint: set `eos_token_id` in generation_config.json and config.json
    failed  GGUF           a BPE that is neither byte-level nor has byte fallback
                           hint: llama.cpp does not support such vocabularies: use a parent's tokenizer

    out is not ready for hosts, 8 failures
    --- stderr
    ");
}

#[test]
fn a_model_of_the_hub_is_checked_from_headers() {
    let online = Online::new();
    let run = online.run(&["check", "--host", "--json", "org/instruct@main"]);
    run.expect_code(1);
    assert_eq!(online.cached_weights(), 0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(report["label"], "org/instruct");
    assert_eq!(report["revision"].as_str().map(str::len), Some(40));
    assert_eq!(report["ready"], false);
    let outcomes: Vec<(&str, &str)> = report["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|check| {
            let text = |key: &str| check[key].as_str().expect("a text");
            (text("requirement"), text("outcome"))
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("safetensors", "passed"),
            ("weights_type", "passed"),
            ("shapes", "passed"),
            ("model_card", "failed"),
            ("tokenizer", "passed"),
            ("chat_template", "passed"),
            ("end_of_text", "passed"),
            ("gguf", "passed"),
        ]
    );
    assert_eq!(report["facts"]["concurrency_units"], 1);
    assert_eq!(
        report["facts"]["concurrency_source"],
        serde_json::json!({"host": "Featherless.ai", "page": "docs/concurrency", "read": "2026-11"})
    );
    assert_eq!(report["facts"]["memory"][2]["weights"], 5_134_080);
}

#[test]
fn a_repository_of_pickles_is_refused() {
    let online = Online::new();
    let files = [
        ("pytorch_model.bin", "pickle".into()),
        ("config.json", "{}".into()),
    ];
    online
        .hub
        .add_model("org/old", files.into_iter().collect())
        .expect("added");
    let run = online.run(&["check", "--host", "org/old"]);
    run.expect_code(1);
    let reason = "the only weights are pickles: `pytorch_model.bin`";
    assert!(run.stdout.contains(reason), "{}", run.transcript());
}

#[test]
fn warnings_count_with_strict_and_a_missing_model_is_an_error() {
    let world = World::new();
    let model = world.path("model");
    fs_err::create_dir(&model).expect("made");
    for entry in fs_err::read_dir(format!("{FIXTURES}/instruct")).expect("a fixture") {
        let entry = entry.expect("readable");
        fs_err::copy(entry.path(), model.join(entry.file_name())).expect("copied");
    }
    let card = "---\nlicense: mit\nbase_model: base\nlibrary_name: transformers\n\
        pipeline_tag: text-generation\ntags: [merge]\n---\n";
    fs_err::write(model.join("README.md"), card).expect("written");
    world.run(&["check", "--host", "model"]).expect_code(0);
    world
        .run(&["check", "--host", "--strict", "model"])
        .expect_code(1);
    world
        .run(&["check", "--host", "nothing"])
        .expect_code(1)
        .expect_error("no model at `nothing`");
}
