//! Tensors that some inputs lack: merged of the others, copied, left out with a reason, or an error, as the method has it.

use weightsmith::Severity;
use weightsmith::plan::{Action, Plan, Planned};
use weightsmith_tensors::DType;

use crate::family::{Shape, Workshop, errors};

/// A tensor that any checkpoint may lack.
const OPTIONAL: &str = "model.rotary_emb.inv_freq";

/// One that no family knows: optional where the base, or the first model without one, lacks it.
const FOREIGN: &str = "model.extra.weight";

/// Models `base`, `a`, `b` and `c`, of which some have a tensor.
fn family(tensor: &str, owners: &[&str]) -> Workshop {
    let workshop = Workshop::new();
    for (seed, name) in ["base", "a", "b", "c"].into_iter().enumerate() {
        let further: &[(&str, DType, &[u64], Vec<f32>)] =
            &[(tensor, DType::F32, &[4], vec![1.0 + seed as f32; 4])];
        let further = if owners.contains(&name) { further } else { &[] };
        workshop.model_with(name, seed as u64, &Shape::default(), further);
    }
    workshop
}

/// A recipe with each of the models, and perhaps their base.
fn recipe(method: &str, models: &[&str], base: bool) -> String {
    let mut recipe = format!("merge_method: {method}\ndtype: float32\nmodels:\n");
    let weighs = ["linear", "multislerp", "nuslerp"].contains(&method);
    for model in models {
        let own = if weighs {
            ", parameters: {weight: 1}"
        } else {
            ""
        };
        let source = format!("  - {{model: {model}{own}}}\n");
        recipe.push_str(&source);
    }
    if base {
        recipe += "base_model: base\n";
    }
    if ["slerp", "nearswap"].contains(&method) {
        recipe += "parameters: {t: 0.25}\n";
    }
    recipe
}

/// What makes a tensor, and the models whose tensor it is made of.
fn made_of(plan: &Plan, tensor: &str) -> Option<(&'static str, Vec<String>)> {
    let planned = plan.tensors.iter().find(|planned| planned.name == tensor)?;
    let (how, sources) = match &planned.action {
        Action::Copy { source, .. } => ("copied", std::slice::from_ref(source)),
        Action::Merge(operation) => ("merged", operation.sources.as_slice()),
    };
    let labels = sources
        .iter()
        .map(|source| plan.inputs[source.input].label.clone());
    Some((how, labels.collect()))
}

/// The inputs whose tensor is dropped, and the reason, which is one for all.
fn dropped(plan: &Plan, tensor: &str) -> (Vec<String>, String) {
    let all = plan.dropped.iter().filter(|d| d.tensor == tensor);
    let labels = all.clone().map(|d| plan.inputs[d.input].label.clone());
    let reasons: Vec<String> = all.clone().map(|d| d.reason.to_string()).collect();
    let reason = reasons.first().cloned().unwrap_or_default();
    assert!(reasons.iter().all(|other| *other == reason), "{reasons:?}");
    (labels.collect(), reason)
}

/// Every owner's tensor is used or dropped.
fn assert_accounted(planned: &Planned, tensor: &str, owners: &[&str]) {
    let plan = &planned.plan;
    let mut accounted = dropped(plan, tensor).0;
    accounted.extend(made_of(plan, tensor).map_or(Vec::new(), |(_, labels)| labels));
    accounted.sort();
    let mut owners: Vec<&str> = owners.to_vec();
    owners.sort_unstable();
    let in_recipe = |owner: &&&str| plan.inputs.iter().any(|input| input.label == **owner);
    let owners: Vec<&&str> = owners.iter().filter(in_recipe).collect();
    assert_eq!(accounted.iter().collect::<Vec<_>>(), owners, "{tensor}");
}

/// How a method makes [`OPTIONAL`] where only `owners` have it.
fn outcome(
    method: &str,
    models: &[&str],
    base: bool,
    owners: &[&str],
) -> (&'static str, Vec<String>) {
    let workshop = family(OPTIONAL, owners);
    let planned = workshop.plan(&recipe(method, models, base));
    assert_accounted(&planned, OPTIONAL, owners);
    workshop.merge(&recipe(method, models, base), "out");
    made_of(&planned.plan, OPTIONAL).unwrap()
}

