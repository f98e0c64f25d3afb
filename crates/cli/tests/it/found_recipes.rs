//! Recipes as they are found on the web, and what they name.

use serde_json::Value;

use crate::world::{Run, World};

fn check(world: &World, recipe: &str) -> Run {
    world.write("recipe.yml", recipe);
    world.run(&["check", "recipe.yml"])
}

const TASK: &str = "merge_method: task_arithmetic\nbase_model: base\nmodels:\n  - model: tuned\n    parameters: {weight: 0.5}\n";

fn world() -> World {
    let world = World::new();
    world.model("base", 1.0);
    world.model("tuned", 2.0);
    world
}

#[test]
fn a_tokenizer_setting_that_changes_nothing_is_taken() {
    let world = world();
    let settings = [
        "tokenizer: {}\n",
        "tokenizer_source: union\n",
        "tokenizer_source: base\n",
        "tokenizer: {source: tuned, tokens: {}}\n",
    ];
    for model in ["base", "tuned"] {
        world.write(&format!("{model}/tokenizer.json"), "{\"a\": 1}");
    }
    for setting in settings {
        let run = check(&world, &format!("{TASK}{setting}"));
        assert_eq!(run.code, Some(0), "{setting}{}", run.stderr);
        assert!(run.stderr.contains("has no effect"), "{}", run.stderr);
        assert!(run.stdout.contains("no problems"), "{}", run.stdout);
    }
    let tokens = "tokenizer: {tokens: {a: {source: base}}}\n";
    assert_eq!(check(&world, &format!("{TASK}{tokens}")).code, Some(2));
    world.write("tuned/tokenizer.json", "{\"a\": 2}");
    for setting in settings {
        let run = check(&world, &format!("{TASK}{setting}"));
        assert_eq!(run.code, Some(2), "{setting}");
        assert!(run.stderr.contains("not supported yet"), "{}", run.stderr);
    }
}

#[test]
fn a_chat_template_that_is_the_base_s_is_taken() {
    let world = world();
    let recipe = format!("{TASK}chat_template: \"{{{{ x }}}}\"\n");
    assert_eq!(check(&world, &recipe).code, Some(2));
    world.write("base/chat_template.jinja", "{{ x }}");
    assert_eq!(check(&world, &recipe).code, Some(0));
    let auto = format!("{TASK}chat_template: auto\n");
    assert_eq!(check(&world, &auto).code, Some(2));
    world.write(
        "tuned/tokenizer_config.json",
        "{\"chat_template\": \"{{ x }}\"}",
    );
    assert_eq!(check(&world, &auto).code, Some(0));
}

#[test]
fn a_refused_setting_hides_no_mistake() {
    let world = world();
    let recipe = "merge_method: slerp\nbase_model: base\nslices:\n  - sources:\n      - {model: base, layer_range: [0, 60]}\n      - {model: tuned, layer_range: [0, 60]}\nparameters: {t: 0.5}\ntokenizer_source: base\n";
    let run = check(&world, recipe);
    assert!(
        run.stderr
            .contains("`tokenizer_source:` are not supported yet"),
        "{}",
        run.stderr
    );
    assert_eq!(
        run.stderr.matches("layers 0 to 59 are requested").count(),
        2,
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("3 errors"), "{}", run.stderr);
}

#[test]
fn ranges_of_different_lengths_are_told_once() {
    let world = world();
    let recipe = "merge_method: slerp\nbase_model: base\nslices:\n  - sources:\n      - {model: base, layer_range: [0, 2]}\n      - {model: tuned, layer_range: [0, 1]}\nparameters: {t: 0.5}\n";
    let run = check(&world, recipe);
    assert!(run.stderr.contains("1 error in"), "{}", run.stderr);
}

