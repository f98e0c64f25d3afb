//! Merges where models disagree most, by weights that come from how much each changed. <https://arxiv.org/abs/2408.07990>

mod calculate;
mod erase;
mod select;

use weightsmith_tensors::Real;

use self::calculate::Squares;
use self::select::Selection;
use super::family::Family;
use super::{
    BaseRule, Compile, Global, InputCount, Kernel, Memory, MethodSpec, MissingRule, OutputTensor,
    Reference, Stage, Unit,
};
use crate::{Objection, Operation};

const SELECT_TOPK: Global<f64> = Global::number(
    "select_topk",
    1.0,
    "Fraction of positions to merge, among those where the models differ.",
)
.usual(0.0, 1.0);

/// What recipes, the planner and the documentation know of it.
pub(crate) static SPEC: MethodSpec = MethodSpec {
    name: "sce",
    title: "Select, Calculate, Erase (SCE)",
    summary: "Selects the weights where the models differ most, weights each model by the size of its changes, and drops changes against the majority sign.",
    documentation: "\
With Dᵢ = Wᵢ − W₀ for each model, per tensor:

1. *Select*: of the positions where the models differ, keep the fraction `select_topk` with the
   largest variance of Dᵢ over the models (of equal variances, the first). Elsewhere, every Dᵢ
   counts as zero. With `select_topk` = 1, the default, all are kept.
2. *Calculate*: model i gets the weight wᵢ = mean(Dᵢ²) / Σ mean(Dⱼ²). If that sum is below 0.000001,
   as it is for light fine-tunes, all weights are equal.
3. *Erase*: at each position, drop the Dᵢ whose sign is not that of Σ Dᵢ (zero counts as plus).

Result = W₀ + Σ wᵢ·Dᵢ / Σ wᵢ, over the models that remain at the position.

SCE fuses fine-tunes of one base for different tasks without hand-tuned weights: the model that
changed a tensor most has the largest weight in it. Typical values of `select_topk` are 0.1 to 1.
`select_topk` = 0 is the base, byte for byte. So is any value below 1 with a single model, which has
no variance.",
    reference: Some(Reference {
        title: "FuseChat: Knowledge Fusion of Chat Models (Wan et al., 2024)",
        url: "https://arxiv.org/abs/2408.07990",
    }),
    base: BaseRule::Required,
    inputs: InputCount::at_least(1),
    parameters: &[SELECT_TOPK.spec()],
    missing: MissingRule::MergeRest,
    identity,
    shares: |_| None,
    validate,
    compile: Compile {
        single: |operation| Box::new(Sce::new(operation)),
        double: |operation| Box::new(Sce::new(operation)),
    },
};

fn identity(operation: &Operation) -> Option<usize> {
    let Family { base, tuned } = Family::of(operation);
    let share = operation.get(SELECT_TOPK);
    match *tuned.as_slice() {
        [] => Some(base),
        _ if share <= 0.0 => Some(base),
        [_] if share < 1.0 => Some(base),
        [only] => Some(only),
        _ => None,
    }
}

fn validate(operation: &Operation) -> Result<(), Objection> {
    Family::validate(operation)?;
    let share = operation.get(SELECT_TOPK);
    if share < 0.0 {
        let expected = "a fraction of the positions, at least 0";
        return Err(Objection::to_value(SELECT_TOPK, share, expected));
    }
    Ok(())
}

/// An operation on a tensor.
#[derive(Debug, Clone)]
struct Sce {
    family: Family,
    share: f64,
    elements: u64,
}

impl Sce {
    fn new(operation: &Operation) -> Self {
        Self {
            family: Family::of(operation),
            share: operation.get(SELECT_TOPK),
            elements: 0,
        }
    }

    fn selects(&self) -> bool {
        self.share < 1.0
    }
}

impl<T: Real> Kernel<T> for Sce {
    fn passes(&self) -> usize {
        // the selection, the squares
        if self.selects() {
            Selection::<T>::MOST_PASSES + 1
        } else {
            1
        }
    }

    fn memory(&self, output: &OutputTensor<'_>) -> Memory {
        if self.selects() {
            Selection::<T>::memory(output.info.elements())
        } else {
            Memory::default()
        }
    }

