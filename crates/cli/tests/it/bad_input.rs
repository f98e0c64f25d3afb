//! Every kind of bad input: what the user is told, and that nothing is left behind.

use weightsmith_tensors::DType;

use crate::world::{Run, SLERP, World, tensors};

/// Merges a recipe that cannot be merged: the exit code, the texts in the message, and nothing new in the folder.
#[track_caller]
fn refused(world: &World, recipe: &str, code: i32, texts: &[&str]) -> Run {
    world.write("recipe.yml", recipe);
    let before = world.names();
    let run = world.run(&["merge", "recipe.yml", "out"]);
    run.expect_code(code);
    for text in texts {
        run.expect_error(text);
    }
    assert_eq!(
        world.names(),
        before,
        "something was left\n{}",
        run.transcript()
    );
    run
}

#[test]
fn a_misspelt_method_is_named_with_its_place_and_what_was_meant() {
    let world = World::with_models();
    let run = refused(&world, &SLERP.replace("slerp", "slurp"), 2, &[]);
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: unknown merge method `slurp`
     --> recipe.yml:4:15
      |
    4 | merge_method: slurp
      |               ^^^^^
      |
      = help: did you mean `slerp`?

    1 error in recipe.yml
    ");
}

#[test]
fn slerp_without_t_says_that_t_is_missing() {
    let world = World::with_models();
    let run = refused(
        &world,
        SLERP.split("parameters").next().expect("a part"),
        2,
        &["`t` is not set"],
    );
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: `t` is not set for tensor `model.embed_tokens.weight`
     --> recipe.yml:4:15
      |
    4 | merge_method: slerp
      |               ^^^^^
      |
      = help: set it under the recipe's `parameters:`; with filters, add an entry without `filter` for all other tensors

    1 error in recipe.yml
    ");
}

#[test]
fn t_out_of_range_is_a_warning_and_an_error_with_strict() {
    let world = World::with_models();
    world.write("recipe.yml", &SLERP.replace("0.5", "1.5"));
    let strict = world.run(&["merge", "--strict", "recipe.yml", "out"]);
    strict
        .expect_code(2)
        .expect_error("1.5")
        .expect_error("recipe.yml:7:6");
    assert!(!world.path("out").exists());
    let lenient = world.run(&["merge", "recipe.yml", "out"]);
    lenient
        .expect_code(0)
        .expect_error("warning: ")
        .expect_error("1 warning in recipe.yml");
    assert!(world.path("out").join("model.safetensors").exists());
}

#[test]
fn slerp_of_three_models_says_how_many_it_takes() {
    let world = World::with_models();
    let recipe = SLERP.replace("  - model: b\n", "  - model: b\n  - model: c\n");
    let run = refused(&world, &recipe, 2, &["recipe.yml:4:"]);
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: `slerp` merges 2 models, here are 3
     --> recipe.yml:4:5
      |
    4 |   - model: c
      |     ^^^^^^^^

    1 error in recipe.yml
    ");
}

#[test]
fn a_base_that_is_no_model_of_the_recipe_is_explained() {
    let world = World::with_models();
    let run = refused(
        &world,
        &SLERP.replace("base_model: a", "base_model: c"),
        2,
        &[],
    );
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: `slerp` merges 2 models, here are 3
     --> recipe.yml:5:13
      |
    5 | base_model: c
      |             ^
      |
      = help: `base_model` (`c`) is not listed under `models:` and counts as another model; use one of those listed

    1 error in recipe.yml
    ");
}

#[test]
fn a_base_that_does_not_exist_is_an_error() {
    let world = World::with_models();
    refused(
        &world,
        &SLERP.replace("base_model: a", "base_model: d"),
        2,
        &["`d`", "recipe.yml:5:13"],
    );
}

#[test]
fn a_model_folder_without_weights_is_named() {
    let world = World::with_models();
    fs_err::remove_file(world.path("b/model.safetensors")).expect("removed");
    refused(&world, SLERP, 2, &["`b` has no weights", "recipe.yml:3:12"]);
}

#[test]
fn a_model_that_is_not_downloaded_says_how_to_get_it() {
    let world = World::with_models();
    let run = refused(
        &world,
        &SLERP.replace("model: b", "model: org/name@v2"),
        2,
        &[],
    );
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: `org/name` is not in the Hugging Face cache; looked for `org/name`, `[FOLDER]/no-cache/hub/models--org--name`
     --> recipe.yml:3:12
      |
    3 |   - model: org/name@v2
      |            ^^^^^^^^^^^
      |
      = help: can't reach 127.0.0.1:9: connection refused; are you online?
      = help: if `org/name` is a folder, write its full path

    1 error in recipe.yml
    ");
}

