//! A full disk.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::world::{SLERP, World};

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