    fn unit(&self) -> Unit {
        if self.selects() {
            Unit::Tile
        } else {
            Unit::Element
        }
    }

    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T> {
        let sce = Self {
            elements: output.info.elements(),
            ..self.clone()
        };
        if sce.selects() {
            Selection::begin(sce)
        } else {
            Stage::measure(Squares { sce, cut: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::calculate::{INSIGNIFICANT, weights};
    use super::erase::LEAST_DIVISOR;
    use super::*;
    use weightsmith_tensors::kernels::{REDUCTION_BLOCK, TILE};

    use crate::Value;
    use crate::testing::evaluate::{evaluate, operation, with};
    use crate::testing::oracle::{check, drawn};

    fn sce(sources: usize, base: usize, share: f64) -> Operation {
        let operation = operation("sce", sources, Some(base));
        with(operation, "select_topk", Value::Number(share))
    }

    #[test]
    fn models_weigh_by_their_mean_squares_and_minorities_are_erased() {
        // mean squares 1 and 3: weights ¼ and ¾; the signs of the second position sum to minus
        let sources = [
            vec![0.0f32, 0.0, 8.0],
            vec![1.0, 1.0, 7.0],
            vec![1.0, -2.0, 10.0],
        ];
        let result = evaluate(&sce(3, 0, 1.0), &[3], &sources);
        assert_eq!(result, [1.0, -2.0, 10.0]);
        let sources = [vec![0.0f32; 4], vec![1.0; 4], vec![2.0, 2.0, 2.0, 0.0]];
        let result = evaluate(&sce(3, 0, 1.0), &[4], &sources);
        assert_eq!(result, [1.75, 1.75, 1.75, 1.0]);
    }

    #[test]
    fn small_changes_weigh_the_same() {
        assert_eq!(weights(&[1e-6, 2e-6], 4), [0.5, 0.5]);
        assert_eq!(weights(&[1.0, 3.0], 2), [0.25, 0.75]);
        assert_eq!(weights(&[0.0, 0.0, 0.0, 0.0], 0), [0.25; 4]);
        let small = 0.5f64.powi(14);
        let sources = [vec![0.0], vec![small], vec![3.0 * small]];
        assert_eq!(evaluate(&sce(3, 0, 1.0), &[1], &sources), [2.0 * small]);
    }

    #[test]
    fn the_share_is_of_the_positions_that_differ_and_ties_go_to_the_first() {
        // variances 0, 1, 1, 4, 0, 1: of four that differ, two are selected
        let base = vec![10.0f32; 6];
        let up = vec![11.0, 12.0, 12.0, 14.0, 11.0, 12.0];
        let down = vec![11.0, 10.0, 10.0, 10.0, 11.0, 10.0];
        let result = evaluate(&sce(3, 1, 0.5), &[6], &[up.clone(), base.clone(), down]);
        assert_eq!(result, [10.0, 12.0, 10.0, 14.0, 10.0, 10.0]);
    }

    #[test]
    fn too_small_a_share_and_equal_models_leave_the_base() {
        let sources = [vec![1.0f32, 1.0], vec![2.0, 1.0], vec![3.0, 1.0]];
        assert_eq!(evaluate(&sce(3, 0, 0.9), &[2], &sources), sources[0]);
        let sources = [vec![1.0f32, 1.0], vec![2.0, 1.0], vec![2.0, 1.0]];
        assert_eq!(evaluate(&sce(3, 0, 0.9), &[2], &sources), sources[0]);
        assert!(evaluate::<f32>(&sce(2, 0, 0.9), &[0], &[vec![], vec![]]).is_empty());
    }

    #[test]
    fn one_model_is_taken_whole_or_not_at_all() {
        assert_eq!(identity(&sce(1, 0, 1.0)), Some(0));
        assert_eq!(identity(&sce(2, 1, 1.0)), Some(0));
        assert_eq!(identity(&sce(2, 1, 0.5)), Some(1));
        assert_eq!(identity(&sce(3, 1, 0.0)), Some(1));
        assert_eq!(identity(&sce(3, 1, 0.5)), None);
        let sources = [vec![1.0f32, 2.0], vec![3.0, 5.0]];
        assert_eq!(evaluate(&sce(2, 0, 1.0), &[2], &sources), sources[1]);
        assert_eq!(evaluate(&sce(2, 0, 0.5), &[2], &sources), sources[0]);
    }

    #[test]
    fn a_negative_share_is_refused() {
        assert!(validate(&sce(3, 0, -0.1)).is_err_and(|one| one.parameters == ["select_topk"]));
        assert_eq!(validate(&sce(3, 0, 0.0)), Ok(()));
        assert!(validate(&operation("sce", 2, None)).is_err());
    }

    /// The selected positions, by sorting; variances in two passes over the deltas.
    fn selected<T: Real>(deltas: &[Vec<T>], share: f64) -> Vec<bool> {
        let count = deltas[0].len();
        let variance = |i: usize| {
            let values: Vec<f64> = deltas.iter().map(|d| d[i].to_f64()).collect();
            let models = values.len() as f64;
            let mean = values.iter().sum::<f64>() / models;
            let is_zero = values.iter().all(|v| *v == values[0]);
            let squares = values.iter().map(|v| (v - mean) * (v - mean));
            T::from_f64(if is_zero {
                0.0
            } else {
                squares.sum::<f64>() / models
            })
            .to_f64()
        };
        let variances: Vec<f64> = (0..count).map(variance).collect();
        let differing = variances.iter().filter(|v| **v != 0.0).count();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|a, b| variances[*b].total_cmp(&variances[*a]).then(a.cmp(b)));
        let mut selected = vec![share >= 1.0; count];
        for &position in &order[..(share * differing as f64) as usize] {
            selected[position] = true;
        }
        selected
    }

    fn holds<T: Real>(sources: &[Vec<T>], share: f64, k: f64) {
        let count = sources[0].len();
        let deltas: Vec<Vec<T>> = sources[1..]
            .iter()
            .map(|source| {
                source
                    .iter()
                    .zip(&sources[0])
                    .map(|(w, b)| *w - *b)
                    .collect()
            })
            .collect();
        let selected = selected(&deltas, share);
        let squares: Vec<f64> = deltas
            .iter()
            .map(|d| {
                (0..count)
                    .filter(|&i| selected[i])
                    .map(|i| d[i].to_f64().powi(2))
                    .sum::<f64>()
            })
            .collect();
        let total: f64 = squares.iter().sum();
        assert!(total / count as f64 > INSIGNIFICANT);
        let formula = |i: usize| {
            let base = sources[0][i].to_f64();
            let exact: Vec<f64> = sources[1..].iter().map(|w| w[i].to_f64() - base).collect();
            let is_plus = deltas.iter().map(|d| d[i].to_f64()).sum::<f64>() >= 0.0;
            let (mut sum, mut divisor) = (0.0, 0.0);
            for (delta, squares) in exact.iter().zip(&squares) {
                if selected[i] && *delta != 0.0 && (*delta > 0.0) == is_plus {
                    sum += delta * squares / total;
                    divisor += squares / total;
                }
            }
            // all terms have one sign
            let mixed = sum / f64::max(divisor, LEAST_DIVISOR);
            (base + mixed, base.abs() + mixed.abs())
        };
        let result = evaluate(&sce(sources.len(), 0, share), &[count as u64], sources);
        check(&result, k, formula);
    }

    #[test]
    fn every_element_is_the_formulas_to_within_rounding() {
        // k = 2 for a delta and its weight, 1 for the product, the sums and the division, with three models; f64 rounds below too
        let count = 9_001;
        for share in [0.001, 0.3, 0.9999, 1.0] {
            let sources = [0, 1, 2, 3].map(|seed| drawn::<f32>(seed, 1.0, count));
            holds(&sources, share, 8.0);
            let sources = [0, 1, 2, 3].map(|seed| drawn::<f64>(seed, 1.0, count));
            holds(&sources, share, 20.0);
        }
    }

    #[test]
    fn ties_across_tiles_are_selected_from_the_front() {
        // few different values: thousands of positions have the variance of the cut
        let coarse = |seed| -> Vec<f32> {
            drawn::<f32>(seed, 3.0, 9_001)
                .iter()
                .map(|v| v.round())
                .collect()
        };
        for share in [0.01, 0.2, 0.5, 0.77, 0.99] {
            holds(&[0, 1, 2].map(coarse), share, 7.0);
            holds(&[0, 1, 2, 3].map(coarse), share, 8.0);
        }
    }

    #[test]
    fn ties_in_a_large_tensor_are_selected_from_the_front_up_to_any_border() {
        // opposite changes: their variance is the square of either, and where it is selected the positive one is elected
        const BLOCK: usize = REDUCTION_BLOCK as usize;
        let count = 4 * BLOCK + 3 * TILE + 77;
        let changes: Vec<f32> = (0..count)
            .map(|i| match i {
                _ if i % 7 == 0 => 2.0,
                _ if i % 11 == 0 => 0.0,
                _ if i % 13 == 0 => 0.5,
                _ => 1.0,
            })
            .collect();
        let opposite = changes.iter().map(|change| -change).collect();
        let sources = [vec![0.0; count], changes.clone(), opposite];
        let differing = changes.iter().filter(|change| **change != 0.0).count();
        for end in [
            1,
            TILE - 1,
            300 * TILE,
            300 * TILE + 1,
            BLOCK - 1,
            BLOCK,
            BLOCK + 1,
            3 * BLOCK + TILE,
            count - 80,
        ] {
            let is_selected = |i: usize| changes[i] > 1.0 || changes[i] == 1.0 && i < end;
            let selected = (0..count).filter(|i| is_selected(*i)).count();
            let share = (selected as f64 + 0.5) / differing as f64;
            let result = evaluate(&sce(3, 0, share), &[count as u64], &sources);
            for (i, value) in result.iter().enumerate() {
                let expected = if is_selected(i) { changes[i] } else { 0.0 };
                assert_eq!(*value, expected, "element {i}, cut before {end}");
            }
        }
    }
}
