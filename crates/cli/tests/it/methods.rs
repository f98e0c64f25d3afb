//! `methods`.

use weightsmith::methods::METHODS;

use crate::world::World;

#[test]
fn every_method_is_listed_with_one_line_or_more() {
    let run = World::new().run(&["methods"]);
    run.expect_code(0);
    for method in METHODS {
        let line = format!("\n  {} ", method.name);
        assert!(run.stdout.contains(&line), "{}", run.transcript());
    }
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn every_method_has_a_page_with_all_of_its_parameters() {
    let world = World::new();
    for method in METHODS {
        let run = world.run(&["methods", method.name]);
        run.expect_code(0);
        assert!(run.stdout.contains(method.title), "{}", run.transcript());
        assert!(
            run.stdout
                .contains(&format!("\n  merge_method: {}\n", method.name))
        );
        for parameter in method.parameters {
            let line = format!("\n  {} ", parameter.name);
            assert!(run.stdout.contains(&line), "{}", run.transcript());
        }
    }
}

#[test]
fn a_page_says_all_that_a_recipe_needs() {
    insta::assert_snapshot!(World::new().run(&["methods", "slerp"]).transcript(), @r"
    exit code: 0
    --- stdout
    slerp: Spherical linear interpolation (SLERP)

      Interpolates from the base model to the other model along the arc between their weights.

      With a = the base's tensor, b = the other's, and θ the angle between them (each as one long
      vector): result = [sin((1−t)θ)·a + sin(tθ)·b] / sin θ. Nearly parallel tensors (|cos θ| > 0.9995)
      are interpolated linearly.

      `t` = 0 is the base and `t` = 1 is the other model, byte for byte. A list of values is a curve
      over the layers: with `t: [0, 0.25, 0.5, 0.25, 0]` the base dominates the first and last layers,
      and both models contribute to the middle ones. Tensors outside the layers (embeddings, final norm,
      output head) use the *first* value of a curve. Fine-tunes of one base are nearly parallel in most
      tensors, so the result is close to a linear average. The arc matters for models that have moved
      further apart.

    Parameters
      name  of         value   default   usual   what it does
      t     the merge  number  required  0 to 1  Position between the models: 0 is the base, 1 is the
                                                 other model.

    Models
      `base_model` is required. The method takes 2 models, including the base.

    Missing tensors
      Optional tensors, such as the output head of a model with tied embeddings, are copied if a single
      input has them. All other tensors must be in all inputs.

    Minimal recipe
      models:
        - model: path/to/base
        - model: path/to/model-1
      merge_method: slerp
      base_model: path/to/base
      parameters:
        t: 0.5

    Reference
      Animating rotation with quaternion curves (Shoemake, 1985)
      https://dl.acm.org/doi/10.1145/325165.325242
    --- stderr
    ");
}

#[test]
fn a_misspelt_name_is_a_usage_error() {
    let world = World::new();
    insta::assert_snapshot!(world.run(&["methods", "sleerp"]).transcript(), @r"
    exit code: 2
    --- stdout
    --- stderr
    error: unknown merge method `sleerp`
    hint: did you mean `slerp`?
    ");
    let run = world.run(&["methods", "banana"]);
    run.expect_code(2).expect_error("`weightsmith methods`");
}

#[test]
fn json_holds_everything_but_the_arithmetic() {
    let world = World::new();
    let run = world.run(&["methods", "--json"]);
    run.expect_code(0);
    let all: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(all.as_array().map(Vec::len), Some(METHODS.len()));
    let run = world.run(&["methods", "--json", "slerp"]);
    let slerp: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(slerp["base"], "required");
    assert_eq!(slerp["inputs"]["max"], 2);
    assert_eq!(slerp["parameters"][0]["name"], "t");
    assert_eq!(slerp["parameters"][0]["default"], "required");
    assert_eq!(slerp["parameters"][0]["usual"][1], 1.0);
    assert!(
        slerp["recipe"]
            .as_str()
            .is_some_and(|text| text.contains("merge_method: slerp\n"))
    );
}

#[test]
fn shells_complete_the_names() {
    let run = World::new().run(&["completions", "bash"]);
    assert!(run.stdout.contains("model_stock"));
}
