//! What leaves this machine with a model, and what does not; results in mount points.

use std::process::Command;

use crate::hub::Online;
use crate::world::{CONFIG, Run, SLERP, World};

/// Letters and digits that could be a key.
fn key() -> String {
    format!("hf_{}", "a1B2c3D4e5F6g7H8i9J0".repeat(2))
}

/// A hub, and the folder `out` with a merge to be published there.
fn merged() -> Online {
    let online = Online::new();
    for (name, seed) in [("a", 1.0), ("b", 2.0)] {
        online.world.model(name, seed);
    }
    online.world.write("recipe.yml", SLERP);
    online.done(&["merge", "recipe.yml", "out"]);
    online
}

fn push(online: &Online, arguments: &[&str]) -> Run {
    let arguments = [&["push", "out", "me/merged"], arguments].concat();
    online.finish(online.command(&arguments).env("HF_TOKEN", "secret"))
}

#[test]
fn what_the_lock_does_not_list_is_named_and_stays_unless_it_is_asked_for() {
    let online = merged();
    fs_err::create_dir(online.world.path("out/wandb")).expect("made");
    for name in ["id_rsa", "notes.md", "wandb/run.json"] {
        online.world.write(&format!("out/{name}"), "mine");
    }
    let run = push(&online, &["--dry-run"]);
    run.expect_code(0)
        .expect_error("not part of the model, skipped: `id_rsa`, `notes.md`, `wandb/`");
    assert!(!run.stdout.contains("notes.md"), "{}", run.stdout);
    push(&online, &["--include", "*.md"]).expect_code(0);
    let files = online.hub.files("me/merged", "main").expect("published");
    assert!(files.contains_key("notes.md") && files.contains_key("model.safetensors"));
    assert!(!files.contains_key("id_rsa") && !files.contains_key("wandb/run.json"));
    push(&online, &["--include", "*.pdf"])
        .expect_code(1)
        .expect_error("no file in the folder matches `*.pdf`");
}

#[test]
fn what_looks_like_a_key_stops_it_before_anything_is_sent() {
    let online = merged();
    let card = online.world.path("out/README.md");
    let text = fs_err::read_to_string(&card).expect("a card");
    fs_err::write(&card, format!("{text}\ntoken: {}\n", key())).expect("written");
    let line = text.lines().count() + 2;
    online.hub.take_seen();
    for dry in [&["--dry-run"][..], &[]] {
        let run = push(&online, dry);
        run.expect_code(1)
            .expect_error(&format!(
                "`README.md`, line {line}: what looks like a Hugging Face token; nothing was sent"
            ))
            .expect_error("--allow-secret README.md");
        assert!(!run.stderr.contains(&key()), "{}", run.stderr);
    }
    assert!(online.hub.take_seen().is_empty());
    push(&online, &["--allow-secret", "README.md"]).expect_code(0);
}

#[test]
fn a_merge_that_is_published_in_one_go_is_held_to_the_same() {
    let online = merged();
    online
        .world
        .write("a/vocab.json", &format!("{{\"{}\": 1}}", key()));
    let mut merge = online.command(&["merge", "recipe.yml", "hf://me/merged"]);
    merge.env("XDG_CACHE_HOME", online.world.path("cache"));
    let run = online.finish(merge.env("HF_TOKEN", "secret"));
    run.expect_code(1).expect_error("`vocab.json`, line 1");
    assert!(online.hub.files("me/merged", "main").is_none());
}

#[cfg(unix)]
#[test]
fn a_donors_link_to_somebodys_file_does_not_become_a_part_of_the_result() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    world.write("token", "secret");
    std::os::unix::fs::symlink(world.path("token"), world.path("a/vocab.txt")).expect("linked");
    world
        .run(&["merge", "recipe.yml", "out"])
        .expect_code(1)
        .expect_error("outside the model's folder")
        .expect_error("`--no-copy-tokenizer`");
    assert!(!world.path("out").exists());
    world
        .run(&["merge", "--no-copy-tokenizer", "recipe.yml", "out"])
        .expect_code(0);
    // weights are read wherever they lie
    fs_err::remove_file(world.path("a/vocab.txt")).expect("removed");
    fs_err::rename(
        world.path("a/model.safetensors"),
        world.path("w.safetensors"),
    )
    .expect("moved");
    std::os::unix::fs::symlink("../w.safetensors", world.path("a/model.safetensors"))
        .expect("linked");
    world.run(&["merge", "recipe.yml", "linked"]).expect_code(0);
}

