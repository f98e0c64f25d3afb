//! Moves each weight of the base towards the other model's, by a fixed distance at most.
//! <https://huggingface.co/alchemonaut/BoreanGale-70B>

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use weightsmith_tensors::kernels::Isa;
use weightsmith_tensors::{Real, kernels};

use super::family::Family;
use super::{
    Apply, BaseRule, Compile, Global, InputCount, Kernel, MethodSpec, MissingRule, OutputTensor,
    Reference, Stage, Tiles, Workspace,
};
use crate::Operation;

const DISTANCE: Global<f64> = Global::required(
    "t",
    "Maximum distance of near weights, and the distance that other weights move.",
)
.usual(0.0, 0.0025);

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "nearswap",
    title: "NearSwap",
    summary: "Copies the other model's weights where they are near the base's, and moves the rest slightly towards them.",
    documentation: "\
With a = the base's weight and b = the other's: result = k·b + (1−k)·a, where k = t / max(|a−b|,
0.000001), limited to 0…1.

Weights that differ by at most `t` become the other model's. The rest move towards it by exactly
`t`, so the base keeps its distinctive weights. (For `t` below 0.000001, no weight is copied
completely.) The method's author merged 70B models with `t` between 0.0001 and 0.001, and saw them
break down above 0.0025. `t` = 0 is the base, byte for byte.",
    reference: Some(Reference {
        title: "BoreanGale-70B: the NearSwap algorithm (alchemonaut, 2024)",
        url: "https://huggingface.co/alchemonaut/BoreanGale-70B",
    }),
    base: BaseRule::Required,
    inputs: InputCount::exactly(2),
    parameters: &[DISTANCE.spec()],
    missing: MissingRule::CopyLoneBase,
    identity: |operation| (operation.get(DISTANCE) <= 0.0).then_some(operation.base.unwrap_or(0)),
    shares: |_| None,
    validate: Family::validate,
    compile: Compile {
        single: |operation| Box::new(NearSwap::<f32>::new(operation)),
        double: |operation| Box::new(NearSwap::<f64>::new(operation)),
    },
};

/// Weights closer than this count as this far apart.
const LEAST_DISTANCE: f64 = 1e-6;

#[derive(Debug, Clone, Copy)]
struct NearSwap<T> {
    base: usize,
    step: Step<T>,
}

/// How a weight moves.
#[derive(Debug, Clone, Copy)]
struct Step<T> {
    /// The longest step.
    longest: T,
    /// Weights that are no farther apart than this are swapped; negative when none are.
    near: T,
    /// Steps shrink with the distance below this.
    least: T,
    /// What they are of the distance then.
    slope: T,
}

impl<T: Real> NearSwap<T> {
    fn new(operation: &Operation) -> Self {
        let t = operation.get(DISTANCE).max(0.0);
        let near = if t >= LEAST_DISTANCE { t } else { -1.0 };
        Self {
            base: operation.base.unwrap_or(0),
            step: Step {
                longest: T::from_f64(t),
                near: T::from_f64(near),
                least: T::from_f64(LEAST_DISTANCE),
                slope: T::from_f64(t / LEAST_DISTANCE),
            },
        }
    }
}

impl<T: Real> Kernel<T> for NearSwap<T> {
    fn begin(&self, _: &OutputTensor<'_>) -> Stage<T> {
        Stage::apply(*self)
    }
}

impl<T: Real> Apply<T> for NearSwap<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, out: &mut [T]) {
        Isa::detected().run(Move {
            step: self.step,
            base: tiles.source(self.base),
            other: tiles.source(1 - self.base),
            out,
        });
    }
}

/// Moves weights.
///
/// k·b + (1−k)·a is a + k·(b−a), and k·(b−a) is ±t wherever k is below 1 and the distance is not a tiny one: so
/// nothing is divided, and only the sum is rounded.
struct Move<'a, T> {
    step: Step<T>,
    base: &'a [T],
    other: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Move<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Step {
            longest,
            near,
            least,
            slope,
        } = self.step;
        for ((out, &a), &b) in self.out.iter_mut().zip(self.base).zip(self.other) {
            let apart = b - a;
            let distance = apart.abs();
            let full = if apart < T::ZERO { -longest } else { longest };
            let step = if distance >= least {
                full
            } else {
                apart * slope
            };
            // what is not finite is infinitely far, and shows in the result
            let is_taken = distance <= near || !b.is_finite();
            *out = if is_taken { b } else { a + step };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with};
    use crate::testing::oracle::{assert_within, check, drawn};

    fn nearswap(t: f64, base: usize) -> Operation {
        with(operation("nearswap", 2, Some(base)), "t", Value::Number(t))
    }

    /// The formula and the sum of the magnitudes of the base and the step.
    fn formula(t: f64, a: f64, b: f64) -> (f64, f64) {
        let k = (t / (b - a).abs().max(1e-6)).clamp(0.0, 1.0);
        (k * b + (1.0 - k) * a, a.abs() + (k * (b - a)).abs())
    }

    #[test]
    fn near_weights_are_swapped_and_far_ones_move_by_t() {
        let sources = [vec![1.0f32, 1.0, 1.0, 1.0], vec![1.25, 1.5, 3.0, -1.0]];
        let result = evaluate(&nearswap(0.5, 0), &[4], &sources);
        assert_eq!(result, [1.25, 1.5, 1.5, 0.5]);
    }

    #[test]
    fn the_base_may_be_the_second_source() {
        let sources = [vec![1.25f32, 3.0], vec![1.0, 1.0]];
        assert_eq!(evaluate(&nearswap(0.5, 1), &[2], &sources), [1.25, 1.5]);
    }

    #[test]
    fn distances_below_a_millionth_are_rounded_up_to_it() {
        // half of the millionth: weights go half of the way
        let sources = [vec![0.0f64, 0.0, 1.0], vec![4e-7, -1e-8, 2.0]];
        let result = evaluate(&nearswap(5e-7, 0), &[3], &sources);
        assert_within(&result, &[2e-7, -5e-9, 1.0 + 5e-7], 1e-16);
    }

    #[test]
    fn no_step_is_the_base() {
        assert_eq!((SPEC.identity)(&nearswap(0.0, 1)), Some(1));
        assert_eq!((SPEC.identity)(&nearswap(-0.5, 0)), Some(0));
        assert_eq!((SPEC.identity)(&nearswap(0.5, 0)), None);
        let sources = [vec![1.0f32, 2.0], vec![3.0, 4.0]];
        assert_eq!(evaluate(&nearswap(-0.5, 0), &[2], &sources), sources[0]);
    }

    #[test]
    fn every_element_is_the_formulas_to_within_rounding() {
        // in f64 the formula below rounds as well
        fn holds<T: Real>(t: f64, k: f64) {
            let sources: [Vec<T>; 2] = [drawn(1, 0.1, 6_789), drawn(2, 0.1, 6_789)];
            let result = evaluate(&nearswap(t, 0), &[6_789], &sources);
            check(&result, k, |i| {
                formula(t, sources[0][i].to_f64(), sources[1][i].to_f64())
            });
        }
        for t in [3e-7, 1e-6, 0.004, 0.1, 10.0] {
            holds::<f32>(t, 4.0);
            holds::<f64>(t, 10.0);
        }
    }
}