#[test]
fn an_unknown_method_is_told_with_what_else_is_wrong() {
    let world = world();
    let run = check(&world, "merge_method: slurp\n");
    assert!(
        run.stderr.contains("did you mean `slerp`?"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("2 errors"), "{}", run.stderr);
}

#[test]
fn no_hint_leads_to_the_next_warning() {
    let world = world();
    let recipe = TASK
        .replace("task_arithmetic", "model_stock")
        .replace("parameters: {weight: 0.5}", "");
    let run = check(
        &world,
        &format!("{recipe}  - model: base\nnormalize: false\nint8_mask: true\n"),
    );
    assert!(
        run.stderr
            .contains("it is not a parameter of `model_stock`"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("help: remove it"), "{}", run.stderr);
    assert!(
        run.stderr.contains("note: `int8_mask` has no effect"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_adapter_is_told_from_a_model() {
    let world = world();
    fs_err::create_dir(world.path("adapter")).expect("created");
    world.write(
        "adapter/adapter_config.json",
        "{\"base_model_name_or_path\": \"org/base\"}",
    );
    world.write("adapter/adapter_model.safetensors", "");
    let run = check(&world, &TASK.replace("tuned", "adapter"));
    assert!(
        run.stderr
            .contains("`adapter` is a LoRA adapter, not a model"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("merge it into `org/base` first"),
        "{}",
        run.stderr
    );
}

fn lock(world: &World, folder: &str) -> Value {
    let path = world.path(&format!("{folder}/weightsmith.lock.json"));
    serde_json::from_slice(&fs_err::read(path).expect("a lock")).expect("JSON")
}

#[test]
fn folders_of_one_name_are_told_apart_everywhere() {
    let world = World::new();
    world.model("a/ckpt", 1.0);
    world.model("b/ckpt", 2.0);
    world.write(
        "recipe.yml",
        "merge_method: linear\nmodels:\n  - {model: a/ckpt, parameters: {weight: 1}}\n  - {model: b/ckpt, parameters: {weight: 1}}\n",
    );
    let run = world.run(&["merge", "recipe.yml", "out"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let inputs = &lock(&world, "out")["inputs"];
    assert_eq!(inputs[0]["label"], "ckpt (a)");
    assert_eq!(inputs[1]["label"], "ckpt (b)");
    let card = fs_err::read_to_string(world.path("out/README.md")).expect("a card");
    assert!(
        card.contains("A merge of `ckpt (a)` and `ckpt (b)`"),
        "{card}"
    );
    let explained = world.run(&["explain", "recipe.yml"]);
    assert!(
        explained.stdout.contains("ckpt (b)"),
        "{}",
        explained.stdout
    );
}

#[test]
fn a_path_into_the_hub_s_cache_is_the_model_that_it_says() {
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    let world = World::new();
    let snapshot = format!("cache/models--org--tiny/snapshots/{COMMIT}");
    world.model(&snapshot, 1.0);
    world.model("base", 2.0);
    world.write(
        "recipe.yml",
        &format!("merge_method: linear\nmodels:\n  - {{model: base, parameters: {{weight: 1}}}}\n  - {{model: {snapshot}, parameters: {{weight: 1}}}}\n"),
    );
    let run = world.run(&["merge", "recipe.yml", "out"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let input = &lock(&world, "out")["inputs"][1];
    assert_eq!(
        (&input["label"], &input["revision"]),
        (&"org/tiny".into(), &COMMIT.into())
    );
    let card = fs_err::read_to_string(world.path("out/README.md")).expect("a card");
    assert!(
        card.contains("- org/tiny\n") && card.contains("https://huggingface.co/org/tiny"),
        "{card}"
    );
}

#[test]
fn a_web_address_is_the_model_s_name() {
    let world = World::new();
    let recipe = TASK.replace("tuned", "https://huggingface.co/org/tuned/tree/v2");
    world.write("recipe.yml", &recipe);
    let mut command = world.command(&["check", "recipe.yml"]);
    let run = world.outcome(
        &command
            .env("HF_HUB_OFFLINE", "1")
            .output()
            .expect("it starts"),
    );
    assert!(
        run.stderr.contains("`weightsmith pull org/tuned@v2`"),
        "{}",
        run.stderr
    );
}

#[test]
fn one_model_is_one_model() {
    let world = world();
    let run = check(
        &world,
        "merge_method: passthrough\nmodels:\n  - model: base\n",
    );
    assert!(
        run.stdout.contains("passthrough of 1 model,"),
        "{}",
        run.stdout
    );
}