#[test]
fn settings_with_local_paths_do_not_reach_the_result() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let config = CONFIG.replacen('{', "{\n  \"_name_or_path\": \"/home/me/a\",", 1);
    world.write("a/config.json", &config);
    let tokenizer = r#"{"tokenizer_file": "/root/.cache/t.json", "model_max_length": 32}"#;
    world.write("a/tokenizer_config.json", tokenizer);
    let run = world.run(&["merge", "recipe.yml", "out"]);
    run.expect_code(0)
        .expect_error("`config.json`: `_name_or_path` contains a local path")
        .expect_error("`tokenizer_config.json`: `tokenizer_file` contains a local path");
    let read = |name: &str| fs_err::read_to_string(world.path(name)).expect("written");
    assert_eq!(
        read("out/tokenizer_config.json"),
        r#"{"model_max_length": 32}"#
    );
    assert!(!read("out/config.json").contains("/home/me"));
    world.run(&["verify", "out"]).expect_code(0);
}

#[test]
fn a_budget_that_is_too_small_is_told_from_the_plan_with_one_that_is_enough() {
    let world = World::with_models();
    for (method, parameters) in [
        ("ties", "  density: 0.5\n  weight: 1\n"),
        ("slerp", "  t: 0.5\n"),
    ] {
        let recipe = SLERP.replace("slerp", method);
        world.write("recipe.yml", &recipe.replace("  t: 0.5\n", parameters));
        for dry in [&["--dry-run"][..], &[]] {
            let merge = [&["merge", "recipe.yml", "out", "--max-memory", "1MiB"], dry].concat();
            let run = world.run(&merge);
            run.expect_code(1)
                .expect_error("the memory budget of 1048576 bytes is too small");
            let hint = run.stderr.split("--max-memory ").nth(1).expect("a number");
            let enough = hint.split('`').next().expect("a number");
            let merge = [
                &[
                    "merge",
                    "recipe.yml",
                    method,
                    "--force",
                    "--max-memory",
                    enough,
                ],
                dry,
            ]
            .concat();
            world.run(&merge).expect_code(0);
        }
    }
}

#[test]
fn the_same_merge_again_says_that_its_result_is_there() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    world.run(&["merge", "recipe.yml", "out"]).expect_code(0);
    world
        .run(&["merge", "recipe.yml", "out"])
        .expect_code(0)
        .expect_error("out already contains this merge");
    world.write("recipe.yml", &SLERP.replace("0.5", "0.6"));
    world
        .run(&["merge", "recipe.yml", "out"])
        .expect_code(1)
        .expect_error("exists and is not empty");
}

/// Runs a shell script in a namespace of its own for mounts, `$0` being the command; nothing where that is not permitted, which skips the test.
#[cfg(target_os = "linux")]
fn with_mounts(world: &World, script: &str) -> Option<Run> {
    let probe = Command::new("unshare").args(["-rm", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let output = Command::new("unshare")
        .args([
            "-rm",
            "sh",
            "-ec",
            script,
            env!("CARGO_BIN_EXE_weightsmith"),
        ])
        .current_dir(world.path("."))
        .output()
        .expect("unshare was there a moment ago");
    Some(world.outcome(&output))
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_bound_from_the_same_disk_is_an_output() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let script = "mkdir disk out; mount --bind disk out; \"$0\" merge -q recipe.yml out; ls -A . out; \"$0\" verify out";
    let Some(run) = with_mounts(&world, script) else {
        return;
    };
    run.expect_code(0);
    assert!(
        run.stdout.contains("model.safetensors") && !run.stdout.contains("partial"),
        "{}",
        run.stdout
    );
}

#[cfg(target_os = "linux")]
#[test]
fn files_that_were_on_the_move_into_a_mount_point_are_no_model_until_a_rerun_completes_them() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    world.run(&["merge", "recipe.yml", "whole"]).expect_code(0);
    // as a process leaves it that is killed in the middle
    let script = "mkdir out; mount -t tmpfs tmpfs out; work=out/.weightsmith-partial; mkdir -p $work/replaced $work/model; \
                  cp -p whole/* $work/model; mv $work/model/README.md $work/model/model.safetensors out; touch $work/moving; \
                  for command in inspect verify 'push --dry-run'; do ! \"$0\" $command out || exit 9; done; \
                  \"$0\" merge recipe.yml out; ls -A out; \"$0\" verify out";
    let Some(run) = with_mounts(&world, script) else {
        return;
    };
    run.expect_code(0)
        .expect_error("out already contains this merge");
    assert_eq!(
        run.stderr
            .matches("incomplete: a merge is moving its files here")
            .count(),
        3,
        "{}",
        run.stderr
    );
    assert!(!run.stdout.contains("partial"), "{}", run.stdout);
}
