//! Ctrl-C, and going on afterwards.
#![cfg(unix)]

use std::io::{Seek as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::World;

/// A model with one tensor of zeros, which takes no room on the disk.
pub(crate) fn sparse_model(world: &World, name: &str, elements: u64) {
    fs_err::create_dir_all(world.path(name)).expect("created");
    let header = format!(
        r#"{{"w.weight":{{"dtype":"F32","shape":[{elements}],"data_offsets":[0,{}]}}}}"#,
        elements * 4
    );
    let padded = format!("{header:<width$}", width = header.len().next_multiple_of(8));
    let mut file =
        fs_err::File::create(world.path(name).join("model.safetensors")).expect("created");
    file.write_all(&(padded.len() as u64).to_le_bytes())
        .expect("written");
    file.write_all(padded.as_bytes()).expect("written");
    let start = file.stream_position().expect("position");
    file.set_len(start + elements * 4).expect("room");
}

/// Starts the merge and sends a signal when its working folder holds a journal; true if that was before its end.
fn interrupt(mut child: Child, world: &World) -> Option<std::process::Output> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let is_working = || world.names().iter().any(|name| name.starts_with('.'));
    while !is_working() && Instant::now() < deadline {
        if child.try_wait().expect("a child").is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // long enough for a first block, short enough for many to be left
    std::thread::sleep(Duration::from_millis(60));
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    let output = child.wait_with_output().expect("a child");
    (signal.is_ok_and(|status| status.success()) && output.status.code() != Some(0))
        .then_some(output)
}

#[test]
fn an_interrupted_merge_leaves_nothing_at_its_path_and_is_gone_on_with() {
    // a faster machine needs more work to be caught at it
    for elements in [1_u64 << 24, 1 << 26] {
        let world = World::new();
        sparse_model(&world, "a", elements);
        sparse_model(&world, "b", elements);
        world.write("recipe.yml", "models:\n  - model: a\n    parameters: {weight: 0.5}\n  - model: b\n    parameters: {weight: 0.5}\nmerge_method: linear\n");
        let mut command = world.command(&["merge", "--threads", "1", "recipe.yml", "out"]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let Some(output) = interrupt(child, &world) else {
            continue;
        };
        let run = world.outcome(&output);
        run.expect_code(130)
            .expect_error("run the same command again to resume");
        assert!(!world.path("out").exists());
        let again = world.run(&["merge", "recipe.yml", "out"]);
        again.expect_code(0);
        assert!(world.path("out/model.safetensors").exists());
        assert!(
            !world.names().iter().any(|name| name.starts_with('.')),
            "{:?}",
            world.names()
        );
        return;
    }
    eprintln!("skipped: the merge was over before it could be interrupted");
}
