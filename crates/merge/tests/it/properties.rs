//! What holds for every method whatever the tensors: merges of equal models, other orders, multiples of weights, and copies.

use weightsmith::plan::Action;
use weightsmith::run::MergedSource;
use weightsmith_tensors::{DType, TensorSource};

use crate::family::{Shape, Workshop, values};
use crate::recipes::{Merge, every};

fn small() -> Shape {
    Shape {
        layers: 1,
        hidden: 37,
        vocabulary: 61,
        dtype: DType::F32,
        tied: true,
    }
}

/// Models with these seeds, the base's first.
fn family(seeds: [u64; 4]) -> Workshop {
    let workshop = Workshop::new();
    for (name, seed) in ["base", "a", "b", "c"].into_iter().zip(seeds) {
        workshop.model(name, seed, &small());
    }
    workshop
}

/// The values of all tensors of an unwritten merge.
fn merged(workshop: &Workshop, merge: &Merge) -> Vec<(String, Vec<f64>)> {
    let planned = workshop.plan(&merge.text());
    let source = MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
    let tensors = source.tensors().iter();
    tensors
        .map(|entry| (entry.name.clone(), values(&source, &entry.name)))
        .collect()
}

/// The values of all tensors of a model, in the order of another's.
fn of_model(
    workshop: &Workshop,
    model: &str,
    like: &[(String, Vec<f64>)],
) -> Vec<(String, Vec<f64>)> {
    let names = like.iter().map(|(name, _)| name);
    names
        .map(|name| (name.clone(), workshop.values(model, name)))
        .collect()
}

/// Each value is another's to within some units in the last place of its tensor's largest.
fn assert_near(
    what: &str,
    found: &[(String, Vec<f64>)],
    expected: &[(String, Vec<f64>)],
    units: f64,
) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        let most = expected
            .iter()
            .fold(0.0f64, |most, value| most.max(value.abs()));
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!(
                (found - expected).abs() <= units * most * 2f64.powi(-24),
                "{what}: {name}[{index}] is {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn a_family_of_equal_models_is_that_model() {
    let workshop = family([1; 4]);
    for merge in every() {
        let found = merged(&workshop, &merge);
        let mut expected = of_model(&workshop, "a", &found);
        if merge.method.name == "passthrough" {
            // scaled by a half
            expected
                .iter_mut()
                .flat_map(|(_, values)| values)
                .for_each(|value| *value /= 2.0);
        }
        if merge.base.is_some() && merge.method.name != "slerp" {
            assert!(found == expected, "{}", merge.name());
        } else {
            // weights of 0.6, 0.5 and -0.2: the terms are larger than the result
            assert_near(&merge.name(), &found, &expected, 6.0);
        }
    }
}

#[test]
fn the_order_of_the_models_changes_nothing_beyond_rounding() {
    let workshop = family([0, 1, 2, 3]);
    let draws = |name: &str| name.starts_with("dare") || name.starts_with("della");
    let mut tried = 0;
    for merge in every() {
        let name = merge.method.name;
        if draws(name) || merge.models.len() < 2 || merge.models.contains(&"base") {
            continue;
        }
        if name == "slerp" {
            continue;
        }
        tried += 1;
        let mut other = merge.clone();
        other.models.reverse();
        other.own.reverse();
        assert_near(
            &merge.name(),
            &merged(&workshop, &other),
            &merged(&workshop, &merge),
            16.0,
        );
    }
    assert!(tried >= 14, "{tried}");
}

/// The names of the switch that makes weights shares.
const SHARES: [&str; 2] = ["normalize", "normalize_weights"];

#[test]
fn twice_the_weights_change_nothing_where_they_are_shares() {
    let workshop = family([0, 1, 2, 3]);
    for merge in every() {
        if !merge.takes("weight") {
            continue;
        }
        let mut merge = merge;
        for switch in SHARES {
            if merge.takes(switch) {
                merge.all(switch, "true");
            }
        }
        let doubled = merge.clone().with_each("weight", &["1.2", "1.0", "-0.4"]);
        assert!(
            merged(&workshop, &merge) == merged(&workshop, &doubled),
            "{}",
            merge.name()
        );
    }
}

