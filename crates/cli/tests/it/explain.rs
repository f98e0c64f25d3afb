//! `explain`.

use crate::world::{SLERP, World};

#[test]
fn curves_and_words_are_shown() {
    let world = World::with_models();
    world.write("recipe.yml", &SLERP.replace("t: 0.5", "t: [0, 1]"));
    let run = world.run(&["explain", "recipe.yml"]);
    run.expect_code(0);
    assert!(
        run.stdout.contains("Share of each model") && run.stdout.contains("Summary"),
        "{}",
        run.transcript()
    );
    assert!(run.stdout.contains('█'));
}

#[test]
fn a_plain_locale_gets_plain_characters() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let mut command = world.command(&["explain", "recipe.yml"]);
    command.env("LC_ALL", "C");
    let run = world.outcome(&command.output().expect("starts"));
    run.expect_code(0);
    assert!(run.stdout.is_ascii(), "{}", run.transcript());
}

#[test]
fn json_holds_the_numbers() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let run = world.run(&["explain", "--json", "recipe.yml"]);
    run.expect_code(0);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(value["method"], "slerp");
    assert_eq!(value["layers"], 2);
}

#[test]
fn mistakes_are_shown_as_check_does() {
    let world = World::with_models();
    world.write("recipe.yml", &SLERP.replace("slerp", "slurp"));
    world
        .run(&["explain", "recipe.yml"])
        .expect_code(2)
        .expect_error("did you mean `slerp`?");
}
