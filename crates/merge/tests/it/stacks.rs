//! Stacks of layers: what comes from which model, what `config.json` says of it, and where gradients are evaluated.

use weightsmith::plan::{Action, Plan, Planned, Value};
use weightsmith_tensors::DType;
use weightsmith_tensors::testing::write_checkpoint;

use crate::family::{Shape, Workshop, errors};

fn config(planned: &Planned) -> serde_json::Value {
    serde_json::from_str(planned.plan.config.as_ref().unwrap()).unwrap()
}

fn has(plan: &Plan, name: &str) -> bool {
    plan.tensors.iter().any(|tensor| tensor.name == name)
}

/// The resolved number of a tensor's own parameter.
fn parameter(plan: &Plan, tensor: &str, name: &str) -> f64 {
    let planned = plan.tensors.iter().find(|t| t.name == tensor).unwrap();
    match planned.action.operation().unwrap().parameters[name] {
        Value::Number(number) => number,
        ref other => panic!("{name} is {other}"),
    }
}

/// A model of the given tensors, all of them filled with one value.
fn model(workshop: &Workshop, name: &str, tensors: &[(&str, &[u64])], config: &serde_json::Value) {
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, shape)| {
            let count = shape.iter().product::<u64>() as usize;
            (*name, DType::F32, *shape, vec![0.5; count])
        })
        .collect();
    write_checkpoint(&workshop.path(name), &tensors).unwrap();
    let path = workshop.path(name).join("config.json");
    fs_err::write(path, config.to_string()).unwrap();
}

/// Layers 0 and 1 of one model, then layer 2 of another.
fn stack(first: &str, last: &str) -> String {
    format!(
        "
slices:
  - sources: [{{model: {first}, layer_range: [0, 2]}}]
  - sources: [{{model: {last}, layer_range: [2, 3]}}]
merge_method: passthrough
"
    )
}

fn untied() -> Shape {
    Shape {
        tied: false,
        ..Shape::default()
    }
}

#[test]
fn the_base_model_gives_the_config_also_where_the_first_slice_lacks_it() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    workshop.set_config("b", "whose", "b".into());
    let planned = workshop.plan(&format!("{}base_model: b\n", stack("a", "b")));
    let plan = &planned.plan;
    assert_eq!((plan.inputs[1].label.as_str(), plan.base), ("b", Some(1)));
    assert_eq!(plan.donor, 1);
    assert_eq!(config(&planned)["whose"], "b");
}

#[test]
fn a_stack_of_a_tied_and_an_untied_model_has_the_last_ones_head() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &untied());
    let planned = workshop.plan(&stack("a", "b"));
    assert!(has(&planned.plan, "lm_head.weight"));
    assert_eq!(config(&planned)["tie_word_embeddings"], false);
}

#[test]
fn a_stack_of_an_untied_and_a_tied_model_has_the_last_ones_embedding_as_head() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &untied());
    workshop.model("b", 2, &Shape::default());
    let planned = workshop.plan(&stack("a", "b"));
    let tensors = &planned.plan.tensors;
    let head = tensors.iter().find(|t| t.name == "lm_head.weight").unwrap();
    let Action::Copy { source, .. } = &head.action else {
        panic!("{:?}", head.action)
    };
    assert_eq!(source.input, 1);
    assert_eq!(source.tensor, "model.embed_tokens.weight");
    assert_eq!(config(&planned)["tie_word_embeddings"], false);
    workshop.merge(&stack("a", "b"), "out");
    assert_eq!(
        workshop.values("out", "lm_head.weight"),
        workshop.values("b", "model.embed_tokens.weight")
    );
}

#[test]
fn tied_layers_under_the_config_of_an_untied_model_stay_tied() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &untied());
    let planned = workshop.plan(&format!("{}base_model: b\n", stack("a", "a")));
    assert!(!has(&planned.plan, "lm_head.weight"));
    assert_eq!(config(&planned)["tie_word_embeddings"], true);
}

