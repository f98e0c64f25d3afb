//! Every input tensor is merged, copied, or dropped with a reason; nothing appears that no input has.

use std::sync::atomic::AtomicBool;

use weightsmith::plan::{Action, DropReason, Plan};
use weightsmith::run::{RunError, Silent};
use weightsmith_tensors::{DType, TensorSource};

use crate::family::{Shape, Workshop, errors};

fn untied() -> Shape {
    Shape {
        tied: false,
        ..Shape::default()
    }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.tensors
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect()
}

const LINEAR: &str = "
models:
  - {model: a, parameters: {weight: 1}}
  - {model: b, parameters: {weight: 1}}
merge_method: linear
";

#[test]
fn all_tensors_of_equal_models_reach_the_result() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &untied());
    workshop.model("b", 2, &untied());
    let plan = workshop.plan(LINEAR).plan;
    assert_eq!(plan.tensors.len(), 15);
    assert!(plan.dropped.is_empty());
    assert_eq!(names(&plan)[0], "model.embed_tokens.weight");
    assert_eq!(names(&plan)[13..], ["lm_head.weight", "model.norm.weight"]);
}

#[test]
fn stacked_layers_are_renumbered_and_the_others_dropped_with_a_reason() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let recipe = "
slices:
  - sources: [{model: a, layer_range: [0, 2]}]
  - sources: [{model: b, layer_range: [1, 3]}]
merge_method: passthrough
dtype: bfloat16
";
    let planned = workshop.plan(recipe);
    let plan = &planned.plan;
    assert_eq!(plan.layers.len(), 4);
    assert!(names(plan).contains(&"model.layers.3.mlp.up_proj.weight"));
    let dropped: Vec<(usize, &str, String)> = plan
        .dropped
        .iter()
        .map(|d| (d.input, d.tensor.as_str(), d.reason.to_string()))
        .collect();
    assert!(
        dropped.contains(&(
            0,
            "model.layers.2.mlp.up_proj.weight",
            "layer 2 is in no slice".to_owned()
        )),
        "{dropped:?}"
    );
    assert!(dropped.contains(&(
        1,
        "model.layers.0.mlp.up_proj.weight",
        "layer 0 is in no slice".to_owned()
    )));
    assert!(
        dropped
            .iter()
            .any(|(input, tensor, _)| (*input, *tensor) == (1, "model.embed_tokens.weight"))
    );
    let config: serde_json::Value = serde_json::from_str(plan.config.as_ref().unwrap()).unwrap();
    assert_eq!(config["num_hidden_layers"], 4);

    workshop.merge(recipe, "out");
    let layer = |model: &str, index: u32| {
        workshop.values(model, &format!("model.layers.{index}.mlp.up_proj.weight"))
    };
    assert_eq!(layer("out", 1), layer("a", 1));
    assert_eq!(layer("out", 2), layer("b", 1));
    assert_eq!(layer("out", 3), layer("b", 2));
    assert_eq!(
        workshop.values("out", "model.norm.weight"),
        workshop.values("b", "model.norm.weight")
    );
}

#[test]
fn tied_models_never_gain_a_head() {
    let workshop = Workshop::new();
    let head = [(
        "lm_head.weight",
        DType::BF16,
        &[20u64, 8][..],
        vec![0.5; 160],
    )];
    workshop.model("a", 1, &Shape::default());
    workshop.model_with("b", 2, &Shape::default(), &head);
    let plan = workshop.plan(LINEAR).plan;
    assert!(!names(&plan).contains(&"lm_head.weight"));
    assert_eq!(plan.dropped.len(), 1);
    assert_eq!(plan.dropped[0].reason, DropReason::TiedHead);
}

#[test]
fn a_tied_input_gives_its_embedding_as_head_when_another_has_its_own() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &untied());
    let planned = workshop.plan(LINEAR);
    let head = planned
        .plan
        .tensors
        .iter()
        .find(|tensor| tensor.name == "lm_head.weight")
        .unwrap();
    let Action::Merge(operation) = &head.action else {
        panic!("{:?}", head.action)
    };
    assert_eq!(operation.sources[0].tensor, "model.embed_tokens.weight");
    assert_eq!(operation.sources[1].tensor, "lm_head.weight");
    let config: serde_json::Value =
        serde_json::from_str(planned.plan.config.as_ref().unwrap()).unwrap();
    assert_eq!(config["tie_word_embeddings"], false);
}

#[test]
fn a_buffer_that_one_model_lacks_is_copied_and_unequal_buffers_are_an_error() {
    let workshop = Workshop::new();
    let buffer = |value: f32| {
        [(
            "model.position_ids",
            DType::I64,
            &[2u64][..],
            vec![0.0, value],
        )]
    };
    workshop.model("a", 1, &Shape::default());
    workshop.model_with("b", 2, &Shape::default(), &buffer(1.0));
    workshop.merge(LINEAR, "out");
    let ids = |model: &str| {
        let checkpoint = weightsmith_tensors::Checkpoint::open(&workshop.path(model)).unwrap();
        let tensor = checkpoint.find("model.position_ids").unwrap();
        let mut scratch = Vec::new();
        checkpoint
            .read(tensor, 0..2, &mut scratch)
            .unwrap()
            .to_vec()
    };
    assert_eq!(ids("out"), ids("b"));
    workshop.model_with("a", 1, &Shape::default(), &buffer(1.0));
    workshop.merge(LINEAR, "equal");
    assert_eq!(ids("equal"), ids("b"));
    workshop.model_with("a", 1, &Shape::default(), &buffer(2.0));
    let error = workshop
        .run(
            &workshop.plan(LINEAR),
            "unequal",
            &Silent,
            &AtomicBool::new(false),
            |_| {},
        )
        .unwrap_err();
    assert!(
        matches!(&error, RunError::UnequalBuffers { tensor, .. } if tensor == "model.position_ids"),
        "{error}"
    );
}