#[test]
fn twice_the_weights_are_twice_the_change_where_they_are_factors() {
    let workshop = family([0, 1, 2, 3]);
    for merge in every() {
        if !merge.takes("weight") || !SHARES.iter().any(|switch| merge.takes(switch)) {
            continue;
        }
        if merge.method.name == "multislerp" {
            // the weights turn the direction as well
            continue;
        }
        let merge = merge.with("normalize", "false");
        let doubled = merge.clone().with_each("weight", &["1.2", "1.0", "-0.4"]);
        let (once, twice) = (merged(&workshop, &merge), merged(&workshop, &doubled));
        if merge.takes("lambda") {
            let lambda = merge.clone().with("lambda", "2");
            assert!(twice == merged(&workshop, &lambda), "{}", merge.name());
        }
        let mut expected = once.clone();
        if merge.base.is_some() {
            for (name, values) in &mut expected {
                let base = workshop.values("base", name);
                for (value, base) in values.iter_mut().zip(base) {
                    *value = base + 2.0 * (*value - base);
                }
            }
        } else {
            expected
                .iter_mut()
                .flat_map(|(_, values)| values)
                .for_each(|value| *value *= 2.0);
        }
        assert_near(&merge.name(), &twice, &expected, 4.0);
    }
}

/// The bytes of an input's tensors are the result's, and the plan says so.
fn assert_copied(workshop: &Workshop, merge: &Merge, model: &str) {
    let planned = workshop.plan(&merge.text());
    for tensor in &planned.plan.tensors {
        let Action::Copy { source, .. } = &tensor.action else {
            panic!("{}: {} is merged", merge.name(), tensor.name);
        };
        assert_eq!(
            planned.plan.inputs[source.input].label,
            model,
            "{}",
            merge.name()
        );
    }
    let found = merged(workshop, merge);
    assert!(
        found == of_model(workshop, model, &found),
        "{}",
        merge.name()
    );
}

#[test]
fn factors_of_zero_copy_the_base() {
    let workshop = family([0, 1, 2, 3]);
    for merge in every() {
        if merge.base.is_none() {
            continue;
        }
        if merge.takes("lambda") {
            assert_copied(&workshop, &merge.clone().with("lambda", "0"), "base");
            assert_copied(
                &workshop,
                &merge.clone().with_each("weight", &["0"; 3]),
                "base",
            );
        }
        if merge.takes("density") {
            assert_copied(
                &workshop,
                &merge.clone().with_each("density", &["0"; 3]),
                "base",
            );
            let mixed = merge.clone().with_each("density", &["0", "0", "0.5"]);
            assert_copied(
                &workshop,
                &mixed.with_each("weight", &["1", "2", "0"]),
                "base",
            );
        }
        if ["slerp", "nearswap"].contains(&merge.method.name) {
            assert_copied(&workshop, &merge.clone().with("t", "0"), "base");
        }
    }
}

#[test]
fn shares_of_one_copy_a_model() {
    let workshop = family([0, 1, 2, 3]);
    for merge in every() {
        match merge.method.name {
            "slerp" => assert_copied(&workshop, &merge.with("t", "1"), "a"),
            "passthrough" => assert_copied(&workshop, &merge.with_each("scale", &["1"]), "a"),
            "linear" | "nuslerp" if merge.base.is_none() => {
                for weight in ["0.3", "49", "1e-3", "-7"] {
                    let only = merge.clone().with_each("weight", &["0", weight, "0"]);
                    assert_copied(&workshop, &only, "b");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_lone_task_vector_that_is_normalised_is_its_model() {
    let workshop = family([0, 1, 2, 3]);
    for merge in every() {
        if !merge.takes("lambda") {
            continue;
        }
        // 1/49·49 is less than 1 in f64
        for weight in ["1", "0.3", "49", "-3"] {
            let mut only = merge.clone().with("normalize", "true");
            only.each("weight", &["0", weight, "0"]);
            if only.takes("density") {
                only.each("density", &["1"; 3]);
            }
            assert_copied(&workshop, &only, "b");
        }
    }
}
