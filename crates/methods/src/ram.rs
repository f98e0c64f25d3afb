//! Averages what several models changed and keeps whole what one of them changed alone. <https://arxiv.org/abs/2601.13572>

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use weightsmith_tensors::kernels::{Isa, load, store};
use weightsmith_tensors::{Real, kernels};

use super::family::Family;
use super::{
    Apply, BaseRule, Compile, Global, InputCount, Kernel, Measure, MethodSpec, MissingRule,
    OutputTensor, Reference, Stage, Statistic, Tiles, Workspace,
};
use crate::Operation;

const EPSILON: Global<f64> = Global::number(
    "epsilon",
    1e-5,
    "A weight is active if it differs from the base's by more than this.",
)
.usual(0.0, 1.0);

const REFERENCE: Reference = Reference {
    title: "Behavior Knowledge Merge in Reinforced Agentic Models (Yuan et al., 2026)",
    url: "https://arxiv.org/abs/2601.13572",
};

const R: Global<f64> =
    Global::number("r", 0.1, "How much a model's own changes are amplified.").usual(0.0, 1.0);

const ALPHA: Global<f64> = Global::number(
    "alpha",
    0.2,
    "Upper limit for the ratio of shared to own changes.",
)
.usual(0.0, 1.0);

/// What recipes, the planner and the documentation know of RAM.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "ram",
    title: "Reinforced Agent Merging (RAM)",
    summary: "Averages weights that several models changed, and copies weights that only one model changed.",
    documentation: "\
With Dᵢ = Wᵢ − W₀ for each model, a weight is *active* in a model if |Dᵢ| > `epsilon`. Active in no
model: W₀. In one model i: Wᵢ, exactly. In several: W₀ + the mean of the active Dᵢ.

Reinforcement learning changes few weights, and different ones for each task. Averages of whole
models (and task arithmetic with weights that sum to 1) shrink every change to a fraction; RAM keeps
a change that only one model made in full. Fine-tunes that changed almost everything have few such
weights, and RAM is close to their plain average. `epsilon` applies to the values in the
checkpoints: the default counts almost every change that BF16 can represent.",
    reference: Some(REFERENCE),
    base: BaseRule::Required,
    inputs: InputCount::at_least(1),
    parameters: &[EPSILON.spec()],
    missing: MissingRule::MergeRest,
    identity: Family::lone,
    shares: |_| None,
    validate: Family::validate,
    compile: Compile {
        single: |operation| Box::new(Ram::<f32>::new(operation)),
        double: |operation| Box::new(Ram::<f64>::new(operation)),
    },
};

/// What recipes, the planner and the documentation know of RAM+.
pub(super) static PLUS: MethodSpec = MethodSpec {
    name: "ramplus_tl",
    title: "Reinforced Agent Merging Plus (RAM+), tensor by tensor",
    summary: "Like RAM, but amplifies a model's own changes if it shares many others.",
    documentation: "\
Like `ram`, but a weight that only model i changed becomes W₀ + λᵢ·Dᵢ with λᵢ = 1 + `r` ·
min(sharedᵢ / uniqueᵢ, `alpha`). sharedᵢ and uniqueᵢ are the numbers of weights, per tensor, that
the model changed together with others and alone.

Averaging weakens the changes that models share; RAM+ compensates with the model's own changes. `r`
sets how much, and `alpha` limits it: λᵢ is at most 1 + `r`·`alpha`. With `r` = 0 this is `ram`.",
    reference: Some(REFERENCE),
    base: BaseRule::Required,
    inputs: InputCount::at_least(1),
    parameters: &[EPSILON.spec(), R.spec(), ALPHA.spec()],
    missing: MissingRule::MergeRest,
    identity: Family::lone,
    shares: |_| None,
    validate: Family::validate,
    compile: Compile {
        single: |operation| Box::new(RamPlus::<f32>::new(operation)),
        double: |operation| Box::new(RamPlus::<f64>::new(operation)),
    },
};

/// The result, once it is known how much each model's own changes count.
#[derive(Debug, Clone)]
struct Ram<T> {
    family: Family,
    epsilon: T,
    /// λ of each tuned model.
    factors: Vec<T>,
}

