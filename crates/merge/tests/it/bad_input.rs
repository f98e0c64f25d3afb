//! What each method makes of inputs that are damaged, do not go together or have nothing in them: a defined result or a clear error.

use std::sync::atomic::AtomicBool;

use weightsmith::Severity;
use weightsmith::plan::Action;
use weightsmith::run::{MergedSource, Report, RunError, Silent};
use weightsmith_tensors::{DType, TensorSource};

use crate::family::{Shape, Workshop, errors, numbers, values};
use crate::recipes::{Merge, every};

const EXTRA: &str = "model.extra.weight";

/// Models that are nothing but small, with a further tensor each: the base's, `a`'s, `b`'s and `c`'s.
fn family(tensor: &str, dtype: DType, shape: &[u64], values: [Option<Vec<f32>>; 4]) -> Workshop {
    let workshop = Workshop::new();
    let small = Shape {
        layers: 1,
        ..Shape::default()
    };
    for (seed, (name, values)) in ["base", "a", "b", "c"].into_iter().zip(values).enumerate() {
        let further: Vec<_> = values
            .map(|values| (tensor, dtype, shape, values))
            .into_iter()
            .collect();
        workshop.model_with(name, seed as u64, &small, &further);
    }
    workshop
}

/// The values of a family: those of a seed, and a tenth of others.
fn related(count: u64) -> [Vec<f32>; 4] {
    let common = numbers(99, count, 1.0);
    [0, 1, 2, 3].map(|seed| {
        let own = numbers(seed, count, 0.1);
        common.iter().zip(own).map(|(a, b)| a + b).collect()
    })
}

fn run(workshop: &Workshop, merge: &Merge, allow: bool) -> Result<Report, RunError> {
    let never = AtomicBool::new(false);
    let planned = workshop.plan(&merge.text());
    workshop.run(&planned, "out", &Silent, &never, |options| {
        options.force = true;
        options.allow_non_finite = allow;
    })
}

/// The tensor of the unwritten merge.
fn merged(workshop: &Workshop, merge: &Merge) -> Vec<f64> {
    let planned = workshop.plan(&merge.text());
    let source = MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
    values(&source.allow_non_finite(true), EXTRA)
}

#[test]
fn buffers_are_copied_where_equal_and_else_an_error_that_names_two_models() {
    for (dtype, values) in [
        (DType::I64, vec![1.0, 2.0, 3.0]),
        (DType::BOOL, vec![1.0, 0.0, 1.0]),
        (DType::U8, vec![7.0, 8.0, 9.0]),
    ] {
        let equal = || Some(values.clone());
        let odd = Some(vec![0.0, 1.0, 0.0]);
        let same = family(
            "model.position_ids",
            dtype,
            &[3],
            [equal(), equal(), equal(), equal()],
        );
        for merge in every() {
            run(&same, &merge, false).unwrap();
            let written = weightsmith_tensors::Checkpoint::open(&same.path("out")).unwrap();
            let tensor = written.find("model.position_ids").unwrap();
            assert_eq!(written.tensors()[tensor].info.dtype, dtype);
            let mut scratch = Vec::new();
            let bytes = written.read(tensor, 0..3, &mut scratch).unwrap();
            let expected = weightsmith_tensors::testing::bytes_of(dtype, &values).unwrap();
            assert_eq!(bytes, expected, "{}", merge.name());
        }
        for merge in every() {
            // the last model differs
            let (inputs, last) = (merge.inputs(), *merge.models.last().unwrap());
            if inputs.len() < 2 {
                continue;
            }
            let of = |model| if model == last { odd.clone() } else { equal() };
            let workshop = family(
                "model.position_ids",
                dtype,
                &[3],
                ["base", "a", "b", "c"].map(of),
            );
            let error = run(&workshop, &merge, false).unwrap_err();
            assert!(matches!(error, RunError::UnequalBuffers { .. }), "{error}");
            let text = error.to_string();
            let lead = merge.base.unwrap_or(inputs[0]);
            for part in [
                "`model.position_ids`".to_owned(),
                format!("`{last}`"),
                format!("`{lead}`"),
            ] {
                assert!(text.contains(&part), "{}: {text}", merge.name());
            }
        }
    }
}

