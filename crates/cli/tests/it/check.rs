//! `check`.

use crate::world::{SLERP, World};

#[test]
fn a_good_recipe_is_summed_up_in_a_line() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    insta::assert_snapshot!(world.run(&["check", "recipe.yml"]).transcript(), @r"
    exit code: 0
    --- stdout
    recipe.yml: no problems, slerp of 2 models, 4 tensors, 56 parameters, 600 B
    --- stderr
    ");
}

const FIVE_MISTAKES: &str = "\
models:
  - model: a
    parameters:
      wieght: 0.5
  - model: missing
merge_method: slrep
base_modle: a
dtype: bfloat
parameters:
  t: [0, 0.5, 0]
";

#[test]
fn all_mistakes_are_shown_at_once() {
    let world = World::with_models();
    world.write("recipe.yml", FIVE_MISTAKES);
    insta::assert_snapshot!(world.run(&["check", "recipe.yml"]).transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: no model at `missing`; looked for `missing`, `[FOLDER]/no-cache/hub/models--missing`
     --> recipe.yml:5:12
      |
    5 |   - model: missing
      |            ^^^^^^^
      |
      = help: relative paths start from the current folder, then from the recipe's folder
      = help: Hub models are written `organization/missing`

    error: unknown merge method `slrep`
     --> recipe.yml:6:15
      |
    6 | merge_method: slrep
      |               ^^^^^
      |
      = help: did you mean `slerp`?

    warning: unknown key `base_modle` at the top level
     --> recipe.yml:7:1
      |
    7 | base_modle: a
      | ^^^^^^^^^^
      |
      = help: did you mean `base_model`?

    error: `dtype` is `bfloat`, expected one of `bfloat16`, `float16`, `float32`, `float64`
     --> recipe.yml:8:8
      |
    8 | dtype: bfloat
      |        ^^^^^^
      |
      = help: did you mean `bfloat16`?

    3 errors, 1 warning in recipe.yml
    ");
}

#[test]
fn problems_are_given_as_json() {
    let world = World::with_models();
    world.write("recipe.yml", &SLERP.replace("slerp", "slurp"));
    insta::assert_snapshot!(world.run(&["check", "--json", "recipe.yml"]).transcript(), @r#"
    exit code: 2
    --- stdout
    [
      {
        "file": "recipe.yml",
        "line": 4,
        "column": 15,
        "severity": "error",
        "message": "unknown merge method `slurp`",
        "hints": [
          "did you mean `slerp`?"
        ]
      }
    ]
    --- stderr
    "#);
    world.write("recipe.yml", SLERP);
    let run = world.run(&["check", "--json", "recipe.yml"]);
    run.expect_code(0);
    assert_eq!(run.stdout, "[]\n");
}

#[test]
fn a_recipe_is_read_from_standard_input() {
    let world = World::with_models();
    let mut command = world.command(&["check", "-"]);
    world.write("recipe.yml", &SLERP.replace("slerp", "slurp"));
    command.stdin(
        fs_err::File::open(world.path("recipe.yml"))
            .expect("open")
            .into_parts()
            .0,
    );
    let run = world.outcome(&command.output().expect("the command starts"));
    run.expect_code(2).expect_error("<stdin>:4:15");
}

#[test]
fn models_are_looked_up_beside_the_recipe() {
    let world = World::new();
    fs_err::create_dir(world.path("recipes")).expect("created");
    world.model("recipes/a", 1.0);
    world.model("recipes/b", 2.0);
    world.write("recipes/recipe.yml", SLERP);
    world.run(&["check", "recipes/recipe.yml"]).expect_code(0);
}

#[test]
fn colour_is_for_those_who_ask() {
    let world = World::with_models();
    world.write("recipe.yml", &SLERP.replace("slerp", "slurp"));
    assert!(
        !world
            .run(&["check", "recipe.yml"])
            .stderr
            .contains('\u{1b}')
    );
    assert!(
        world
            .run(&["check", "--color", "always", "recipe.yml"])
            .stderr
            .contains('\u{1b}')
    );
    let mut command = world.command(&["check", "recipe.yml"]);
    command.env("CLICOLOR_FORCE", "1");
    assert!(
        world
            .outcome(&command.output().expect("starts"))
            .stderr
            .contains('\u{1b}')
    );
    command.arg("--color=never");
    assert!(
        !world
            .outcome(&command.output().expect("starts"))
            .stderr
            .contains('\u{1b}')
    );
}
