//! Takes over from another model what differs most, where its rows differ most.
//! <https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md#arcee-fusion-arcee_fusion>

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Isa, LANES, REDUCTION_BLOCK, Search, TILE};

use super::family::Family;
use super::{
    Apply, BaseRule, Compile, InputCount, Kernel, Measure, Memory, MethodSpec, MissingRule,
    OutputTensor, Reference, Stage, Statistic, Tiles, Unit, Workspace,
};
use crate::Operation;
use crate::statistic::Tallies;

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "arcee_fusion",
    title: "Arcee Fusion",
    summary: "Copies the other model's most important weights and keeps the base's elsewhere.",
    documentation: "\
Every weight has an importance: |W₁ − W₀| times the Kullback–Leibler divergence KL(softmax(W₁) ‖
softmax(W₀)) of its row (the last axis; 10⁻⁸ is added to each probability). Weights with an
importance of at least median + 1.5 · (third quartile − first quartile) of the tensor's importances
become the other model's. The rest stay the base's.

Only the most prominent changes are copied, usually about a tenth of the weights, and nothing is
averaged. There are no parameters. The quartiles are exact for tensors of any size: a quantile q is
element ⌊q·(n−1)⌋ of the sorted importances. Divergences are computed in f64, because those of
fine-tunes are too small for f32.",
    reference: Some(Reference {
        title: "MergeKit: Merge Methods, Arcee Fusion (Arcee AI, 2025)",
        url: "https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md#arcee-fusion-arcee_fusion",
    }),
    base: BaseRule::Required,
    inputs: InputCount::exactly(2),
    parameters: &[],
    missing: MissingRule::CopyLone,
    identity: |_| None,
    shares: |_| None,
    validate: Family::validate,
    compile: Compile {
        single: |operation| Box::new(Fusion::new(operation)),
        double: |operation| Box::new(Fusion::new(operation)),
    },
};

/// Importances beyond the third quartile by this many interquartile ranges stand out, but from the median here.
const REACH: f64 = 1.5;

/// Memory of the divergence of a row.
const DIVERGENCE: u64 = size_of::<f64>() as u64;

/// An operation on a tensor.
#[derive(Debug, Clone)]
struct Fusion {
    base: usize,
    /// Elements of a row.
    row: usize,
}

impl Fusion {
    fn new(operation: &Operation) -> Self {
        Self {
            base: operation.base.unwrap_or(0),
            row: 1,
        }
    }

    /// The base's elements and the other's.
    fn sources<'a, T: Real>(&self, tiles: &Tiles<'a, T>) -> (&'a [T], &'a [T]) {
        (tiles.source(self.base), tiles.source(1 - self.base))
    }

    /// Calls `visit` with the number of each row that a tile touches and its place in the tile.
    fn for_each_row<T: Real>(
        &self,
        tiles: &Tiles<'_, T>,
        mut visit: impl FnMut(usize, Range<usize>),
    ) {
        let first = tiles.first() as usize;
        let mut start = 0;
        while start < tiles.len() {
            let row = (first + start) / self.row;
            let end = ((row + 1) * self.row - first).min(tiles.len());
            visit(row, start..end);
            start = end;
        }
    }
}

impl<T: Real> Kernel<T> for Fusion {
    fn passes(&self) -> usize {
        // the divergences, the quartiles
        1 + Search::<T>::MOST_PASSES
    }

    fn memory(&self, output: &OutputTensor<'_>) -> Memory {
        let info = output.info;
        let row = Unit::Row.elements(info).min(info.elements());
        let rows = info.elements().div_ceil(row.max(1));
        let tile = (TILE as u64).max(row);
        let powers = 2 * row.next_multiple_of(LANES as u64) * size_of::<f64>() as u64;
        let rows_of_block = (REDUCTION_BLOCK / row.max(1)).max(1).min(rows);
        let tallies = Search::<T>::tally_bytes(info.elements(), QUARTILES);
        Memory {
            // powers of a row, importances of a tile, and what is counted in a block or its divergences, with those of one that
            // waits for an earlier block
            worker: powers
                + tile * size_of::<T>() as u64
                + tallies.max(2 * rows_of_block * DIVERGENCE),
            // what is counted, and the divergences of all rows
            shared: tallies + rows * DIVERGENCE,
        }
    }