#[test]
fn a_tensor_that_the_second_model_lacks_is_an_error_that_names_both() {
    let workshop = Workshop::new();
    workshop.model_with(
        "a",
        1,
        &Shape::default(),
        &[("model.extra.weight", DType::BF16, &[1], vec![1.0])],
    );
    workshop.model("b", 2, &Shape::default());
    let errors = errors(workshop.try_plan(LINEAR));
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].contains("`b` lacks tensor `model.extra.weight`"),
        "{errors:?}"
    );
}

#[test]
fn vocabularies_of_different_length_are_cut_only_when_asked_to() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &untied());
    workshop.model(
        "b",
        2,
        &Shape {
            vocabulary: 17,
            ..untied()
        },
    );
    let messages = errors(workshop.try_plan(LINEAR));
    assert!(
        messages[0].contains("[20, 8]") && messages[0].contains("[17, 8]"),
        "{messages:?}"
    );
    assert!(messages[0].contains("--unsafe-truncate-embeddings"));

    let parsed = weightsmith::recipe::parse(LINEAR, &|path| workshop.path(path).exists());
    let options = weightsmith::plan::PlanOptions {
        truncate_embeddings: true,
        ..workshop.plan_options()
    };
    let planned = weightsmith::plan::build(&parsed.recipes[0], &options).unwrap();
    workshop
        .run(&planned, "out", &Silent, &AtomicBool::new(false), |_| {})
        .unwrap();
    let name = "model.embed_tokens.weight";
    let (out, a, b) = (
        workshop.values("out", name),
        workshop.values("a", name),
        workshop.values("b", name),
    );
    assert_eq!(out.len(), 17 * 8);
    for element in 0..out.len() {
        assert!((out[element] - f64::midpoint(a[element], b[element])).abs() < 1e-2);
    }
    let config: serde_json::Value =
        serde_json::from_str(planned.plan.config.as_ref().unwrap()).unwrap();
    assert_eq!(config["vocab_size"], 17);
}

#[test]
fn one_model_listed_twice_is_two_inputs() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    let planned = workshop.plan(
        "models:
  - {model: a, parameters: {weight: 0.1}}
  - {model: a, parameters: {weight: 1.0}}
merge_method: linear
parameters: {normalize: false}
dtype: float32
",
    );
    assert_eq!(planned.plan.inputs.len(), 1);
    workshop
        .run(&planned, "out", &Silent, &AtomicBool::new(false), |_| {})
        .unwrap();
    let (out, a) = (
        workshop.values("out", "model.norm.weight"),
        workshop.values("a", "model.norm.weight"),
    );
    for (out, a) in out.iter().zip(a) {
        assert!((out - 1.1 * a).abs() <= 1e-6 * a.abs());
    }
}

#[test]
fn the_companion_files_of_the_donor_come_along() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    let folder = workshop.model("b", 2, &Shape::default());
    fs_err::create_dir(folder.join("1_Pooling")).unwrap();
    fs_err::write(folder.join("1_Pooling/config.json"), "{}").unwrap();
    fs_err::write(folder.join("tokenizer.json"), "{\"b\": 1}").unwrap();
    fs_err::write(folder.join("pytorch_model.bin"), "not this").unwrap();
    workshop.merge(&format!("{LINEAR}base_model: b\n"), "out");
    let out = workshop.path("out");
    assert_eq!(
        fs_err::read_to_string(out.join("tokenizer.json")).unwrap(),
        "{\"b\": 1}"
    );
    assert!(out.join("1_Pooling/config.json").exists());
    assert!(!out.join("pytorch_model.bin").exists());
    assert_eq!(
        fs_err::read_to_string(out.join("mergekit_config.yml")).unwrap(),
        format!("{LINEAR}base_model: b\n")
    );
}

#[test]
fn an_architecture_that_is_overridden_is_said_to_change_nothing() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let named = "{model: a, override_architecture: LlamaForCausalLM}";
    let recipe = format!(
        "models: [{{model: {named}}}, {{model: b}}]\nbase_model: {named}\nmerge_method: slerp\nparameters: {{t: 0.5}}\n"
    );
    let planned = workshop.plan(&recipe);
    let told: Vec<String> = planned
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    let [only] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(
        only.contains("`override_architecture: LlamaForCausalLM` changes nothing"),
        "{only}"
    );
    // and it does not
    let plain = workshop.plan("models: [{model: a}, {model: b}]\nbase_model: a\nmerge_method: slerp\nparameters: {t: 0.5}\n");
    assert_eq!(plain.plan.config, planned.plan.config);
    assert_eq!(plain.plan.tensors, planned.plan.tensors);
    assert!(plain.diagnostics.is_empty());
}