impl<T: Real> Ram<T> {
    fn new(operation: &Operation) -> Self {
        let family = Family::of(operation);
        Self {
            epsilon: T::from_f64(operation.get(EPSILON)),
            factors: vec![T::ONE; family.tuned.len()],
            family,
        }
    }
}

impl<T: Real> Kernel<T> for Ram<T> {
    fn begin(&self, _: &OutputTensor<'_>) -> Stage<T> {
        Stage::apply(self.clone())
    }
}

impl<T: Real> Apply<T> for Ram<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, out: &mut [T]) {
        Isa::detected().run(Mix {
            ram: self,
            tiles,
            out,
        });
    }
}

/// Measures how many changes each model shares.
#[derive(Debug, Clone)]
struct RamPlus<T> {
    ram: Ram<T>,
    /// The least number that is divided by.
    least: f64,
    r: f64,
    alpha: f64,
}

impl<T: Real> RamPlus<T> {
    fn new(operation: &Operation) -> Self {
        Self {
            ram: Ram::new(operation),
            least: operation.get(EPSILON),
            r: operation.get(R),
            alpha: operation.get(ALPHA),
        }
    }

    /// λ of a model that changed that many weights alone and that many with others.
    fn factor(&self, unique: u64, shared: u64) -> f64 {
        if unique == 0 {
            // nothing is multiplied by it
            return 1.0;
        }
        let ratio = shared as f64 / (unique as f64).max(self.least);
        1.0 + self.r * ratio.max(0.0).min(self.alpha)
    }
}

impl<T: Real> Kernel<T> for RamPlus<T> {
    fn passes(&self) -> usize {
        1
    }

    fn begin(&self, _: &OutputTensor<'_>) -> Stage<T> {
        Stage::measure(self.clone())
    }
}

/// Of each model the weights that it changed alone and those that it changed with others.
#[derive(Debug)]
struct Changes(Vec<[u64; 2]>);

impl Statistic for Changes {
    const IN_ORDER: bool = false;

    fn merge(&mut self, block: Self) {
        for ([unique, shared], [more_unique, more_shared]) in self.0.iter_mut().zip(block.0) {
            *unique += more_unique;
            *shared += more_shared;
        }
    }
}

impl<T: Real> Measure<T> for RamPlus<T> {
    type Found = Changes;

    fn total(&self) -> Changes {
        Changes(vec![[0; 2]; self.ram.family.tuned.len()])
    }

    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, found: &mut Self::Found) {
        Isa::detected().run(Count {
            ram: &self.ram,
            tiles,
            counts: &mut found.0,
        });
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let counts = found.0.into_iter();
        let factors = counts
            .map(|[unique, shared]| T::from_f64(self.factor(unique, shared)))
            .collect();
        Stage::apply(Ram {
            factors,
            ..self.ram.clone()
        })
    }
}

/// Elements that are worked on at once.
const GROUP: usize = 16;

/// Whether a model changed a weight; a change that is not finite is one, so that it is not lost.
#[inline(always)]
fn is_active<T: Real>(change: T, epsilon: T) -> bool {
    change.abs() > epsilon || !change.is_finite()
}

/// Computes the result.
struct Mix<'a, T> {
    ram: &'a Ram<T>,
    tiles: &'a Tiles<'a, T>,
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Mix<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Ram {
            family,
            epsilon,
            factors,
        } = self.ram;
        for first in (0..self.out.len()).step_by(GROUP) {
            let base = load::<T, GROUP>(self.tiles.source(family.base), first);
            // the changes added up, how many there are, and the values added up: where there is but one, that one
            let (mut sums, mut owners) = ([T::ZERO; GROUP], [T::ZERO; GROUP]);
            let mut own = [T::ZERO; GROUP];
            for (&source, &factor) in family.tuned.iter().zip(factors) {
                let tuned = load::<T, GROUP>(self.tiles.source(source), first);
                let mut values = tuned;
                for i in 0..GROUP {
                    if factor != T::ONE || !base[i].is_finite() {
                        values[i] = base[i] + factor * (tuned[i] - base[i]);
                    }
                }
                for i in 0..GROUP {
                    let change = tuned[i] - base[i];
                    let is_active = is_active(change, *epsilon);
                    sums[i] += if is_active { change } else { T::ZERO };
                    owners[i] += if is_active { T::ONE } else { T::ZERO };
                    own[i] += if is_active { values[i] } else { T::ZERO };
                }
            }
            let mut result = base;
            for i in 0..GROUP {
                let mean = base[i] + sums[i] / owners[i];
                let changed = if owners[i] > T::ONE { mean } else { own[i] };
                result[i] = if owners[i] > T::ZERO {
                    changed
                } else {
                    base[i]
                };
            }
            store(self.out, first, &result);
        }
    }
}

