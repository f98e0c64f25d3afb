//! `verify`.

use crate::world::{SLERP, World};

fn merged() -> World {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    world.run(&["merge", "recipe.yml", "out"]).expect_code(0);
    world
}

#[test]
fn a_merged_model_is_intact() {
    let world = merged();
    let run = world.run(&["verify", "out"]);
    run.expect_code(0);
    assert!(
        run.stdout.contains("out is intact: "),
        "{}",
        run.transcript()
    );
    let run = world.run(&["verify", "--json", "out"]);
    run.expect_code(0);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(value["intact"], true);
}

#[test]
fn one_changed_byte_is_found() {
    let world = merged();
    let path = world.path("out/model.safetensors");
    let mut bytes = fs_err::read(&path).expect("readable");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs_err::write(&path, bytes).expect("written");
    let run = world.run(&["verify", "out"]);
    run.expect_code(1);
    assert!(
        run.stdout.contains("damaged: `model.safetensors`"),
        "{}",
        run.transcript()
    );
}

#[test]
fn a_folder_without_a_lock_cannot_be_verified() {
    let world = World::with_models();
    world
        .run(&["verify", "a"])
        .expect_code(1)
        .expect_error("weightsmith.lock.json")
        .expect_error("hint: ");
}