#[test]
fn untied_models_keep_a_config_that_does_not_mention_ties() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &untied());
    let path = workshop.path("a/config.json");
    let text = fs_err::read_to_string(&path).unwrap();
    let text = text.replace("  \"tie_word_embeddings\": false,\n", "");
    fs_err::write(&path, text).unwrap();
    workshop.model("b", 2, &Shape::default());
    let recipe = "
models: [{model: a}, {model: b}]
merge_method: linear
parameters: {weight: 1}
";
    let planned = workshop.plan(recipe);
    assert!(has(&planned.plan, "lm_head.weight"));
    assert!(config(&planned).get("tie_word_embeddings").is_none());
}

#[test]
fn the_vocabulary_size_is_that_of_the_first_layers_model() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    let short = Shape {
        vocabulary: 17,
        ..Shape::default()
    };
    workshop.model("b", 2, &short);
    let planned = workshop.plan(&format!("{}base_model: b\n", stack("a", "b")));
    assert_eq!(config(&planned)["vocab_size"], 20);
}

#[test]
fn an_embedding_and_a_head_of_different_lengths_are_an_error() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &untied());
    let short = Shape {
        vocabulary: 17,
        ..untied()
    };
    workshop.model("b", 2, &short);
    let errors = errors(workshop.try_plan(&stack("a", "b")));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("20 tokens") && errors[0].contains("has 17"));
}

#[test]
fn layers_deeper_than_the_config_givers_are_stacked_with_a_warning() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    let deep = Shape {
        layers: 6,
        ..Shape::default()
    };
    workshop.model("b", 2, &deep);
    workshop.set_config("a", "layer_types", serde_json::json!(["x", "y", "z"]));
    let planned = workshop.plan(
        "
slices:
  - sources: [{model: a, layer_range: [0, 3]}]
  - sources: [{model: b, layer_range: [4, 6]}]
merge_method: passthrough
",
    );
    let config = config(&planned);
    assert_eq!(config["num_hidden_layers"], 5);
    assert_eq!(
        config["layer_types"],
        serde_json::json!(["x", "y", "z", "z", "z"])
    );
    let warned = |text: &str| {
        let mut warnings = planned.diagnostics.iter();
        warnings.any(|diagnostic| diagnostic.message.contains(text))
    };
    assert!(warned("`a` provides config.json and has 3 layers"));
}

#[test]
fn a_filter_finds_the_head_of_a_tied_model_by_its_own_name() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &untied());
    let plan = workshop
        .plan(
            "
models:
  - model: a
    parameters: {weight: [{filter: lm_head, value: 3}, {value: 1}]}
  - {model: b, parameters: {weight: 1}}
merge_method: linear
",
        )
        .plan;
    let weight = |tensor: &str| {
        let planned = plan.tensors.iter().find(|t| t.name == tensor).unwrap();
        planned.action.operation().unwrap().source_parameters[0]["weight"].clone()
    };
    assert_eq!(weight("lm_head.weight"), Value::Number(3.0));
    assert_eq!(weight("model.embed_tokens.weight"), Value::Number(1.0));
}

const SLERP: &str = "
models: [{model: a}, {model: b}]
merge_method: slerp
base_model: a
parameters: {t: T}
";

#[test]
fn a_gradient_of_booleans_is_one_of_numbers_to_a_parameter_that_takes_numbers() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let plan = workshop.plan(&SLERP.replace('T', "[false, true]")).plan;
    let name = "model.layers.1.mlp.up_proj.weight";
    assert_eq!(parameter(&plan, name, "t"), 0.5);
}

#[test]
fn a_value_that_is_no_number_is_one_error() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let errors = errors(workshop.try_plan(&SLERP.replace('T', "fast")));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("`t` is the string `fast`, expected a number"));
}

#[test]
fn a_gradient_beyond_the_usual_range_is_one_warning() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let planned = workshop.plan(&SLERP.replace('T', "[1.5, 3]"));
    assert_eq!(planned.diagnostics.len(), 1, "{:?}", planned.diagnostics);
}