    fn unit(&self) -> Unit {
        Unit::Row
    }

    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T> {
        let fusion = Self {
            row: Unit::Row.elements(output.info) as usize,
            ..self.clone()
        };
        let elements = output.info.elements();
        Stage::measure(Rows { fusion, elements })
    }
}

/// Calculates the divergences of the rows.
#[derive(Debug)]
struct Rows {
    fusion: Fusion,
    elements: u64,
}

impl Rows {
    /// Room for the divergences of so many elements.
    fn room(&self, elements: u64) -> Divergences {
        let rows = elements.div_ceil(self.fusion.row as u64);
        Divergences(Vec::with_capacity(rows as usize))
    }
}

/// Those of rows in order.
#[derive(Debug)]
struct Divergences(Vec<f64>);

impl Statistic for Divergences {
    fn merge(&mut self, block: Self) {
        self.0.extend(block.0);
    }
}

impl<T: Real> Measure<T> for Rows {
    type Found = Divergences;

    fn total(&self) -> Divergences {
        self.room(self.elements)
    }

    fn block(&self, block: Range<u64>) -> Divergences {
        self.room(block.end - block.start)
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Self::Found) {
        let (base, other) = self.fusion.sources(tiles);
        self.fusion.for_each_row(tiles, |_, row| {
            let (base, other) = (&base[row.clone()], &other[row]);
            let divergence = kernels::divergence(base, other, &mut room.wide);
            found.0.push(divergence);
        });
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let importances = Arc::new(Importances {
            fusion: self.fusion.clone(),
            divergences: found.0.into_boxed_slice(),
        });
        let elements = self.elements;
        let rank = |quarters: u64| {
            (u128::from(quarters) * u128::from(elements.saturating_sub(1)) / 4) as u64
        };
        let search = Search::for_magnitudes(elements, &[1, 2, 3].map(|q| elements - rank(q)));
        Quartiles {
            importances,
            search,
        }
        .stage()
    }
}

/// What the importances of the weights follow from.
#[derive(Debug)]
struct Importances {
    fusion: Fusion,
    /// Of each row.
    divergences: Box<[f64]>,
}

/// How many of them there are.
const QUARTILES: u64 = 3;

/// Finds the quartiles of the importances.
#[derive(Debug, Clone)]
struct Quartiles<T: Real> {
    importances: Arc<Importances>,
    search: Search<T>,
}

impl<T: Real> Quartiles<T> {
    /// Another pass, or the result after the last one.
    fn stage(self) -> Stage<T> {
        match self.search.magnitudes().as_deref() {
            Some(&[first, median, third]) => Stage::apply(Fuse {
                importances: self.importances,
                threshold: median.to_f64() + REACH * (third.to_f64() - first.to_f64()),
            }),
            _ => Stage::measure(self),
        }
    }
}

impl<T: Real> Measure<T> for Quartiles<T> {
    type Found = Tallies;

    fn total(&self) -> Self::Found {
        Tallies(vec![self.search.tally()])
    }

    fn parts(&self, block: Range<u64>) -> Vec<Range<u64>> {
        self.search.parts(block)
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Self::Found) {
        let Importances {
            fusion,
            divergences,
        } = self.importances.as_ref();
        let (base, other) = fusion.sources(tiles);
        room.values.resize(tiles.len(), T::ZERO);
        fusion.for_each_row(tiles, |number, row| {
            Isa::detected().run(Rate {
                divergence: divergences[number],
                base: &base[row.clone()],
                other: &other[row.clone()],
                out: &mut room.values[row],
            });
        });
        for tally in &mut found.0 {
            self.search.count(tiles.first(), &room.values, tally);
        }
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let mut next = self.clone();
        for tally in found.0 {
            next.search.advance(tally);
        }
        next.stage()
    }
}

