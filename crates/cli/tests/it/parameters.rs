//! Parameters that a method does not have, or whose values it refuses: what `check` says, and where.

use crate::world::{Run, SLERP, World};

const LINEAR: &str = "\
models:
  - model: a
    parameters:
      weight: 0.5
  - model: b
    parameters:
      weight: 0.5
merge_method: linear
";

#[track_caller]
fn check(recipe: &str, options: &[&str]) -> Run {
    let world = World::with_models();
    world.write("recipe.yml", recipe);
    let mut arguments = vec!["check", "recipe.yml"];
    arguments.extend(options);
    world.run(&arguments)
}

#[test]
fn a_misspelt_parameter_is_a_warning_with_what_was_meant() {
    let recipe = format!("{LINEAR}parameters:\n  normalise: false\n");
    insta::assert_snapshot!(check(&recipe, &[]).transcript(), @r"
    exit code: 0
    --- stdout
    recipe.yml: can be merged, linear of 2 models, 4 tensors, 56 parameters, 600 B
    --- stderr
    warning: `linear` has no parameter `normalise`
      --> recipe.yml:10:3
       |
    10 |   normalise: false
       |   ^^^^^^^^^
       |
       = help: did you mean `normalize`?

    1 warning in recipe.yml
    ");
    check(&recipe, &["--strict"])
        .expect_code(2)
        .expect_error("error: `linear` has no parameter `normalise`");
}

#[test]
fn a_parameter_of_other_methods_is_ignored_with_a_warning() {
    let recipe = format!("{LINEAR}parameters:\n  t: 0.5\n");
    insta::assert_snapshot!(check(&recipe, &[]).transcript(), @r"
    exit code: 0
    --- stdout
    recipe.yml: can be merged, linear of 2 models, 4 tensors, 56 parameters, 600 B
    --- stderr
    warning: `linear` ignores `t`, a parameter of `slerp` and `nearswap`
      --> recipe.yml:10:3
       |
    10 |   t: 0.5
       |   ^
       |
       = help: it takes `weight` and `normalize`

    1 warning in recipe.yml
    ");
    let recipe = SLERP.replace("model: b\n", "model: b\n    parameters: {weight: 0.5}\n");
    check(&recipe, &[])
        .expect_code(0)
        .expect_error("warning: `slerp` ignores `weight`, a parameter of `linear`")
        .expect_error("recipe.yml:4:18")
        .expect_error("help: it takes `t`");
}

#[test]
fn what_never_has_an_effect_is_said_once_and_is_no_error_even_with_strict() {
    let recipe = SLERP
        .replace(
            "model: b\n",
            "model: b\n    parameters: {int8_mask: true}\n",
        )
        .replace("  t: 0.5", "  int8_mask: true\n  t: 0.5");
    insta::assert_snapshot!(check(&recipe, &["--strict"]).transcript(), @r"
    exit code: 0
    --- stdout
    recipe.yml: no problems, slerp of 2 models, 4 tensors, 56 parameters, 600 B
    --- stderr
    note: `int8_mask` has no effect
     --> recipe.yml:8:3
      |
    8 |   int8_mask: true
      |   ^^^^^^^^^
      |
      = help: it reduces mergekit's memory use; Weightsmith does not store masks
    ");
    let quiet = check(&recipe, &["--quiet"]);
    quiet.expect_code(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn text_where_a_number_is_needed_is_an_error_at_the_value() {
    insta::assert_snapshot!(check(&SLERP.replace("0.5", "half"), &[]).transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: `t` is the string `half`, expected a number
     --> recipe.yml:7:6
      |
    7 |   t: half
      |      ^^^^
      |
      = help: `weightsmith methods slerp` describes it

    1 error in recipe.yml
    ");
    check(&SLERP.replace("0.5", "[0, half, 1]"), &[])
        .expect_code(2)
        .expect_error("recipe.yml:7:10")
        .expect_error("mixes numbers and strings");
    check(&SLERP.replace("0.5", "[low, high]"), &[])
        .expect_code(2)
        .expect_error("recipe.yml:7:6")
        .expect_error("expected a number");
    check(
        &format!("{LINEAR}parameters: {{normalize: perhaps}}\n"),
        &[],
    )
    .expect_code(2)
    .expect_error("recipe.yml:9:25")
    .expect_error("expected a boolean");
}

#[test]
fn weights_that_cancel_are_refused_where_they_stand() {
    let recipe = LINEAR.replacen("0.5", "-0.5", 1);
    insta::assert_snapshot!(check(&recipe, &[]).transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: the weights sum to 0, and `normalize: true` divides by it
     --> recipe.yml:4:15
      |
    4 |       weight: -0.5
      |               ^^^^
      |
      = help: for tensor `model.embed_tokens.weight`, `weight` is -0.5 and 0.5, `normalize` is true

    1 error in recipe.yml
    ");
    check(&format!("{recipe}parameters: {{normalize: false}}\n"), &[]).expect_code(0);
}

#[test]
fn a_value_that_a_method_refuses_is_marked_at_the_filter_that_sets_it() {
    let recipe = "\
models: [{model: a}, {model: b}]
merge_method: karcher
parameters:
  max_iter:
    - {filter: up_proj, value: 2.5}
    - value: 10
";
    check(recipe, &[])
        .expect_code(2)
        .expect_error("recipe.yml:5:32")
        .expect_error("`max_iter` is 2.5, expected a whole number");
}

#[test]
fn a_value_outside_of_its_usual_range_is_marked_at_the_filter_that_sets_it() {
    let recipe = SLERP.replace(
        "  t: 0.5",
        "  t:\n    - {filter: up_proj, value: [0, -0.25]}\n    - value: 0.5",
    );
    check(&recipe, &[])
        .expect_code(0)
        .expect_error("warning: `t` is -0.25, outside its usual range of 0 to 1")
        .expect_error("recipe.yml:8:32");
}

#[test]
fn a_weight_of_the_base_is_a_warning_where_the_others_are_compared_with_it() {
    let recipe = LINEAR.replace("linear", "multislerp");
    check(&format!("{recipe}base_model: a\n"), &[])
        .expect_code(0)
        .expect_error("warning: `weight` has no effect under the base model")
        .expect_error("recipe.yml:4:7")
        .expect_error("1 warning in recipe.yml");
    assert_eq!(check(&format!("{LINEAR}base_model: a\n"), &[]).stderr, "");
}

#[test]
fn a_parameter_of_the_merge_has_no_effect_under_a_model() {
    let recipe = LINEAR.replacen("weight: 0.5", "weight: 0.5\n      normalize: false", 1);
    check(&recipe, &[])
        .expect_code(0)
        .expect_error("warning: `normalize` has no effect under a model")
        .expect_error("recipe.yml:5:7");
}