#[test]
fn a_truncated_file_is_named_with_both_sizes() {
    let world = World::with_models();
    let path = world.path("b/model.safetensors");
    let size = fs_err::metadata(&path).expect("there").len();
    fs_err::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("open")
        .set_len(size - 9)
        .expect("cut");
    refused(
        &world,
        SLERP,
        2,
        &[
            "model.safetensors",
            &format!("truncated: {} bytes", size - 9),
            &size.to_string(),
        ],
    );
}

#[test]
fn an_index_that_names_a_missing_file_is_an_error() {
    let world = World::with_models();
    let index = r#"{"weight_map": {"model.norm.weight": "model-00001-of-00001.safetensors"}}"#;
    world.write("b/model.safetensors.index.json", index);
    refused(&world, SLERP, 2, &["model-00001-of-00001.safetensors"]);
}

#[test]
fn an_index_that_names_a_file_outside_of_the_folder_is_an_error() {
    let world = World::with_models();
    let index = r#"{"weight_map": {"model.norm.weight": "../a/model.safetensors"}}"#;
    world.write("b/model.safetensors.index.json", index);
    refused(&world, SLERP, 2, &["../a/model.safetensors"]);
}

#[test]
fn shapes_that_differ_are_both_named() {
    let world = World::with_models();
    let mut other = tensors(2.0);
    other[1].2 = &[8, 2];
    world.model_of("b", &other);
    let run = refused(&world, SLERP, 2, &["model.layers.0.mlp.up_proj.weight"]);
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: tensor `model.layers.0.mlp.up_proj.weight` has shape [4, 4] in `a` and [8, 2] in `b`
     --> recipe.yml:3:5
      |
    3 |   - model: b
      |     ^^^^^^^^

    1 error in recipe.yml
    ");
}

#[test]
fn a_type_that_is_no_float_is_an_error() {
    let world = World::with_models();
    let run = refused(
        &world,
        &format!("{SLERP}dtype: int8\n"),
        2,
        &["recipe.yml:8:8"],
    );
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: `dtype` is `int8`, expected one of `bfloat16`, `float16`, `float32`, `float64`
     --> recipe.yml:8:8
      |
    8 | dtype: int8
      |        ^^^^

    1 error in recipe.yml
    ");
}

const SLICES: &str = "\
slices:
  - sources:
      - model: a
        layer_range: [0, 2]
      - model: b
        layer_range: [0, 2]
merge_method: slerp
base_model: a
parameters:
  t: 0.5
";

#[test]
fn layers_beyond_the_model_are_an_error() {
    let world = World::with_models();
    let recipe = SLICES.replacen("[0, 2]", "[1, 3]", 1);
    let run = refused(&world, &recipe, 2, &[]);
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: layers 1 to 2 are requested, but `a` has 2 (0 to 1)
     --> recipe.yml:4:22
      |
    4 |         layer_range: [1, 3]
      |                      ^^^^^^
      |
      = help: the end of a `layer_range` is exclusive: `[0, 2]` is all of `a`

    1 error in recipe.yml
    ");
}

#[test]
fn slices_of_unequal_length_are_an_error() {
    let world = World::with_models();
    let run = refused(&world, &SLICES.replacen("[0, 2]", "[0, 1]", 1), 2, &[]);
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: the sources of a slice must have the same number of layers: [0, 2] has 2, but [0, 1] at 4:22 has 1
     --> recipe.yml:6:22
      |
    6 |         layer_range: [0, 2]
      |                      ^^^^^^
      |
      = help: a slice merges its sources layer by layer; put other layers in a separate slice

    1 error in recipe.yml
    ");
}

#[test]
fn invalid_yaml_is_an_error_with_its_place() {
    let world = World::with_models();
    let run = refused(
        &world,
        "models:\n  - model: a\n - model: b\n",
        2,
        &["recipe.yml:3:"],
    );
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: invalid YAML: found `-` where the next key of a mapping was expected
     --> recipe.yml:3:2
      |
    3 |  - model: b
      |  ^
      |
      = help: the keys of a mapping start in the same column

    1 error in recipe.yml
    ");
}

