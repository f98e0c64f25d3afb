//! Model files as tools write them: numbers of Python that JSON does not know, byte order marks, keys that stand twice.

use std::path::Path;

use crate::world::{FIXTURES, World};

/// Puts text behind the opening brace of a JSON file, and a byte order mark before it.
fn loosen(path: &Path, fields: &str) {
    let text = fs_err::read_to_string(path).expect("readable");
    let rest = text.trim_start().strip_prefix('{').expect("an object");
    fs_err::write(path, format!("\u{feff}{{{fields}{rest}")).expect("written");
}

/// A copy of a trained model, its files written so.
fn loose(world: &World, name: &str) {
    fs_err::create_dir(world.path(name)).expect("created");
    for entry in fs_err::read_dir(Path::new(FIXTURES).join(name)).expect("readable") {
        let path = entry.expect("readable").path();
        let file = path.file_name().expect("a name");
        fs_err::copy(&path, world.path(name).join(file)).expect("copied");
    }
    let file = |file: &str| world.path(name).join(file);
    loosen(
        &file("config.json"),
        "\n  \"initializer_range\": NaN,\n  \"time_step_limit\": [0.0, Infinity],\n  \"model_type\": \"other\",",
    );
    for other in ["tokenizer_config.json", "generation_config.json"] {
        if file(other).is_file() {
            loosen(
                &file(other),
                "\"seen\": -Infinity, \"model_max_length\": NaN,",
            );
        }
    }
    loosen(&file("tokenizer.json"), "\"truncation\": NaN,");
}

#[test]
fn every_command_reads_what_python_writes() {
    let world = World::new();
    loose(&world, "base");
    loose(&world, "instruct");
    world.write(
        "recipe.yml",
        "models:\n  - model: ./base\n  - model: ./instruct\nmerge_method: slerp\nbase_model: ./instruct\nparameters: {t: 0.1}\n",
    );
    // models differ, and a fixture has no card
    for line in ["diff base instruct", "check --host instruct"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let run = world.run(&arguments);
        assert_eq!(
            (run.code, run.stderr.as_str()),
            (Some(1), ""),
            "{line}\n{}",
            run.stdout
        );
    }
    // `eos_token_id` of generation_config.json
    let run = world.run(&["check", "--host", "instruct"]);
    assert!(run.stdout.contains("tokens 1058, 1056"), "{}", run.stdout);
    for line in [
        "inspect instruct",
        "inspect --json instruct",
        "check recipe.yml",
        "explain recipe.yml",
        "merge recipe.yml out -q --out-shard-size 2MB",
        "verify out",
        "inspect out",
        "generate instruct --prompt Anna --max-tokens 2",
        "generate recipe.yml --prompt Anna --max-tokens 2",
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let run = world.run(&arguments);
        assert_eq!(run.code, Some(0), "{line}\n{}\n{}", run.stdout, run.stderr);
    }
    let config = fs_err::read_to_string(world.path("out/config.json")).expect("readable");
    assert!(
        config.starts_with(
            "{\n  \"initializer_range\": NaN,\n  \"time_step_limit\": [0.0, Infinity],"
        ),
        "{config}"
    );
    // the index of the shards, too
    loosen(
        &world.path("out/model.safetensors.index.json"),
        "\"seen\": NaN,",
    );
    for line in ["inspect out", "generate out --prompt Anna --max-tokens 2"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let run = world.run(&arguments);
        assert_eq!(run.code, Some(0), "{line}\n{}\n{}", run.stdout, run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_server_reads_what_python_writes() {
    let world = World::new();
    loose(&world, "instruct");
    let serving = crate::serve::Serving::start(&world, &["instruct"]);
    let answer = serving.ask(r#"{"model": "instruct", "prompt": "Anna", "max_tokens": 1}"#);
    serving.terminate();
    let (status, _) = serving.ended();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn what_is_not_utf_8_is_named_with_its_file() {
    for name in ["config.json", "tokenizer_config.json", "tokenizer.json"] {
        let world = World::new();
        loose(&world, "instruct");
        let path = world.path("instruct").join(name);
        let mut bytes = fs_err::read(&path).expect("readable");
        bytes.splice(..3, *b"\n{\"\xFF\": 1,");
        fs_err::write(&path, bytes).expect("written");
        let run = world.run(&["generate", "instruct", "--prompt", "Anna"]);
        assert_ne!(run.code, Some(0), "{name}");
        assert!(run.stderr.contains(name), "{}", run.stderr);
        assert!(
            run.stderr.contains("not UTF-8 at byte 3, in line 2"),
            "{}",
            run.stderr
        );
    }
}
