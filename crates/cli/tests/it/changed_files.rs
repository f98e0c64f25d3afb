//! Weight files that become shorter while they are read: no signal ends the process, and the message names the file.
#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::interrupt::sparse_model;
use crate::serve::Serving;
use crate::world::{FIXTURES, World};

fn signal(name: &str, id: u32) {
    let status = Command::new("kill").args([name, &id.to_string()]).status();
    assert!(status.expect("kill").success());
}

fn cut(file: &Path, size: u64) {
    let file = fs_err::OpenOptions::new().write(true).open(file);
    file.expect("open").set_len(size).expect("cut");
}

/// A copy of a fixture.
fn copied(world: &World, name: &str) {
    fs_err::create_dir_all(world.path(name)).expect("created");
    for file in fs_err::read_dir(format!("{FIXTURES}/{name}")).expect("readable") {
        let file = file.expect("readable");
        let to = world.path(name).join(file.file_name());
        fs_err::copy(file.path(), to).expect("copied");
    }
}

#[test]
fn a_merge_whose_input_is_cut_ends_with_its_name() {
    let world = World::new();
    let elements = 1 << 26;
    sparse_model(&world, "a", elements);
    sparse_model(&world, "b", elements);
    world.write("recipe.yml", "models:\n  - model: a\n    parameters: {weight: 0.5}\n  - model: b\n    parameters: {weight: 0.5}\nmerge_method: linear\n");
    let mut child = world
        .command(&["merge", "--threads", "1", "recipe.yml", "out"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // its working folder is there before the first block is read, and it stands still while the file is cut
    let deadline = Instant::now() + Duration::from_mins(1);
    let is_working = || world.names().iter().any(|name| name.starts_with('.'));
    while !is_working() && child.try_wait().expect("a child").is_none() {
        assert!(Instant::now() < deadline, "it never begins");
        std::thread::sleep(Duration::from_millis(1));
    }
    signal("-STOP", child.id());
    cut(&world.path("b/model.safetensors"), 8192);
    signal("-CONT", child.id());
    let run = world.outcome(&child.wait_with_output().expect("a child"));
    run.expect_code(1)
        .expect_error("b/model.safetensors: shrank while it was read: ")
        .expect_error("bytes when opened, now 8192");
    assert_eq!(
        world.names().into_iter().collect::<Vec<_>>(),
        ["a", "b", "recipe.yml"]
    );
}

#[test]
fn a_server_whose_model_is_cut_refuses_for_it_and_goes_on_with_others() {
    let world = World::new();
    copied(&world, "base");
    copied(&world, "instruct");
    let serving = Serving::start(&world, &["base", "instruct"]);
    let ask = |model: &str, prompt: &str| {
        serving.ask(&format!(
            r#"{{"model": "{model}", "prompt": "{prompt}", "max_tokens": 2}}"#
        ))
    };
    for model in ["base", "instruct"] {
        let answer = ask(model, "Anna");
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    cut(&world.path("base/model.safetensors"), 0);
    let answer = ask("base", "Once upon a time");
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    let message = "model.safetensors: shrank while it was read: ";
    assert!(answer.contains(message), "{answer}");
    let answer = ask("base", "Once upon a time");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains("model.safetensors: an empty file"),
        "{answer}"
    );
    let answer = ask("instruct", "Once upon a time");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    serving.terminate();
    assert_eq!(serving.ended().0.code(), Some(0));
}