#[test]
fn layers_that_predict_further_tokens_do_not_stretch_gradients() {
    let workshop = Workshop::new();
    for (name, seed) in [("a", 1), ("b", 2)] {
        let shape = Shape {
            layers: 4,
            ..Shape::default()
        };
        workshop.model(name, seed, &shape);
        workshop.set_config(name, "num_hidden_layers", 3.into());
        workshop.set_config(name, "num_nextn_predict_layers", 1.into());
    }
    let planned = workshop.plan(&SLERP.replace('T', "[0, 0.25, 0.5]"));
    let t = |layer: u64| {
        let name = format!("model.layers.{layer}.mlp.up_proj.weight");
        parameter(&planned.plan, &name, "t")
    };
    assert_eq!([t(0), t(1), t(2), t(3)], [0.0, 0.25, 0.5, 0.5]);
    assert_eq!(config(&planned)["num_hidden_layers"], 3);
}

#[test]
fn a_layer_number_beyond_reason_is_an_error() {
    let workshop = Workshop::new();
    let hostile = [(
        "model.layers.18446744073709551614.mlp.up_proj.weight",
        DType::BF16,
        &[1u64][..],
        vec![1.0],
    )];
    workshop.model_with("a", 1, &Shape::default(), &hostile);
    let errors = errors(workshop.try_plan("models: [{model: a}]\nmerge_method: passthrough"));
    assert!(errors[0].contains("count 18446744073709551615 layers, expected at most 65536"));
}

#[test]
fn gaps_in_the_numbers_of_layers_are_kept() {
    let workshop = Workshop::new();
    let tensors: [(&str, &[u64]); 3] = [
        ("model.embed_tokens.weight", &[4, 2]),
        ("model.layers.0.mlp.up_proj.weight", &[2, 2]),
        ("model.layers.3.mlp.up_proj.weight", &[2, 2]),
    ];
    let config = serde_json::json!({"model_type": "qwen2", "num_hidden_layers": 4});
    model(&workshop, "a", &tensors, &config);
    let plan = workshop
        .plan("slices: [{sources: [{model: a, layer_range: [1, 4]}]}]\nmerge_method: passthrough")
        .plan;
    assert!(has(&plan, "model.layers.2.mlp.up_proj.weight"));
    assert_eq!(plan.layers.len(), 3);
}

/// Names of a model with an encoder of three layers and a decoder of two.
const WHISPER: [(&str, &[u64]); 9] = [
    ("model.encoder.conv1.weight", &[2, 2, 3]),
    ("model.encoder.layers.0.self_attn.q_proj.weight", &[2, 2]),
    ("model.encoder.layers.1.self_attn.q_proj.weight", &[2, 2]),
    ("model.encoder.layers.2.self_attn.q_proj.weight", &[2, 2]),
    ("model.encoder.layer_norm.weight", &[2]),
    ("model.decoder.embed_tokens.weight", &[6, 2]),
    ("model.decoder.layers.0.self_attn.q_proj.weight", &[2, 2]),
    ("model.decoder.layers.1.self_attn.q_proj.weight", &[2, 2]),
    ("model.decoder.layer_norm.weight", &[2]),
];

fn whisper_config() -> serde_json::Value {
    serde_json::json!({
        "model_type": "whisper", "encoder_layers": 3, "decoder_layers": 2, "vocab_size": 6,
    })
}

#[test]
fn every_stack_of_an_encoder_decoder_has_its_own_gradient_and_no_tensor_is_lost_or_doubled() {
    let workshop = Workshop::new();
    model(&workshop, "a", &WHISPER, &whisper_config());
    model(&workshop, "b", &WHISPER, &whisper_config());
    let plan = workshop.plan(&SLERP.replace('T', "[0.25, 0.5]")).plan;
    let mut found: Vec<&str> = plan.tensors.iter().map(|t| t.name.as_str()).collect();
    found.sort_unstable();
    let mut expected: Vec<&str> = WHISPER.iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let t = |stack: &str, layer: u64| {
        let name = format!("model.{stack}.layers.{layer}.self_attn.q_proj.weight");
        parameter(&plan, &name, "t")
    };
    assert_eq!(
        [t("encoder", 0), t("encoder", 1), t("encoder", 2)],
        [0.25, 0.375, 0.5]
    );
    assert_eq!([t("decoder", 0), t("decoder", 1)], [0.25, 0.5]);
    assert_eq!(
        parameter(&plan, "model.decoder.layer_norm.weight", "t"),
        0.25
    );
}

