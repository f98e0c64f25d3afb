//! The methods' formulas in f64, and the bound on our distance from them.
//!
//! |error| ≤ ½ unit in the last place of the result + k · 2⁻²⁴ · Σ|terms|, where the terms are what a formula adds up. k counts the
//! roundings of a term: of its coefficient, of the product, and of every sum that it goes through.

use weightsmith_tensors::DType;

use crate::family::{Shape, Workshop, values};

/// A formula's value for one element, and the sum of the magnitudes of its terms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) value: f64,
    pub(crate) magnitude: f64,
}

/// Σ cᵢ·Wᵢ for every element.
fn combination(coefficients: &[f64], inputs: &[Vec<f64>]) -> Vec<Expected> {
    (0..inputs[0].len())
        .map(|element| {
            let terms: Vec<f64> = coefficients
                .iter()
                .zip(inputs)
                .map(|(c, input)| c * input[element])
                .collect();
            Expected {
                value: terms.iter().sum(),
                magnitude: terms.iter().map(|term| term.abs()).sum(),
            }
        })
        .collect()
}

/// The weighted average of methods.md.
pub(crate) fn linear(weights: &[f64], normalize: bool, inputs: &[Vec<f64>]) -> Vec<Expected> {
    let divisor = if normalize { weights.iter().sum() } else { 1.0 };
    let coefficients: Vec<f64> = weights.iter().map(|weight| weight / divisor).collect();
    combination(&coefficients, inputs)
}

/// Spherical interpolation from the first input to the second.
pub(crate) fn slerp(t: f64, inputs: &[Vec<f64>]) -> Vec<Expected> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let length = |v: &[f64]| {
        Some(dot(v, v).sqrt())
            .filter(|norm| *norm > 1e-8)
            .unwrap_or(1.0)
    };
    let [a, b] = inputs else {
        panic!("SLERP takes two inputs")
    };
    let cosine = (dot(a, b) / length(a) / length(b)).clamp(-1.0, 1.0);
    if cosine.abs() > 0.9995 {
        return combination(&[1.0 - t, t], inputs);
    }
    let angle = cosine.acos();
    combination(
        &[
            ((1.0 - t) * angle).sin() / angle.sin(),
            (t * angle).sin() / angle.sin(),
        ],
        inputs,
    )
}

/// Half a unit in the last place of a type at a value.
pub(crate) fn half_ulp(dtype: DType, value: f64) -> f64 {
    let (mantissa, least) = match dtype {
        DType::BF16 => (7, -133),
        DType::F16 => (10, -24),
        DType::F32 => (23, -149),
        DType::F64 => (52, -1074),
        other => panic!("no unit in the last place for {other}"),
    };
    let exponent = if value == 0.0 {
        -1074
    } else {
        value.abs().log2().floor() as i32
    };
    2f64.powi((exponent - mantissa).max(least)) / 2.0
}

/// Fails when an element is farther from the formula than the bound allows.
pub(crate) fn assert_within(
    what: &str,
    dtype: DType,
    k: f64,
    found: &[f64],
    expected: &[Expected],
) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let unit = if dtype == DType::F64 {
        2f64.powi(-53)
    } else {
        2f64.powi(-24)
    };
    for (element, (found, expected)) in found.iter().zip(expected).enumerate() {
        let bound =
            half_ulp(dtype, expected.value.abs().max(found.abs())) + k * unit * expected.magnitude;
        let error = (found - expected.value).abs();
        assert!(
            error <= bound,
            "{what}[{element}]: {found} is {error:e} from {expected:?}, allowed are {bound:e}"
        );
    }
}

/// Embeddings of 2²² + elements, so that tiles, reduction blocks and file blocks are crossed.
fn shape(dtype: DType) -> Shape {
    Shape {
        layers: 1,
        hidden: 513,
        vocabulary: 8179,
        dtype,
        tied: true,
    }
}

