//! A full disk.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use weightsmith_hub::testing::Content;

use crate::hub::Online;
use crate::world::{Run, SLERP, World};

/// Whether this user may mount a file system in a namespace of its own.
fn can_mount(folder: &std::path::Path) -> bool {
    let status = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(folder)
        .output();
    status.is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    fs_err::create_dir(world.path("small")).expect("created");
    if !can_mount(&world.path("small")) {
        eprintln!("skipped: no mounting in a namespace of one's own here");
        return;
    }
    // the file system is so full that not even the small model fits
    let script = "mount -t tmpfs -o size=16k tmpfs small && dd if=/dev/zero of=small/filler bs=4k count=3 2>/dev/null; \
                  \"$0\" merge recipe.yml small/out; code=$?; ls -A small; exit $code";
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_weightsmith")])
        .current_dir(world.path("."))
        .output()
        .expect("unshare was there a moment ago");
    let run = world.outcome(&output);
    run.expect_code(1).expect_error("error: ");
    assert_eq!(run.stdout, "filler\n", "{}", run.transcript());
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_the_merge_goes_on_later() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let merge = world.command(&["merge", "recipe.yml", "out"]);
    let output = in_shell("ulimit -f 0", &merge).output().expect("a shell");
    world
        .outcome(&output)
        .expect_code(1)
        .expect_error("File too large");
    assert!(!world.path("out").exists());
    world.run(&["merge", "recipe.yml", "out"]).expect_code(0);
}

/// A command with what it was given, in a shell that does something before.
fn in_shell(before: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("{before}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script]).arg(command.get_program());
    shell.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    shell
}

/// Pulls `org/base` where no file may be longer than so many blocks of 512 bytes: writing on fails as on a full disk.
fn pull_with_room_for(online: &Online, blocks: u64) -> Run {
    let pull = online.command(&["pull", "org/base"]);
    let before = format!("ulimit -f {blocks}");
    let output = in_shell(&before, &pull).output().expect("there is a shell");
    online.world.outcome(&output)
}

/// Files in the cache's blobs: bytes of each that is complete and of each that is not. None may have bytes that its name does not promise.
fn blobs(online: &Online) -> (u64, u64) {
    let folder = online.world.path("no-cache/hub/models--org--base/blobs");
    let (mut complete, mut begun) = (0, 0);
    for entry in fs_err::read_dir(folder).expect("the cache") {
        let path = entry.expect("readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = fs_err::read(&path).expect("readable");
        let length = bytes.len() as u64;
        let content = Content::from(bytes);
        match name.len() {
            40 => assert_eq!(content.git_oid().expect("hashed"), name),
            64 => assert_eq!(content.sha256().expect("hashed"), name),
            _ => assert!(name.ends_with(".incomplete"), "{name}"),
        }
        if name.ends_with(".incomplete") {
            begun += length;
        } else {
            complete += length;
        }
    }
    (complete, begun)
}

#[test]
fn a_disk_that_fills_up_during_a_download_leaves_a_beginning_that_is_continued() {
    const BLOCKS: u64 = 4096;
    let online = Online::new();
    let run = pull_with_room_for(&online, BLOCKS);
    run.expect_code(1)
        .expect_error(".incomplete")
        .expect_error("File too large")
        .expect_error("free some space and run the same command again");
    let (complete, begun) = blobs(&online);
    assert!(
        complete < 200_000,
        "only small files are complete: {complete}"
    );
    assert_eq!(begun, BLOCKS * 512, "the beginning stays");
    let snapshots = online
        .world
        .path("no-cache/hub/models--org--base/snapshots");
    for snapshot in fs_err::read_dir(snapshots).expect("the cache") {
        let weights = snapshot.expect("readable").path().join("model.safetensors");
        assert!(!weights.exists(), "half a model is none");
    }

    // still no room: nothing changes
    pull_with_room_for(&online, BLOCKS).expect_code(1);
    assert_eq!(blobs(&online), (complete, begun));

    online.hub.take_seen();
    online.done(&["pull", "org/base"]);
    assert_eq!(blobs(&online).1, 0);
    let first = format!("bytes={begun}-");
    let seen = online.hub.take_seen();
    let ranges = seen.iter().filter(|one| one.path.starts_with("/cdn/"));
    let ranges: Vec<&str> = ranges.filter_map(|one| one.range.as_deref()).collect();
    assert!(
        !ranges.is_empty() && ranges.iter().all(|range| range.starts_with(&first)),
        "what is there does not come again: {ranges:?}"
    );
    online.hub.stop();
    online.done(&["inspect", "org/base"]);
}

#[test]
fn free_space_is_looked_at_before_a_download() {
    let online = Online::new();
    let cache = online.world.path("no-cache");
    fs_err::create_dir(&cache).expect("created");
    if !can_mount(&cache) {
        eprintln!("skipped: no mounting in a namespace of one's own here");
        return;
    }
    let pull = online.command(&["pull", "org/base"]);
    let shell = in_shell("mount -t tmpfs -o size=1m tmpfs no-cache", &pull);
    let mut alone = Command::new("unshare");
    alone
        .arg("-rm")
        .arg(shell.get_program())
        .args(shell.get_args());
    for (name, value) in shell.get_envs() {
        match value {
            Some(value) => alone.env(name, value),
            None => alone.env_remove(name),
        };
    }
    alone.current_dir(online.world.path("."));
    online.hub.take_seen();
    let run = online.world.outcome(&alone.output().expect("it starts"));
    run.expect_code(1)
        .expect_error("needs 5141928 bytes")
        .expect_error("`HF_HUB_CACHE`");
    let seen = online.hub.take_seen();
    assert!(
        seen.iter()
            .all(|one| !one.path.starts_with("/cdn/") || one.method == "HEAD")
    );
}
