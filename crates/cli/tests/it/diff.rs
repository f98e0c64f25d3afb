//! `diff`.

use weightsmith_tensors::DType;

use crate::world::{FIXTURES, World, tensors};

#[test]
fn a_model_and_its_copy_are_the_same() {
    let world = World::with_models();
    insta::assert_snapshot!(world.run(&["diff", "a", "a"]).transcript(), @r"
    exit code: 0
    --- stdout
    4 tensors: 4 same in both
    A and B are identical, byte for byte
    --- stderr
    ");
}

#[test]
fn differences_are_measured_and_remarked_upon() {
    let world = World::with_models();
    let mut other = tensors(1.0);
    other[0] = ("lm_head.weight", DType::F32, &[5, 4], vec![1.0; 20]);
    other[1].1 = DType::BF16;
    other[2].3[0] = -1.0;
    other[3].2 = &[2, 2];
    world.model_of("b", &other);
    insta::assert_snapshot!(world.run(&["diff", "a", "b"]).transcript(), @r"
    exit code: 1
    --- stdout
    5 tensors: 1 different, 1 of two types, 1 of two shapes, 1 only in A, 1 only in B
      elements changed             3.1 % (1 of 32)
      largest difference           2.000
      difference, relative to A    0.1141
      cosine of A and B            0.99349

    Tensors that differ
      tensor                             changed  largest  relative   cosine
      model.embed_tokens.weight                -        -         -        -  only in A: F32 5 × 4
      model.norm.weight                        -        -         -        -  F32 4, in B F32 2 × 2
      lm_head.weight                           -        -         -        -  only in B: F32 5 × 4
      model.layers.1.mlp.up_proj.weight    6.2 %    2.000    0.1614  0.98697
      model.layers.0.mlp.up_proj.weight    0.0 %        0         0  1.00000  F32 4 × 4, in B BF16 4 × 4

    Layers
               changed  largest  relative   cosine
      layer 0    0.0 %        0         0  1.00000
      layer 1    6.2 %    2.000    0.1614  0.98697

    Kinds of tensors
                          changed  largest  relative   cosine
      mlp.up_proj.weight    3.1 %    2.000    0.1141  0.99349
    --- stderr
    ");
}

#[test]
fn two_trainings_of_one_base_are_compared_by_what_they_learnt() {
    let world = World::new();
    let [base, a, b] = ["base", "instruct", "math"].map(|name| format!("{FIXTURES}/{name}"));
    let run = world.run(&["diff", "--json", &a, &b, "--base", &base]);
    run.expect_code(1);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let summary = &value["summary"];
    assert_eq!(summary["kinship"]["siblings"], true);
    assert_eq!(summary["measures"]["elements"], 2_567_040);
    let cosine = summary["measures"]["task"]["cosine"]
        .as_f64()
        .expect("a number");
    assert!((-1.0..=1.0).contains(&cosine));
    let text = world.run(&["diff", &a, &b, "--base", &base]);
    text.expect_code(1);
    assert!(
        text.stdout.contains("task-vector cosine"),
        "{}",
        text.transcript()
    );
    assert!(
        text.stdout.contains("top 20 of 74"),
        "{}",
        text.transcript()
    );
}

#[test]
fn strangers_are_warned_about() {
    let world = World::with_models();
    let signs = |count: u8, sign: f32| {
        (0..count)
            .map(|index| if index % 2 == 0 { 1.0 } else { sign })
            .collect()
    };
    world.model_of("one", &[("w", DType::F32, &[2, 4], signs(8, 1.0))]);
    world.model_of("two", &[("w", DType::F32, &[2, 4], signs(8, -1.0))]);
    world
        .run(&["diff", "one", "two"])
        .expect_code(1)
        .expect_error("do not appear to share a base");
    let similar = world.run(&["diff", "a", "b"]);
    assert!(
        !similar.stderr.contains("do not appear"),
        "{}",
        similar.transcript()
    );
}

#[test]
fn a_damaged_model_is_an_error_and_no_difference() {
    let world = World::with_models();
    world.write("b/model.safetensors", "nonsense");
    let run = world.run(&["diff", "a", "b"]);
    run.expect_code(1)
        .expect_error("error: ")
        .expect_error("model.safetensors");
    assert!(run.stdout.is_empty());
}