#[test]
fn a_tensor_that_is_a_buffer_in_one_input_and_weights_in_another_is_an_error() {
    for merge in every().into_iter().filter(|merge| merge.inputs().len() > 1) {
        let workshop = family(
            EXTRA,
            DType::F32,
            &[2],
            [1.0, 2.0, 3.0, 4.0].map(|x| Some(vec![x; 2])),
        );
        let last = *merge.models.last().unwrap();
        let small = Shape {
            layers: 1,
            ..Shape::default()
        };
        workshop.model_with(
            last,
            1,
            &small,
            &[(EXTRA, DType::I32, &[2], vec![1.0, 2.0])],
        );
        let errors = errors(workshop.try_plan(&merge.text()));
        assert!(
            errors[0].contains("I32") && errors[0].contains(&format!("`{last}`")),
            "{errors:?}"
        );
    }
}

#[test]
fn a_shape_that_differs_is_an_error_also_where_the_tensor_has_no_weight() {
    for merge in every().into_iter().filter(|merge| merge.inputs().len() > 1) {
        for weightless in [false, true] {
            let mut merge = merge.clone();
            if weightless {
                match merge.method.name {
                    "slerp" | "nearswap" => merge.all("t", "0"),
                    "nuslerp" => merge.each("weight", &["1", "0"]),
                    "linear" | "multislerp" => merge.each("weight", &["1", "1", "0"]),
                    _ if merge.takes("lambda") => merge.all("lambda", "0"),
                    _ => continue,
                }
            }
            let workshop = family(EXTRA, DType::F32, &[2, 3], related(6).map(Some));
            let last = *merge.models.last().unwrap();
            let small = Shape {
                layers: 1,
                ..Shape::default()
            };
            workshop.model_with(
                last,
                1,
                &small,
                &[(EXTRA, DType::F32, &[3, 2], vec![0.0; 6])],
            );
            let errors = errors(workshop.try_plan(&merge.text()));
            let text = &errors[0];
            assert!(
                text.contains(EXTRA)
                    && text.contains("[2, 3]")
                    && text.contains("[3, 2]")
                    && text.contains(&format!("`{last}`")),
                "{}: {text}",
                merge.name()
            );
        }
    }
}

#[test]
fn a_tensor_of_a_layer_that_one_input_lacks_is_an_error_whatever_the_method() {
    for merge in every().into_iter().filter(|merge| merge.inputs().len() > 1) {
        let [base, a, b, c] = related(8).map(Some);
        let mut all = [("base", base), ("a", a), ("b", b), ("c", c)];
        let last = *merge.models.last().unwrap();
        for (name, values) in &mut all {
            if *name == last {
                *values = None;
            }
        }
        let workshop = family(
            "model.layers.0.mlp.extra.weight",
            DType::F32,
            &[8],
            all.map(|(_, values)| values),
        );
        let parts = [
            "`model.layers.0.mlp.extra.weight`".to_owned(),
            format!("`{last}`"),
        ];
        // a single tensor of two is copied by some methods where it is optional, which this one is not
        let errors = errors(workshop.try_plan(&merge.text()));
        assert!(
            parts.iter().all(|part| errors[0].contains(part)),
            "{}: {errors:?}",
            merge.name()
        );
    }
}

/// Methods that drop elements, so that a value may go that is not finite.
fn may_drop(merge: &Merge) -> bool {
    [
        "dare_linear",
        "dare_ties",
        "della",
        "della_linear",
        "breadcrumbs",
        "breadcrumbs_ties",
    ]
    .contains(&merge.method.name)
}