/// Counts, for each model, the weights that it changed alone and those that it changed with others.
struct Count<'a, T> {
    ram: &'a Ram<T>,
    tiles: &'a Tiles<'a, T>,
    counts: &'a mut [[u64; 2]],
}

impl<T: Real> kernels::Kernel for Count<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Ram {
            family, epsilon, ..
        } = self.ram;
        for first in (0..self.tiles.len()).step_by(GROUP) {
            let base = load::<T, GROUP>(self.tiles.source(family.base), first);
            let mut owners = [0u32; GROUP];
            for &source in &family.tuned {
                let tuned = load::<T, GROUP>(self.tiles.source(source), first);
                for i in 0..GROUP {
                    owners[i] += u32::from(is_active(tuned[i] - base[i], *epsilon));
                }
            }
            for (&source, [unique, shared]) in family.tuned.iter().zip(&mut *self.counts) {
                let tuned = load::<T, GROUP>(self.tiles.source(source), first);
                let (mut active, mut alone) = (0u32, 0u32);
                for i in 0..GROUP {
                    let mine = u32::from(is_active(tuned[i] - base[i], *epsilon));
                    active += mine;
                    alone += mine & u32::from(owners[i] == 1);
                }
                *unique += u64::from(alone);
                *shared += u64::from(active - alone);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with};
    use crate::testing::oracle::{check, drawn};

    fn ram(sources: usize, base: usize, epsilon: f64) -> Operation {
        let operation = operation("ram", sources, Some(base));
        with(operation, "epsilon", Value::Number(epsilon))
    }

    fn plus(sources: usize, base: usize, epsilon: f64, r: f64, alpha: f64) -> Operation {
        let operation = operation("ramplus_tl", sources, Some(base));
        let operation = with(operation, "epsilon", Value::Number(epsilon));
        let operation = with(operation, "r", Value::Number(r));
        with(operation, "alpha", Value::Number(alpha))
    }

    /// A base of ones, and two models that both changed the first weight, each another one, and none the last.
    fn three() -> [Vec<f32>; 3] {
        [
            vec![1.0; 4],
            vec![2.0, 3.0, 1.0, 1.0],
            vec![5.0, 1.0, -3.0, 1.0],
        ]
    }

    #[test]
    fn shared_changes_are_averaged_and_unique_ones_taken_whole() {
        let result = evaluate(&ram(3, 0, 1e-5), &[4], &three());
        assert_eq!(result, [3.5, 3.0, -3.0, 1.0]);
    }

    #[test]
    fn the_base_may_stand_between_the_others() {
        let [base, first, second] = three();
        let result = evaluate(&ram(3, 1, 1e-5), &[4], &[first, base, second]);
        assert_eq!(result, [3.5, 3.0, -3.0, 1.0]);
    }

    #[test]
    fn changes_up_to_epsilon_are_dropped() {
        let result = evaluate(&ram(3, 0, 2.0), &[4], &three());
        assert_eq!(result, [5.0, 1.0, -3.0, 1.0]);
    }

    #[test]
    fn a_base_alone_stays_as_it_is() {
        assert_eq!((SPEC.identity)(&ram(1, 0, 1e-5)), Some(0));
        assert_eq!((SPEC.validate)(&ram(1, 0, 1e-5)), Ok(()));
        assert_eq!((PLUS.identity)(&plus(2, 0, 1e-5, 0.0, 0.0)), None);
        assert_eq!(
            evaluate(&ram(1, 0, 1e-5), &[2], &[vec![1.0f32, 2.0]]),
            [1.0, 2.0]
        );
    }

    #[test]
    fn a_tensor_without_its_base_is_refused() {
        let without = operation("ram", 2, None);
        assert!(
            (SPEC.validate)(&without)
                .is_err_and(|one| matches!(one.reason, crate::Reason::NoBase { .. }))
        );
        assert!((PLUS.validate)(&without).is_err());
    }

    #[test]
    fn unique_changes_grow_with_the_share_of_shared_ones() {
        // each model has one weight of its own and shares one: ratio 1, cut to 0.5, λ = 1 + 0.5 · 0.5
        let result = evaluate(&plus(3, 0, 1e-5, 0.5, 0.5), &[4], &three());
        assert_eq!(result, [3.5, 3.5, -4.0, 1.0]);
        // not cut: λ = 1 + 0.5 · 1
        let result = evaluate(&plus(3, 0, 1e-5, 0.5, 100.0), &[4], &three());
        assert_eq!(result, [3.5, 4.0, -5.0, 1.0]);
    }

    #[test]
    fn a_tensor_without_unique_changes_needs_no_factor() {
        let sources = [vec![1.0f64], vec![2.0], vec![4.0]];
        assert_eq!(evaluate(&plus(3, 0, 0.0, 0.5, 0.5), &[1], &sources), [3.0]);
        let empty: [Vec<f32>; 3] = std::array::from_fn(|_| Vec::new());
        assert!(evaluate(&plus(3, 0, 0.0, 0.5, 0.5), &[0], &empty).is_empty());
    }

    /// Three models that changed about a third of the weights each.
    fn sparse<T: Real>(count: usize) -> [Vec<T>; 4] {
        let base = drawn::<T>(0, 1.0, count);
        [1, 2, 3].iter().fold(
            [base.clone(), Vec::new(), Vec::new(), Vec::new()],
            |mut all, &seed| {
                let changes: Vec<T> = drawn(seed, 0.1, count);
                let dice: Vec<T> = drawn(seed + 10, 1.0, count);
                all[seed as usize] = (0..count)
                    .map(|i| {
                        let is_changed = dice[i].to_f64() > 0.3;
                        base[i] + if is_changed { changes[i] } else { T::ZERO }
                    })
                    .collect();
                all
            },
        )
    }

    /// The formula, active weights being those whose change, rounded, is more than epsilon.
    fn holds<T: Real>(epsilon: f64, r: f64, alpha: f64, k: f64) {
        let count = 7_001;
        let sources = sparse::<T>(count);
        let active = |model: usize, i: usize| {
            (sources[model][i] - sources[0][i]).abs() > T::from_f64(epsilon)
        };
        let owners = |i: usize| (1..4).filter(|&model| active(model, i)).count();
        let factors: Vec<f64> = (1..4)
            .map(|model| {
                let mine = (0..count).filter(|&i| active(model, i));
                let (unique, shared): (Vec<_>, Vec<_>) = mine.partition(|&i| owners(i) == 1);
                assert!(!unique.is_empty() && !shared.is_empty());
                1.0 + r * (shared.len() as f64 / unique.len() as f64).clamp(0.0, alpha)
            })
            .collect();
        let formula = |i: usize| {
            let base = sources[0][i].to_f64();
            let terms: Vec<f64> = (1..4)
                .filter(|&model| active(model, i))
                .map(|model| {
                    let change = sources[model][i].to_f64() - base;
                    match owners(i) {
                        1 => change * factors[model - 1],
                        owners => change / owners as f64,
                    }
                })
                .collect();
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            (base + terms.iter().sum::<f64>(), base.abs() + size)
        };
        let result = evaluate(&plus(4, 0, epsilon, r, alpha), &[count as u64], &sources);
        check(&result, k, formula);
        if r == 0.0 {
            assert_eq!(
                evaluate(&ram(4, 0, epsilon), &[count as u64], &sources),
                result
            );
        }
    }

    #[test]
    fn every_element_is_the_formulas_to_within_rounding() {
        // three models: k = 3 + 2; in f64 the formula rounds as often
        for (epsilon, r, alpha) in [(1e-5, 0.1, 0.2), (0.05, 0.5, 100.0), (0.0, 0.0, 0.2)] {
            holds::<f32>(epsilon, r, alpha, 5.0);
            holds::<f64>(epsilon, r, alpha, 10.0);
        }
    }
}
