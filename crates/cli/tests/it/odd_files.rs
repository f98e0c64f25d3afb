//! Pipes, sockets, folders and devices where a model's files should be: no command waits for them.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::serve::Serving;
use crate::world::{FIXTURES, World};

/// Files of a model that commands read.
const PLACES: [&str; 10] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "README.md",
    "weightsmith.lock.json",
];

/// Each with a model called `odd`.
const COMMANDS: [&[&str]; 9] = [
    &["inspect", "odd"],
    &["diff", "odd", "base"],
    &["check", "recipe.yml"],
    &["merge", "recipe.yml", "out", "--force", "-q"],
    &["check", "--host", "odd"],
    &["verify", "odd"],
    &["push", "--dry-run", "odd", "--to", "me/odd"],
    &[
        "generate",
        "odd",
        "--prompt",
        "Anna",
        "--max-tokens",
        "1",
        "-q",
    ],
    &["eval", "odd", "--data", "text.txt", "-q"],
];

/// A world with two models, one of which has something odd in the place of a file.
fn world_with(place: &str, put: impl FnOnce(&Path)) -> World {
    let world = World::new();
    for name in ["base", "odd"] {
        fs_err::create_dir_all(world.path(name)).expect("created");
        for file in fs_err::read_dir(format!("{FIXTURES}/{name}").replace("/odd", "/instruct"))
            .expect("readable")
        {
            let file = file.expect("readable");
            let to = world.path(name).join(file.file_name());
            fs_err::copy(file.path(), to).expect("copied");
        }
    }
    let path = world.path("odd").join(place);
    let _ = fs_err::remove_file(&path);
    put(&path);
    world.write(
        "text.txt",
        "Anna went home. Once upon a time there was a dog.",
    );
    world.write(
        "recipe.yml",
        "models:\n  - model: odd\n  - model: base\nmerge_method: slerp\nbase_model: odd\nparameters: {t: 0.5}\n",
    );
    world
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo").success());
}

/// What is left of the time that a command may take, on a busy machine.
fn ended(mut child: Child, what: &str) -> std::process::Output {
    let deadline = Instant::now() + Duration::from_secs(40);
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{what} hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().expect("a child")
}

fn run_all(world: &World, place: &str, kind: &str) {
    let mut named = 0;
    let children: Vec<_> = COMMANDS
        .iter()
        .map(|arguments| {
            let mut command = world.command(arguments);
            let child = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            (arguments, child.expect("starts"))
        })
        .collect();
    for (arguments, child) in children {
        let what = format!("`{}` with {kind} as {place}", arguments.join(" "));
        let run = world.outcome(&ended(child, &what));
        let code = run
            .code
            .unwrap_or_else(|| panic!("{what}: {}", run.transcript()));
        assert!((0..=3).contains(&code), "{what}: {}", run.transcript());
        let problem = format!("odd/{place}: {kind}, not a regular file");
        named += usize::from(run.transcript().contains(&problem));
    }
    // companions that nothing needs are left out without a word
    if !matches!(
        place,
        "README.md" | "weightsmith.lock.json" | "special_tokens_map.json"
    ) {
        assert!(named > 0, "no command names {place} as {kind}");
    }
}

#[test]
fn no_command_waits_for_a_pipe() {
    for place in PLACES {
        run_all(&world_with(place, pipe), place, "a named pipe");
    }
}

#[test]
fn no_command_reads_a_device_without_end() {
    let zero = |path: &Path| std::os::unix::fs::symlink("/dev/zero", path).expect("linked");
    for place in [
        "config.json",
        "tokenizer.json",
        "model.safetensors.index.json",
    ] {
        run_all(&world_with(place, zero), place, "a device");
    }
}

#[test]
fn the_studio_lists_models_with_pipes_among_their_files() {
    for place in PLACES {
        let world = world_with(place, pipe);
        let folder = world.path("");
        let serving = Serving::start(&world, &["--folder", &folder.display().to_string()]);
        let begin = Instant::now();
        let models = serving.send("GET", "/api/models", "");
        assert!(models.contains(r#""name":"base""#), "{place}: {models}");
        for path in ["card", "files", "tensors", "host"] {
            serving.send("GET", &format!("/api/models/odd/{path}"), "");
        }
        assert!(begin.elapsed() < Duration::from_secs(40), "{place}");
        serving.terminate();
        assert_eq!(serving.ended().0.code(), Some(0), "{place}");
    }
}

#[test]
fn a_recipe_may_come_through_a_pipe_that_the_user_names() {
    let world = World::with_models();
    let path = world.path("pipe.yml");
    pipe(&path);
    let child = world
        .command(&["check", "pipe.yml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    fs_err::write(&path, crate::world::SLERP).expect("written");
    let run = world.outcome(&ended(child, "check"));
    run.expect_code(0);
    let run = world.run(&["check", "/dev/zero"]);
    run.expect_code(2)
        .expect_error("the recipe `/dev/zero` is larger than 1048576 bytes");
}