#[test]
fn an_encoder_is_not_merged_with_a_decoder() {
    let workshop = Workshop::new();
    let two_layers = [&WHISPER[..3], &WHISPER[4..]].concat();
    model(&workshop, "a", &two_layers, &whisper_config());
    let encoder = &WHISPER[..3];
    model(&workshop, "b", encoder, &serde_json::json!({}));
    let errors = errors(workshop.try_plan(&SLERP.replace('T', "0.5")));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("`model.encoder.layers.N`, those of `a` are `model.decoder.layers.N`"),
        "{errors:?}"
    );
}

#[test]
fn a_stack_that_only_another_model_has_keeps_its_own_positions() {
    let workshop = Workshop::new();
    let layers: [(&str, &[u64]); 3] = [
        ("model.layers.0.mlp.up_proj.weight", &[2, 2]),
        ("model.layers.1.mlp.up_proj.weight", &[2, 2]),
        ("model.layers.2.mlp.up_proj.weight", &[2, 2]),
    ];
    let tower: [(&str, &[u64]); 2] = [
        ("audio.blocks.0.mlp.up_proj.weight", &[2, 2]),
        ("audio.blocks.1.mlp.up_proj.weight", &[2, 2]),
    ];
    let config = serde_json::json!({"model_type": "qwen2", "num_hidden_layers": 3});
    model(&workshop, "a", &layers, &config);
    model(&workshop, "b", &[&layers[..], &tower].concat(), &config);
    let plan = workshop
        .plan(
            "
models:
  - {model: a, parameters: {weight: 1}}
  - {model: b, parameters: {weight: [1, 2]}}
merge_method: linear
parameters: {normalize: false}
",
        )
        .plan;
    let weight = |layer: u64| {
        let name = format!("audio.blocks.{layer}.mlp.up_proj.weight");
        let planned = plan.tensors.iter().find(|t| t.name == name).unwrap();
        planned.action.operation().unwrap().source_parameters[0]["weight"].clone()
    };
    assert_eq!(weight(0), Value::Number(1.0));
    assert_eq!(weight(1), Value::Number(2.0));
}

#[test]
fn the_tensors_of_unrelated_models_are_not_told_one_by_one() {
    let workshop = Workshop::new();
    let shape = |hidden| Shape {
        layers: 20,
        hidden,
        ..Shape::default()
    };
    workshop.model("a", 1, &shape(8));
    workshop.model("b", 2, &shape(9));
    let errors = errors(workshop.try_plan(&SLERP.replace('T', "0.5")));
    assert_eq!(errors.len(), 21, "{errors:?}");
    assert!(errors[20].ends_with("error: 62 more tensors differ in shape"));
}

#[test]
fn a_filter_that_is_part_of_no_name_is_warned_about_with_the_nearest_part() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let recipe = |filter: &str| {
        format!(
            "models: [{{model: a}}, {{model: b}}]\nmerge_method: slerp\nbase_model: a\nparameters:\n  t:\n    - {{filter: {filter}, value: 0.1}}\n    - value: 0.5\n"
        )
    };
    let warnings = |filter: &str| {
        let planned = workshop.plan(&recipe(filter));
        planned
            .diagnostics
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(warnings("mlp"), Vec::<String>::new());
    let found = warnings("self_atn");
    assert!(
        found.len() == 1 && found[0].contains("did you mean `self_attn`?"),
        "{found:?}"
    );
}