/// Chooses between the models.
#[derive(Debug)]
struct Fuse {
    importances: Arc<Importances>,
    threshold: f64,
}

impl<T: Real> Apply<T> for Fuse {
    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, out: &mut [T]) {
        let Importances {
            fusion,
            divergences,
        } = self.importances.as_ref();
        let (base, other) = fusion.sources(tiles);
        fusion.for_each_row(tiles, |number, row| {
            Isa::detected().run(Choose {
                divergence: divergences[number],
                threshold: self.threshold,
                base: &base[row.clone()],
                other: &other[row.clone()],
                out: &mut out[row],
            });
        });
    }
}

/// An importance, rounded to the precision of the weights.
#[inline(always)]
fn importance<T: Real>(divergence: f64, base: T, other: T) -> T {
    T::from_f64((other.to_f64() - base.to_f64()).abs() * divergence)
}

/// Calculates importances within a row.
struct Rate<'a, T> {
    divergence: f64,
    base: &'a [T],
    other: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Rate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &base), &other) in self.out.iter_mut().zip(self.base).zip(self.other) {
            *out = importance(self.divergence, base, other);
        }
    }
}

/// Takes weights that are important enough, within a row.
struct Choose<'a, T> {
    divergence: f64,
    threshold: f64,
    base: &'a [T],
    other: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Choose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &base), &other) in self.out.iter_mut().zip(self.base).zip(self.other) {
            let importance = importance(self.divergence, base, other).to_f64();
            let chosen = if importance >= self.threshold {
                other
            } else {
                base
            };
            // what is not finite has no importance, and is not lost for it
            let is_sound = base.is_finite() && other.is_finite();
            *out = if is_sound { chosen } else { base + other };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::evaluate::{evaluate, operation};
    use crate::testing::oracle::drawn;

    fn fused<T: Real>(base: usize, shape: &[u64], sources: &[Vec<T>]) -> Vec<T> {
        evaluate(&operation("arcee_fusion", 2, Some(base)), shape, sources)
    }

    /// The formula, from scratch in f64.
    fn defined<T: Real>(row: usize, base: &[T], other: &[T]) -> (Vec<f64>, f64) {
        let softmax = |values: &[T]| {
            let powers: Vec<f64> = values.iter().map(|x| x.to_f64().exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers.iter().map(|x| x / sum + 1e-8).collect::<Vec<f64>>()
        };
        let mut importances = Vec::new();
        for (base, other) in base.chunks(row).zip(other.chunks(row)) {
            let pairs = softmax(other).into_iter().zip(softmax(base));
            let divergence: f64 = pairs.map(|(q, p)| q * (q / p).ln()).sum();
            let distances = base
                .iter()
                .zip(other)
                .map(|(a, b)| (b.to_f64() - a.to_f64()).abs());
            importances.extend(distances.map(|distance| distance * divergence));
        }
        let mut sorted = importances.clone();
        sorted.sort_by(f64::total_cmp);
        let quantile = |q: f64| sorted[(q * (sorted.len() - 1) as f64) as usize];
        let threshold = quantile(0.5) + 1.5 * (quantile(0.75) - quantile(0.25));
        (importances, threshold)
    }

    #[test]
    fn a_row_that_differs_alone_is_taken_where_it_differs_most() {
        // importances 0 but for those of the last row, of which the median is 0 and the third quartile that of 0.5
        let base = vec![0.0f32; 8];
        let other = vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 2.0, 0.5];
        assert_eq!(
            fused(0, &[2, 4], &[base.clone(), other.clone()]),
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0]
        );
        assert_eq!(
            fused(1, &[2, 4], &[other, base]),
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0]
        );
    }

    #[test]
    fn importances_that_are_all_zero_reach_the_threshold() {
        // the softmax of one element is 1, whatever it is
        let sources = [vec![1.0f32, 2.0, 3.0], vec![4.0, 5.0, 6.0]];
        assert_eq!(fused(0, &[3, 1], &sources), sources[1]);
        assert_eq!(fused(0, &[1], &[vec![1.0f64], vec![2.0]]), [2.0]);
        assert_eq!(fused(0, &[], &[vec![1.0f64], vec![2.0]]), [2.0]);
        assert!(fused::<f32>(0, &[0, 4], &[vec![], vec![]]).is_empty());
    }

    #[test]
    fn every_choice_is_the_formulas_unless_nearly_tied() {
        fn holds<T: Real>(shape: &[u64]) {
            let count = shape.iter().product::<u64>() as usize;
            let base = drawn::<T>(1, 0.5, count);
            // cubes: many small changes and a few large ones
            let change = drawn::<T>(2, 0.8, count);
            let other: Vec<T> = base
                .iter()
                .zip(&change)
                .map(|(a, c)| *a + *c * *c * *c)
                .collect();
            let row = *shape.last().unwrap() as usize;
            let (importances, threshold) = defined(row, &base, &other);
            let result = fused(0, shape, &[base.clone(), other.clone()]);
            let mut taken = 0;
            for i in 0..count {
                if (importances[i] / threshold - 1.0).abs() > 1e-6 {
                    let takes = importances[i] >= threshold;
                    assert_eq!(result[i], if takes { other[i] } else { base[i] }, "{i}");
                    taken += usize::from(takes);
                }
            }
            assert!(
                taken > count / 100 && taken < count / 2,
                "{taken} of {count}"
            );
        }
        // rows shorter than a group, than a tile, longer than one, a tensor that is one row, more axes than two
        for shape in [
            &[1_001, 7][..],
            &[37, 201],
            &[3, 5_003],
            &[9_001],
            &[3, 5, 500],
        ] {
            holds::<f32>(shape);
            holds::<f64>(shape);
        }
    }

    #[test]
    fn rows_are_found_from_anywhere_in_the_tensor() {
        let fusion = Fusion { base: 0, row: 30 };
        let rows = |first: u64, len: usize| {
            let tiles = Tiles::<f32>::new(&[], 0, len, first);
            let mut rows = Vec::new();
            fusion.for_each_row(&tiles, |number, place| rows.push((number, place)));
            rows
        };
        assert_eq!(rows(60, 60), [(2, 0..30), (3, 30..60)]);
        assert_eq!(rows(64, 64), [(2, 0..26), (3, 26..56), (4, 56..64)]);
        assert_eq!(rows(5, 7), [(0, 0..7)]);
    }

    #[test]
    fn quartiles_of_tensors_of_which_a_sample_is_looked_at_first_are_exact() {
        // several blocks; rows that end in the middle of tiles and pieces
        let (rows, row) = (1_111u64, 2_003u64);
        let count = (rows * row) as usize;
        // few different values: many importances are equal within a row
        let base: Vec<f32> = drawn::<f32>(1, 8.0, count)
            .iter()
            .map(|x| x.round())
            .collect();
        let other: Vec<f32> = drawn::<f32>(2, 8.0, count)
            .iter()
            .map(|x| x.round())
            .collect();
        let (importances, threshold) = defined(row as usize, &base, &other);
        let result = fused(0, &[rows, row], &[base.clone(), other.clone()]);
        let mut taken = 0;
        for i in 0..count {
            if (importances[i] / threshold - 1.0).abs() > 1e-6 {
                let takes = importances[i] >= threshold;
                assert_eq!(result[i], if takes { other[i] } else { base[i] }, "{i}");
                taken += usize::from(takes);
            }
        }
        assert!(taken > 0);
    }
}
