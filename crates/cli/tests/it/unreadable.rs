//! What cannot be read is told in words, to people and to programs; a reader that leaves is no error.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::world::World;

#[test]
fn check_tells_of_an_unreadable_recipe_as_of_other_problems() {
    let world = World::new();
    fs_err::create_dir(world.path("folder")).expect("created");
    fs_err::write(world.path("latin.yml"), b"a: 1\nb: \xe4\n").expect("written");
    fs_err::write(world.path("wide.yml"), b"\xff\xfea\0").expect("written");
    world.write("long.yml", &"a: 1\n".repeat(300_000));
    for (recipe, message) in [
        ("nope.yml", "there is no recipe at `nope.yml`"),
        ("folder", "`folder` is a folder, expected a recipe"),
        (
            "latin.yml",
            "the recipe `latin.yml` is not valid UTF-8 (line 2)",
        ),
        (
            "wide.yml",
            "the recipe `wide.yml` is encoded in UTF-16, expected UTF-8",
        ),
        (
            "long.yml",
            "the recipe `long.yml` is larger than 1048576 bytes",
        ),
    ] {
        let run = world.run(&["check", "--json", recipe]);
        assert_eq!(run.code, Some(2), "{recipe}");
        let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(told[0]["message"], message);
        assert_eq!(told[0]["severity"], "error");
        assert_eq!(told[0]["file"], recipe);
        assert_eq!(
            (&told[0]["line"], &told[0]["column"]),
            (&Value::Null, &Value::Null)
        );
        assert!(!told[0]["hints"].as_array().expect("hints").is_empty());
        assert_eq!(run.stderr, "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_endless_recipe_is_read_to_its_bound() {
    let run = World::new().run(&["check", "/dev/zero"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("is larger than 1048576 bytes"),
        "{}",
        run.stderr
    );
}

#[test]
fn commands_with_json_tell_of_a_failure_on_stdout_too() {
    let world = World::new();
    world.write("bad.yml", "merge_method: slurp\n");
    for arguments in [
        &["explain", "--json", "nope.yml"][..],
        &["explain", "--json", "bad.yml"],
        &["inspect", "--json", "nope"],
        &["diff", "--json", "nope", "nope"],
        &["verify", "--json", "nope"],
        &["check", "--host", "--json", "nope"],
        &["eval", "--json", "nope", "--data", "bad.yml"],
        &["methods", "--json", "nope"],
    ] {
        let run = world.run(arguments);
        assert!(matches!(run.code, Some(1 | 2)), "{arguments:?}");
        let told: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", run.stdout));
        assert!(told["error"]["message"].is_string(), "{told}");
        assert_ne!(run.stderr, "");
    }
    let run = world.run(&["explain", "--json", "bad.yml"]);
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(told["error"]["message"], "2 errors in bad.yml");
    assert_eq!(
        told["error"]["diagnostics"][1]["message"],
        "unknown merge method `slurp`"
    );
}

#[test]
fn verify_and_push_say_what_they_take() {
    let world = World::new();
    for command in [&["verify"][..], &["push", "--dry-run"]] {
        for (out, message) in [
            ("nope", "there is no folder `nope`".to_owned()),
            (
                "./nope/model",
                "there is no folder `./nope/model`".to_owned(),
            ),
            (
                "s3://bucket/model",
                format!(
                    "`s3://bucket/model` is in an object store, and `{}` needs a local folder",
                    command[0]
                ),
            ),
        ] {
            let run = world.run(&[command, &[out]].concat());
            assert_eq!(run.code, Some(2), "{}", run.stderr);
            let expected = format!("error: {message}\nhint: ");
            assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
        }
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let world = World::new();
    world.model("a", 1.0);
    world.model("b", 2.0);
    world.write(
        "recipe.yml",
        "merge_method: passthrough\nmodels: [{model: a}]\n",
    );
    for arguments in [
        &["diff", "a", "b"][..],
        &["diff", "--json", "a", "b"],
        &["inspect", "a"],
        &["inspect", "--json", "a"],
        &["check", "recipe.yml"],
        &["check", "--json", "recipe.yml"],
        &["explain", "recipe.yml"],
        &["explain", "--json", "recipe.yml"],
        &["methods"],
        &["methods", "--json", "slerp"],
        &["methods", "--json", "nope"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut command = world.command(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected = if arguments.contains(&"nope") { 2 } else { 0 };
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{arguments:?}: {stderr}"
        );
        assert!(
            expected == 2 || !stderr.contains("error"),
            "{arguments:?}: {stderr}"
        );
    }
    assert_eq!(json!(world.run(&["diff", "a", "a"]).code), 0);
}

#[test]
fn many_problems_are_counted_and_few_told() {
    let world = World::new();
    let keys = (0..1000)
        .map(|number| format!("key{number}: 1\n"))
        .collect::<Vec<_>>()
        .concat();
    world.write(
        "recipe.yml",
        &format!("merge_method: slurp\nmodels: []\n{keys}"),
    );
    let run = world.run(&["check", "recipe.yml"]);
    assert!(
        run.stderr.contains("\n… and 700 more warnings\n"),
        "{}",
        &run.stderr[run.stderr.len() - 500..]
    );
    assert!(
        run.stderr
            .ends_with("2 errors, 1,000 warnings in recipe.yml\n")
    );
    let run = world.run(&["check", "--json", "recipe.yml"]);
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let told = told.as_array().expect("a list");
    assert_eq!(told.len(), 303);
    assert_eq!(told[302]["message"], "… and 700 more warnings");
}