#[test]
fn slerp_of_large_tensors_is_rounded_once_in_every_type() {
    for dtype in [DType::F32, DType::BF16, DType::F16] {
        let workshop = Workshop::new();
        workshop.model("a", 1, &shape(dtype));
        workshop.model("b", 2, &shape(dtype));
        let name = dtype.torch_name().unwrap();
        workshop.merge(
            &format!("models: [{{model: a}}, {{model: b}}]\nmerge_method: slerp\nbase_model: a\ndtype: {name}\nparameters: {{t: 0.3}}"),
            "out",
        );
        for tensor in [
            "model.embed_tokens.weight",
            "model.layers.0.mlp.up_proj.weight",
            "model.norm.weight",
        ] {
            let inputs = [workshop.values("a", tensor), workshop.values("b", tensor)];
            assert_within(
                tensor,
                dtype,
                3.0,
                &workshop.values("out", tensor),
                &slerp(0.3, &inputs),
            );
        }
    }
}

#[test]
fn linear_of_large_tensors_is_rounded_once_whatever_the_input_types() {
    let workshop = Workshop::new();
    for (name, seed, dtype) in [
        ("a", 1, DType::BF16),
        ("b", 2, DType::F32),
        ("c", 3, DType::F16),
    ] {
        workshop.model(name, seed, &shape(dtype));
    }
    workshop.merge(
        "models:
  - {model: a, parameters: {weight: 0.2}}
  - {model: b, parameters: {weight: 0.5}}
  - {model: c, parameters: {weight: -0.4}}
merge_method: linear
dtype: bfloat16",
        "out",
    );
    for tensor in [
        "model.embed_tokens.weight",
        "model.layers.0.self_attn.q_proj.bias",
    ] {
        let inputs: Vec<Vec<f64>> = ["a", "b", "c"]
            .iter()
            .map(|model| workshop.values(model, tensor))
            .collect();
        let expected = linear(&[0.2, 0.5, -0.4], true, &inputs);
        assert_within(
            tensor,
            DType::BF16,
            4.0,
            &workshop.values("out", tensor),
            &expected,
        );
    }
}

#[test]
fn coefficients_that_leave_one_input_alone_copy_its_bytes() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let merged = |text: &str| {
        let planned = workshop.plan(text);
        let source =
            weightsmith::run::MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
        values(&source, "model.embed_tokens.weight")
    };
    let slerp = |t: f64| {
        merged(&format!(
            "models: [{{model: a}}, {{model: b}}]\nmerge_method: slerp\nbase_model: b\nparameters: {{t: {t:?}}}"
        ))
    };
    let (a, b) = (
        workshop.values("a", "model.embed_tokens.weight"),
        workshop.values("b", "model.embed_tokens.weight"),
    );
    assert_eq!(slerp(0.0), b);
    assert_eq!(slerp(1.0), a);
    let linear = "models: [{model: a, parameters: {weight: 0}}, {model: b, parameters: {weight: 7}}]\nmerge_method: linear";
    assert_eq!(merged(linear), b);
    assert_eq!(merged("models: [{model: a}]\nmerge_method: passthrough"), a);
}

#[test]
fn a_model_merged_with_itself_is_itself() {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    for recipe in [
        "models: [{model: a}, {model: a}]\nmerge_method: slerp\nbase_model: a\nparameters: {t: 0.3}",
        "models: [{model: a, parameters: {weight: 0.3}}, {model: a, parameters: {weight: 0.2}}]\nmerge_method: linear",
    ] {
        let planned = workshop.plan(recipe);
        let source =
            weightsmith::run::MergedSource::new(&planned.plan, &planned.models.sources()).unwrap();
        for tensor in &planned.plan.tensors {
            assert_eq!(
                values(&source, &tensor.name),
                workshop.values("a", &tensor.name),
                "{recipe}"
            );
        }
    }
}

#[test]
fn f64_inputs_are_computed_in_f64() {
    let workshop = Workshop::new();
    workshop.model(
        "a",
        1,
        &Shape {
            dtype: DType::F64,
            ..Shape::default()
        },
    );
    workshop.model(
        "b",
        2,
        &Shape {
            dtype: DType::F64,
            ..Shape::default()
        },
    );
    workshop.merge(
        "models: [{model: a}, {model: b}]\nmerge_method: slerp\nbase_model: a\nparameters: {t: 0.3}",
        "out",
    );
    let tensor = "model.embed_tokens.weight";
    let inputs = [workshop.values("a", tensor), workshop.values("b", tensor)];
    // the oracle's own rounding of the angle is a few units larger than ours of a term
    assert_within(
        tensor,
        DType::F64,
        32.0,
        &workshop.values("out", tensor),
        &slerp(0.3, &inputs),
    );
}
