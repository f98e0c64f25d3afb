//! Interpolation along the arc between two models, or between what two models changed in a third.
//! <https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md#nuslerp-nuslerp>

mod column_sums;
mod columns;

use std::f64::consts::PI;

use weightsmith_tensors::Real;

use self::columns::Columns;
use super::gram::{Mix, MixRows, MixWhole, Mixing, Points, Products, cosine};
use super::{
    BaseRule, Compile, Global, InputCount, Kernel, MethodSpec, MissingRule, PerModel, Reference,
};
use crate::{Objection, Operation, Reason};

const WEIGHT: PerModel<f64> = PerModel::required(
    "weight",
    "The model's weight; only the ratio of the two matters.",
);

const NUSLERP_FLATTEN: Global<bool> = Global::switch(
    "nuslerp_flatten",
    true,
    "Treat each tensor as one long vector instead of row by row.",
);

const NUSLERP_ROW_WISE: Global<bool> = Global::switch(
    "nuslerp_row_wise",
    false,
    "Without flattening: use vectors along the first axis instead of the last.",
);

/// What recipes, the planner and the documentation know of it.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "nuslerp",
    title: "NuSLERP",
    summary: "SLERP of two models, or of their differences from a base, with a weight per model; per tensor, row or column.",
    documentation: "\
With t = w₂ / (w₁ + w₂) (½ if the weights sum to less than 1e-6) and θ the angle between the two
tensors a and b: result = [sin((1−t)θ)·a + sin(tθ)·b] / sin θ. If a and b are parallel or opposite
(sin² θ ≤ 1e-16), the result is (1−t)·a + t·b. A zero tensor is orthogonal to everything.

Without a base model, a and b are the tensors of the two models. With a base model, which must be
neither of the two, a and b are their differences from the base's tensor, and the interpolated
difference is added to the base.

The angle is measured per tensor, as one long vector. With `nuslerp_flatten: false` it is measured
per row (each vector along the last axis), or per column (along the first axis) if
`nuslerp_row_wise` is true too. Unlike `slerp`, neither of the two models is the base, a base is
optional, and vectors are interpolated linearly only if they are parallel to the last bit.",
    reference: Some(Reference {
        title: "MergeKit: Merge Methods, NuSLERP (Arcee AI, 2024)",
        url: "https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md#nuslerp-nuslerp",
    }),
    base: BaseRule::Optional,
    inputs: InputCount::exactly(2),
    parameters: &[
        WEIGHT.spec(),
        NUSLERP_FLATTEN.spec(),
        NUSLERP_ROW_WISE.spec(),
    ],
    missing: MissingRule::CopyLone,
    identity,
    shares,
    validate,
    compile: Compile {
        single: compile,
        double: compile,
    },
};

/// Sums of the weights below this are taken as zero: both models have the same share then.
const NO_WEIGHT: f64 = 1e-6;

/// Where sin² of the angle is at most this, there is no arc.
const STRAIGHT: f64 = 1e-16;

/// Below this cosine the angle is not taken from the cosine, whose rounding counts by 1 / sin² θ, but from the sum of the directions.
const NEARLY_OPPOSITE: f64 = -0.9;

/// How far to go from the first model to the second.
fn share(operation: &Operation, points: &Points) -> f64 {
    let weights = points.positions().iter();
    let mut weights = weights.map(|source| operation.of_source(*source, WEIGHT));
    let first = weights.next().unwrap_or(0.0);
    let second = weights.next().unwrap_or(0.0);
    let sum = first + second;
    if sum.abs() < NO_WEIGHT {
        0.5
    } else {
        second / sum
    }
}

fn identity(operation: &Operation) -> Option<usize> {
    let points = Points::tuned(operation);
    match share(operation, &points) {
        0.0 => Some(points.positions()[0]),
        1.0 => Some(points.positions()[1]),
        _ => None,
    }
}

/// Those of `slerp`; deltas are not averaged, since orthogonal ones keep their length.
fn shares(operation: &Operation) -> Option<Vec<f64>> {
    let t = share(operation, &Points::tuned(operation));
    operation.base.is_none().then(|| vec![1.0 - t, t])
}

fn validate(operation: &Operation) -> Result<(), Objection> {
    match Points::tuned(operation).positions().len() {
        2 => Ok(()),
        found => Err(Objection::to_sources(Reason::Models {
            method: operation.method.clone(),
            expected: 2,
            found,
        })),
    }
}

fn compile<T: Real>(operation: &Operation) -> Box<dyn Kernel<T>> {
    let points = Points::tuned(operation);
    let turn = Turn {
        t: share(operation, &points),
    };
    if operation.get(NUSLERP_FLATTEN) {
        Box::new(MixWhole::new(points, turn))
    } else if operation.get(NUSLERP_ROW_WISE) {
        Box::new(Columns::new(points, turn))
    } else {
        Box::new(MixRows::new(points, turn))
    }
}

/// The way along an arc.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// How far to go from the first point to the second.
    t: f64,
}

/// What follows from the products of two points.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Decision {
    /// The coefficients of both.
    Mix([f64; 2]),
    /// They are nearly opposite: the square of the length of this mixture, the sum of their directions, must be known.
    Measure([f64; 2]),
}

impl Turn {
    /// Decides by a·a, a·b and b·b.
    fn decide(self, [aa, ab, bb]: [f64; 3]) -> Decision {
        let cosine = cosine(aa, bb, ab);
        if cosine < NEARLY_OPPOSITE {
            return Decision::Measure([1.0 / aa.sqrt(), 1.0 / bb.sqrt()]);
        }
        let sine_squared = (1.0 - cosine) * (1.0 + cosine);
        Decision::Mix(self.mix(libm::acos(cosine), sine_squared))
    }

    /// The coefficients for points whose directions' sum is that long, squared.
    fn nearly_opposite(self, square: f64) -> [f64; 2] {
        let short_of_opposite = 2.0 * libm::asin((square.sqrt() / 2.0).min(1.0));
        let sine = libm::sin(short_of_opposite);
        self.mix(PI - short_of_opposite, sine * sine)
    }

    fn mix(self, angle: f64, sine_squared: f64) -> [f64; 2] {
        let t = self.t;
        if sine_squared <= STRAIGHT {
            return [1.0 - t, t];
        }
        let sine = sine_squared.sqrt();
        [
            libm::sin((1.0 - t) * angle) / sine,
            libm::sin(t * angle) / sine,
        ]
    }
}

impl Mixing for Turn {
    const PASSES: usize = 2;

    fn mix(&self, products: &Products, square: Option<f64>) -> Mix {
        if let Some(square) = square {
            return Mix::Of(self.nearly_opposite(square).to_vec());
        }
        match self.decide([products.get(0, 0), products.get(0, 1), products.get(1, 1)]) {
            Decision::Mix(coefficients) => Mix::Of(coefficients.to_vec()),
            Decision::Measure(directions) => Mix::Measure(directions.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests;