#[test]
fn values_that_are_not_finite_are_an_error_that_names_the_model_and_never_vanish() {
    let count = 5000;
    let mut failures = Vec::new();
    for merge in every() {
        for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (place, victim) in merge.inputs().into_iter().enumerate() {
                let index = [0, 4999, 2048, 17][place];
                let mut all = related(count);
                let position = ["base", "a", "b", "c"]
                    .iter()
                    .position(|name| *name == victim)
                    .unwrap();
                all[position][index] = poison;
                let workshop = family(EXTRA, DType::F32, &[50, 100], all.map(Some));
                match run(&workshop, &merge, false) {
                    Err(RunError::NonFiniteInput { model, tensor, .. })
                        if model == victim && tensor == EXTRA => {}
                    other => {
                        failures.push(format!("{}: {poison} in {victim}: {other:?}", merge.name()));
                    }
                }
                let report = run(&workshop, &merge, true).unwrap();
                let is_reported = report.non_finite.iter().any(|(tensor, _)| tensor == EXTRA);
                let is_there = merged(&workshop, &merge)
                    .iter()
                    .any(|value| !value.is_finite());
                if is_reported != is_there || !(is_there || may_drop(&merge)) {
                    failures.push(format!("{}: {poison} in {victim} vanished", merge.name()));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is kept of NaN, where nothing scales it and everything else is sound.
#[test]
fn nan_that_is_not_dropped_stays_where_it_was() {
    let mut failures = Vec::new();
    for merge in every() {
        if !merge.takes("lambda")
            && ![
                "sce",
                "ram",
                "ramplus_tl",
                "nearswap",
                "arcee_fusion",
                "linear",
            ]
            .contains(&merge.method.name)
        {
            continue;
        }
        let mut merge = merge;
        if merge.takes("density") {
            merge.each("density", &["1"; 3]);
        }
        if merge.takes("select_topk") {
            merge.all("select_topk", "1");
        }
        for switch in ["false", "true"] {
            if merge.takes("normalize") {
                merge.all("normalize", switch);
            }
            let mut all = related(5000);
            all[1][77] = f32::NAN;
            let workshop = family(EXTRA, DType::F32, &[50, 100], all.map(Some));
            if !merged(&workshop, &merge)[77].is_nan() {
                failures.push(merge.name());
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn tensors_of_odd_shapes_are_merged_by_every_method() {
    let shapes: [&[u64]; 9] = [
        &[],
        &[1],
        &[1, 1],
        &[9, 1],
        &[1, 9],
        &[1, 1, 7],
        &[0],
        &[0, 4],
        &[4, 0],
    ];
    for shape in shapes {
        let count: u64 = shape.iter().product();
        let workshop = family(EXTRA, DType::F32, shape, related(count).map(Some));
        let zeros = family(
            EXTRA,
            DType::F32,
            shape,
            [0, 1, 2, 3].map(|_| Some(vec![0.0; count as usize])),
        );
        for merge in every() {
            let found = merged(&workshop, &merge);
            assert_eq!(found.len() as u64, count);
            assert!(
                found.iter().all(|value| value.is_finite()),
                "{} {shape:?}: {found:?}",
                merge.name()
            );
            run(&workshop, &merge, false).unwrap();
            let zero = merged(&zeros, &merge);
            assert!(
                zero.iter().all(|value| *value == 0.0),
                "{} {shape:?}: {zero:?}",
                merge.name()
            );
        }
    }
}

#[test]
fn models_that_differ_in_nothing_or_are_opposite_have_finite_results() {
    let base = numbers(7, 600, 1.0);
    let opposite: Vec<f32> = base.iter().map(|value| -value).collect();
    let cases = [
        [base.clone(), base.clone(), opposite.clone(), base.clone()],
        [
            opposite.clone(),
            base.clone(),
            opposite.clone(),
            opposite.clone(),
        ],
        [
            vec![0.0; 600],
            base.clone(),
            opposite.clone(),
            vec![0.0; 600],
        ],
        [base.clone(), vec![0.0; 600], vec![0.0; 600], vec![0.0; 600]],
    ];
    for case in cases {
        let workshop = family(EXTRA, DType::F32, &[20, 30], case.map(Some));
        for merge in every() {
            let found = merged(&workshop, &merge);
            // weights of 0.6, 0.5 and -0.2 of deltas up to twice as long
            let bound = 6.0;
            assert!(
                found.iter().all(|value| value.abs() <= bound),
                "{}",
                merge.name()
            );
        }
    }
}

#[test]
fn weights_that_sum_to_zero_have_a_result_or_are_refused_at_their_place() {
    let workshop = family(EXTRA, DType::F32, &[20, 30], related(600).map(Some));
    for merge in every().into_iter().filter(|merge| merge.takes("weight")) {
        let weights: &[&str] = if merge.own.len() == 2 {
            &["0.5", "-0.5"]
        } else {
            &["0.3", "0.4", "-0.7"]
        };
        let merge = merge.with_each("weight", weights);
        for switch in ["normalize", "normalize_weights"] {
            if !merge.takes(switch) {
                continue;
            }
            let plain = merge.clone().with(switch, "false");
            let shares = merge.clone().with(switch, "true");
            assert!(
                merged(&workshop, &plain)
                    .iter()
                    .all(|value| value.is_finite())
            );
            if merge.takes("lambda") {
                assert!(
                    merged(&workshop, &shares)
                        .iter()
                        .all(|value| value.is_finite())
                );
                continue;
            }
            let errors = errors(workshop.try_plan(&shares.text()));
            assert!(errors[0].contains("weights sum to"), "{errors:?}");
        }
        if merge.method.name == "nuslerp" {
            assert!(
                merged(&workshop, &merge)
                    .iter()
                    .all(|value| value.is_finite())
            );
        }
    }
}

/// The line of the recipe that the first error points to, and its text.
fn refusal(workshop: &Workshop, merge: &Merge) -> (String, String) {
    let text = merge.text();
    let diagnostics = workshop.try_plan(&text).expect_err("the plan should fail");
    let error = diagnostics
        .iter()
        .find(|found| found.severity == Severity::Error)
        .unwrap();
    let line = error
        .span
        .map(|span| text.lines().nth(span.line - 1).unwrap_or_default());
    (
        error.to_string(),
        line.unwrap_or_default().trim().to_owned(),
    )
}

#[test]
fn shares_that_are_none_are_refused_where_the_recipe_sets_them() {
    let workshop = family(EXTRA, DType::F32, &[20, 30], related(600).map(Some));
    let mut refused = 0;
    for merge in every().into_iter().filter(|merge| merge.takes("density")) {
        for wrong in ["-0.1", "1.01", "50"] {
            for position in 0..3 {
                let mut densities = ["0.5"; 3];
                densities[position] = wrong;
                let merge = merge.clone().with_each("density", &densities);
                let (error, line) = refusal(&workshop, &merge);
                assert!(
                    error.contains("density") && error.contains(wrong),
                    "{}: {error}",
                    merge.name()
                );
                assert_eq!(
                    line,
                    format!("density: {wrong}"),
                    "{}: {error}",
                    merge.name()
                );
                refused += 1;
            }
        }
        if merge.takes("gamma") {
            let merge = merge.clone().with_each("gamma", &["0.1", "1.5", "0.1"]);
            let (error, line) = refusal(&workshop, &merge);
            assert_eq!(line, "gamma: 1.5", "{error}");
        }
        if merge.method.name.starts_with("della") {
            for (density, epsilon) in [
                ("0.1", "0.1"),
                ("0.9", "0.1"),
                ("0.95", "0.2"),
                ("0.05", "0.3"),
                ("0.5", "-0.1"),
            ] {
                let densities = ["0.5", density, "0.5"];
                let merge = merge.clone().with_each("density", &densities);
                let merge = merge.with_each("epsilon", &["0.05", epsilon, "0.05"]);
                let (error, line) = refusal(&workshop, &merge);
                assert!(error.contains("epsilon"), "{error}");
                let places = [format!("density: {density}"), format!("epsilon: {epsilon}")];
                assert!(places.contains(&line), "{line}: {error}");
            }
        }
    }
    assert_eq!(refused, 7 * 9);
}

#[test]
fn a_missing_value_does_not_hide_what_is_wrong_with_others() {
    let workshop = family(EXTRA, DType::F32, &[20, 30], related(600).map(Some));
    let recipe = |parameters: &str| {
        format!(
            "models: [{{model: a, parameters: {{{parameters}}}}}, {{model: b, parameters: {{weight: 1, density: 0.5}}}}]\n\
             merge_method: ties\nbase_model: base\ndtype: float32\n"
        )
    };
    for (parameters, expected) in [
        ("density: 50", ["`weight` is not set", "`density` is 50, "]),
        (
            "weight: word, density: 50",
            ["`weight` is the string `word`, ", "`density` is 50, "],
        ),
    ] {
        let found = errors(workshop.try_plan(&recipe(parameters)));
        assert_eq!(found.len(), 2, "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }
    // a stand-in is not complained about
    let found = errors(workshop.try_plan(&recipe("density: 0.5")));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn every_tensor_of_these_recipes_is_merged_and_not_copied() {
    let workshop = family(EXTRA, DType::F32, &[20, 30], related(600).map(Some));
    for merge in every() {
        let plan = workshop.plan(&merge.text()).plan;
        let is_merged = |action: &Action| matches!(action, Action::Merge(_));
        assert!(
            plan.tensors.iter().all(|tensor| is_merged(&tensor.action)),
            "{}",
            merge.name()
        );
    }
}
