//! Interpolation along the arc between two models. <https://dl.acm.org/doi/10.1145/325165.325242>

use weightsmith_tensors::{Real, kernels};

use super::linear::WeightedSum;
use super::{
    BaseRule, Compile, Global, InputCount, Kernel, Measure, MethodSpec, MissingRule, OutputTensor,
    Reference, Stage, Tiles, Workspace,
};
use crate::Operation;

const T: Global<f64> = Global::required(
    "t",
    "Position between the models: 0 is the base, 1 is the other model.",
)
.usual(0.0, 1.0);

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "slerp",
    title: "Spherical linear interpolation (SLERP)",
    summary: "Interpolates from the base model to the other model along the arc between their weights.",
    documentation: "\
With a = the base's tensor, b = the other's, and θ the angle between them (each as one long vector):
result = [sin((1−t)θ)·a + sin(tθ)·b] / sin θ. Nearly parallel tensors (|cos θ| > 0.9995) are
interpolated linearly.

`t` = 0 is the base and `t` = 1 is the other model, byte for byte. A list of values is a curve over
the layers: with `t: [0, 0.25, 0.5, 0.25, 0]` the base dominates the first and last layers, and both
models contribute to the middle ones. Tensors outside the layers (embeddings, final norm, output
head) use the *first* value of a curve. Fine-tunes of one base are nearly parallel in most tensors,
so the result is close to a linear average. The arc matters for models that have moved further
apart.",
    reference: Some(Reference {
        title: "Animating rotation with quaternion curves (Shoemake, 1985)",
        url: "https://dl.acm.org/doi/10.1145/325165.325242",
    }),
    base: BaseRule::Required,
    inputs: InputCount::exactly(2),
    parameters: &[T.spec()],
    missing: MissingRule::CopyLone,
    identity,
    shares: |operation| Some(arrange(operation, 1.0 - operation.get(T), operation.get(T)).to_vec()),
    validate: |_| Ok(()),
    compile: Compile {
        single: |operation| Box::new(Slerp::new(operation)),
        double: |operation| Box::new(Slerp::new(operation)),
    },
};

/// Cosines beyond this are taken as parallel: the arc is a line to within rounding, and sin θ no divisor.
const PARALLEL: f64 = 0.9995;

/// Norms at or below this are not divided by.
const NO_DIRECTION: f64 = 1e-8;

/// Puts the values for the base and for the other model at their positions.
fn arrange<V>(operation: &Operation, base: V, other: V) -> [V; 2] {
    if operation.base == Some(1) {
        [other, base]
    } else {
        [base, other]
    }
}

fn identity(operation: &Operation) -> Option<usize> {
    let base = operation.base.unwrap_or(0);
    match operation.get(T) {
        0.0 => Some(base),
        1.0 => Some(1 - base),
        _ => None,
    }
}

/// Measures the angle.
#[derive(Debug, Clone, Copy)]
struct Slerp {
    /// How far to go from the first source to the second.
    t: f64,
}

impl Slerp {
    fn new(operation: &Operation) -> Self {
        let t = operation.get(T);
        Self {
            t: if operation.base == Some(1) {
                1.0 - t
            } else {
                t
            },
        }
    }
}

/// The coefficients of both vectors, from a·a, b·b and a·b.
fn coefficients(t: f64, aa: f64, bb: f64, ab: f64) -> (f64, f64) {
    let direction = |square: f64| {
        if square.sqrt() > NO_DIRECTION {
            square.sqrt()
        } else {
            1.0
        }
    };
    let cosine = (ab / (direction(aa) * direction(bb))).clamp(-1.0, 1.0);
    if cosine.abs() > PARALLEL {
        return (1.0 - t, t);
    }
    let angle = libm::acos(cosine);
    let sine = libm::sin(angle);
    (
        libm::sin((1.0 - t) * angle) / sine,
        libm::sin(t * angle) / sine,
    )
}

impl<T: Real> Kernel<T> for Slerp {
    fn passes(&self) -> usize {
        1
    }

    fn begin(&self, _: &OutputTensor<'_>) -> Stage<T> {
        Stage::measure(*self)
    }
}

impl<T: Real> Measure<T> for Slerp {
    type Found = [f64; 3];

    fn total(&self) -> Self::Found {
        [0.0; 3]
    }

    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, found: &mut Self::Found) {
        let products = kernels::dot3(tiles.source(0), tiles.source(1));
        for (sum, product) in found.iter_mut().zip(products) {
            *sum += product;
        }
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let [aa, bb, ab] = found;
        let (a, b) = coefficients(self.t, aa, bb, ab);
        Stage::apply(WeightedSum::<T>::of(&[a, b]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with};

    #[test]
    fn orthogonal_vectors_of_any_length_mix_with_the_sines_of_the_angle() {
        // θ = 90°: sin(45°) / sin(90°) for both
        let (a, b) = coefficients(0.5, 4.0, 9.0, 0.0);
        assert!((a - 0.5f64.sqrt()).abs() < 1e-15 && (b - 0.5f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn halfway_between_two_axes_lies_the_diagonal() {
        let operation = with(operation("slerp", 2, Some(0)), "t", Value::Number(0.5));
        let result = evaluate(&operation, &[2], &[vec![1.0f32, 0.0], vec![0.0, 1.0]]);
        assert_eq!(result, [0.5f32.sqrt(); 2]);
    }

    #[test]
    fn parallel_and_antiparallel_vectors_are_interpolated_linearly() {
        assert_eq!(coefficients(0.25, 1.0, 4.0, 2.0), (0.75, 0.25));
        assert_eq!(coefficients(0.5, 1.0, 1.0, -1.0), (0.5, 0.5));
    }

    #[test]
    fn a_vector_without_direction_is_orthogonal_to_everything() {
        let (a, b) = coefficients(0.5, 0.0, 1.0, 0.0);
        assert!((a - b).abs() < 1e-15 && (a - 0.5f64.sqrt()).abs() < 1e-15);
    }
}