fn refusal(method: &str, models: &[&str], base: bool, owners: &[&str]) -> String {
    let workshop = family(OPTIONAL, owners);
    let errors = errors(workshop.try_plan(&recipe(method, models, base)));
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

fn copied(model: &str) -> (&'static str, Vec<String>) {
    ("copied", vec![model.to_owned()])
}

fn merged(models: &[&str]) -> (&'static str, Vec<String>) {
    let models = models.iter().map(|&model| model.to_owned());
    ("merged", models.collect())
}

#[test]
fn averages_go_on_with_the_inputs_that_have_the_tensor() {
    let models = ["a", "b", "c"];
    for method in ["linear", "karcher"] {
        assert_eq!(
            outcome(method, &models, false, &["a", "c"]),
            merged(&["a", "c"])
        );
    }
    assert_eq!(outcome("linear", &models, false, &["b"]), copied("b"));
}

#[test]
fn task_vectors_go_on_with_the_inputs_that_have_the_tensor() {
    let models = ["a", "b", "c"];
    for method in ["sce", "ram"] {
        assert_eq!(
            outcome(method, &models, true, &["a", "c", "base"]),
            merged(&["a", "c", "base"])
        );
        assert_eq!(outcome(method, &models, true, &["base"]), copied("base"));
        let error = refusal(method, &models, true, &["a", "c"]);
        assert!(error.contains("the base model has no tensor"), "{error}");
    }
}

#[test]
fn multislerp_needs_a_model_besides_the_base() {
    let models = ["a", "b", "c"];
    assert_eq!(
        outcome("multislerp", &models, true, &["a", "c", "base"]),
        merged(&["a", "c", "base"])
    );
    assert_eq!(outcome("multislerp", &models, false, &["b"]), copied("b"));
    let error = refusal("multislerp", &models, true, &["base"]);
    assert!(error.contains("`a` lacks tensor"), "{error}");
}

#[test]
fn methods_of_two_inputs_copy_the_tensor_of_a_single_one() {
    for method in ["slerp", "arcee_fusion"] {
        for owner in ["base", "a"] {
            assert_eq!(
                outcome(method, &["a", "base"], true, &[owner]),
                copied(owner)
            );
        }
    }
    for owner in ["base", "a", "b"] {
        assert_eq!(
            outcome("nuslerp", &["a", "b"], true, &[owner]),
            copied(owner)
        );
    }
    assert_eq!(outcome("nuslerp", &["a", "b"], false, &["b"]), copied("b"));
}

#[test]
fn nuslerp_of_two_of_three_inputs_is_an_error() {
    let error = refusal("nuslerp", &["a", "b"], true, &["a", "b"]);
    assert!(error.contains("`base` lacks tensor"), "{error}");
    let error = refusal("nuslerp", &["a", "b"], true, &["a", "base"]);
    assert!(error.contains("`b` lacks tensor"), "{error}");
}

#[test]
fn nearswap_copies_the_tensor_of_the_base_alone() {
    let models = ["a", "base"];
    assert_eq!(
        outcome("nearswap", &models, true, &["base"]),
        copied("base")
    );
    let error = refusal("nearswap", &models, true, &["a"]);
    assert!(error.contains("`base` lacks tensor"), "{error}");
}

#[test]
fn model_stock_goes_on_with_three_inputs_and_takes_the_bases_tensor_of_fewer() {
    let models = ["a", "b", "c"];
    let of = |owners: &[&str]| outcome("model_stock", &models, true, owners);
    assert_eq!(of(&["base", "a", "c"]), merged(&["a", "c", "base"]));
    assert_eq!(of(&["base", "b"]), copied("base"));
    assert_eq!(of(&["base"]), copied("base"));
    let workshop = family(OPTIONAL, &["base", "b"]);
    let plan = workshop.plan(&recipe("model_stock", &models, true)).plan;
    let (labels, reason) = dropped(&plan, OPTIONAL);
    assert_eq!(labels, ["b"]);
    assert_eq!(
        reason,
        "too few inputs have it for `model_stock`, which copies the base's"
    );
}

#[test]
fn model_stock_leaves_out_what_the_base_lacks_and_says_so() {
    let models = ["a", "b", "c"];
    for tensor in [OPTIONAL, FOREIGN] {
        for owners in [&["a"][..], &["a", "c"], &["a", "b", "c"]] {
            let workshop = family(tensor, owners);
            let planned = workshop.plan(&recipe("model_stock", &models, true));
            assert_accounted(&planned, tensor, owners);
            assert_eq!(made_of(&planned.plan, tensor), None);
            let (labels, reason) = dropped(&planned.plan, tensor);
            assert_eq!(labels, owners);
            assert_eq!(
                reason,
                "the base model has no such tensor, which `model_stock` needs"
            );
            let [warning] = planned.diagnostics.as_slice() else {
                panic!("{:?}", planned.diagnostics)
            };
            assert_eq!(warning.severity, Severity::Warning);
            assert_eq!(
                warning.message,
                format!("tensor `{tensor}` is dropped: {reason}")
            );
            workshop.merge(&recipe("model_stock", &models, true), "out");
        }
    }
}

#[test]
fn a_tensor_that_is_not_optional_is_missed_whatever_the_method() {
    let models = ["a", "b", "c"];
    for method in ["linear", "sce", "model_stock", "multislerp"] {
        let workshop = family(FOREIGN, &["base", "a", "c"]);
        let errors = errors(workshop.try_plan(&recipe(method, &models, method != "linear")));
        assert!(
            errors[0].contains("`b` lacks tensor"),
            "{method}: {errors:?}"
        );
    }
}

#[test]
fn nuslerp_counts_the_models_besides_an_optional_base() {
    let workshop = family(FOREIGN, &[]);
    let plan = |models: &[&str], base| workshop.try_plan(&recipe("nuslerp", models, base));
    for (models, base) in [
        (&["a", "b"][..], false),
        (&["a", "b"], true),
        (&["a", "base", "b"], true),
    ] {
        assert!(plan(models, base).is_ok(), "{models:?}");
    }
    for (models, base, found) in [
        (&["a"][..], false, "`nuslerp` merges 2 models, here is 1"),
        (
            &["a", "b", "c"],
            false,
            "`nuslerp` merges 2 models, here are 3",
        ),
        (
            &["a"],
            true,
            "`nuslerp` merges 2 models besides the base, here is 1",
        ),
        (
            &["a", "base"],
            true,
            "`nuslerp` merges 2 models besides the base, here is 1",
        ),
        (
            &["a", "b", "c"],
            true,
            "`nuslerp` merges 2 models besides the base, here are 3",
        ),
    ] {
        let errors = errors(plan(models, base));
        assert!(errors[0].contains(found), "{models:?}: {errors:?}");
    }
    let only_base = workshop.try_plan(&recipe("multislerp", &["base"], true));
    let errors = errors(only_base);
    assert!(
        errors[0].contains("`multislerp` merges at least 1 model besides the base, here are 0"),
        "{errors:?}"
    );
}