#[test]
fn models_and_slices_together_are_an_error() {
    let world = World::with_models();
    let run = refused(
        &world,
        &format!("models:\n  - model: a\n{SLICES}"),
        2,
        &["`models`", "`slices`"],
    );
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: the recipe has both `models` (at 1:1) and `slices` (at 3:1), expected one of them
     --> recipe.yml:3:1
      |
    3 | slices:
      | ^^^^^^

    1 error in recipe.yml
    ");
}

#[test]
fn an_output_that_holds_something_needs_force() {
    let world = World::with_models();
    fs_err::create_dir(world.path("out")).expect("created");
    world.write("out/precious.txt", "mine");
    refused(&world, SLERP, 1, &["exists and is not empty", "`--force`"]);
    assert_eq!(
        fs_err::read_to_string(world.path("out/precious.txt")).expect("still there"),
        "mine"
    );
    world
        .run(&["merge", "--force", "recipe.yml", "out"])
        .expect_code(0);
    assert!(world.path("out/model.safetensors").exists());
    assert!(!world.path("out/precious.txt").exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::with_models();
    let path = world.path("b/model.safetensors");
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("changed");
    if fs_err::File::open(&path).is_ok() {
        eprintln!("skipped: this user may read everything (root)");
        return;
    }
    refused(&world, SLERP, 2, &["model.safetensors"]);
}

#[test]
fn nan_and_infinity_in_an_input_are_named_and_can_be_allowed() {
    for bad in [f32::NAN, f32::INFINITY] {
        let world = World::with_models();
        let mut other = tensors(2.0);
        other[2].3[7] = bad;
        world.model_of("b", &other);
        refused(
            &world,
            SLERP,
            1,
            &[
                "b: tensor `model.layers.1.mlp.up_proj.weight`",
                "`--allow-non-finite`",
            ],
        );
        let allowed = world.run(&["merge", "--allow-non-finite", "recipe.yml", "out"]);
        allowed
            .expect_code(0)
            .expect_error("warning: tensor `model.layers.1.mlp.up_proj.weight` holds ");
    }
}

#[test]
fn a_type_too_small_for_the_result_is_an_error() {
    let world = World::with_models();
    let mut other = tensors(2.0);
    other[2].3[7] = 1e30;
    world.model_of("b", &other);
    refused(
        &world,
        &format!("{SLERP}out_dtype: float16\n"),
        1,
        &["overflow F16", "out_dtype"],
    );
}

#[test]
fn a_recipe_that_is_not_there_is_a_usage_error() {
    let world = World::with_models();
    let run = world.run(&["merge", "recipe.yml", "out"]);
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: there is no recipe at `recipe.yml`
    hint: RECIPE is the path of a YAML file, or `-` for standard input
    ");
}

#[test]
fn a_budget_that_is_too_small_says_what_is_enough() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let run = world.run(&["merge", "--max-memory", "1KiB", "recipe.yml", "out"]);
    run.expect_code(1)
        .expect_error("memory budget")
        .expect_error("--max-memory");
    assert!(!world.path("out").exists());
}

#[test]
fn several_recipes_in_a_file_are_refused() {
    let world = World::with_models();
    refused(
        &world,
        &format!("{SLERP}---\n{SLERP}"),
        2,
        &[
            "a file with 2 recipes cannot be merged yet",
            "recipe.yml:12:15",
        ],
    );
}

#[test]
fn unneeded_options_are_explained_and_pickles_refused() {
    let world = World::with_models();
    world.write("recipe.yml", SLERP);
    let refused = world.run(&["merge", "--no-safe-serialization", "recipe.yml", "out"]);
    insta::assert_snapshot!(refused.transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: `--no-safe-serialization` is not supported: pickles are never written
    hint: omit the option: output is always safetensors
    ");
    assert!(!world.path("out").exists());
    let merged = world.run(&["merge", "--cuda", "--lazy-unpickle", "recipe.yml", "out"]);
    merged
        .expect_code(0)
        .expect_error("note: `--cuda` has no effect")
        .expect_error("note: `--lazy-unpickle` has no effect");
}

#[test]
fn escape_sequences_in_tensor_names_do_not_reach_the_terminal() {
    let world = World::new();
    world.model_of(
        "evil",
        &[("w\u{1b}[2J\u{202e}.weight", DType::F32, &[1], vec![1.0])],
    );
    for arguments in [
        &["inspect", "evil"][..],
        &["inspect", "--tensors", "evil"],
        &["diff", "evil", "evil"],
    ] {
        let run = world.run(arguments);
        assert!(
            !run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'),
            "{}",
            run.transcript()
        );
    }
}
