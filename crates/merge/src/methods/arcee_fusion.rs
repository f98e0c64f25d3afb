//! Takes over from another model what differs most, where its rows differ most.
//! <https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md#arcee-fusion-arcee_fusion>

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Isa, TILE};

use super::family::Family;
use super::order_statistic::{Bits, Search};
use super::{
    Apply, BaseRule, Compile, Gathered, Gathers, InputCount, Kernel, Measure, MethodSpec,
    MissingRule, Reference, Stage, Statistic, Subject, Tiles, Unit, Workspace,
};
use crate::plan::Operation;

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "arcee_fusion",
    title: "Arcee Fusion",
    summary: "Takes the other model's weights where they matter most, and keeps the base's elsewhere.",
    documentation: "\
Every weight has an importance: |W₁ − W₀| times the Kullback–Leibler divergence KL(softmax(W₁) ‖ softmax(W₀)) of its row (the
last axis; 10⁻⁸ is added to each probability). Weights whose importance is at least median + 1.5 · (third quartile − first quartile) of
the tensor's importances become the other model's, the others stay the base's.

So the most outstanding changes come over whole, mostly about a tenth of the weights, and nothing is averaged. There is nothing to
set. The quartiles are exact for tensors of any size: a quantile q is element ⌊q·(n−1)⌋ of the importances in ascending
order. Divergences are calculated in f64, since those of fine-tunes are too small for f32.",
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

/// As many divergences are kept; those of more rows are calculated in each pass. They take 16 MiB.
const KEPT_ROWS: u64 = 1 << 21;

#[derive(Debug, Clone)]
struct Fusion {
    base: usize,
    row: usize,
    divergences: Divergences,
}

/// Where the divergences of the rows come from.
#[derive(Debug, Clone)]
enum Divergences {
    /// They are calculated when they are needed.
    Fresh,
    /// They were calculated once.
    Kept(Arc<[f64]>),
}

impl Fusion {
    fn new(operation: &Operation) -> Self {
        Self {
            base: operation.base.unwrap_or(0),
            row: 1,
            divergences: Divergences::Fresh,
        }
    }

    /// Rows in a tile.
    fn rows(&self) -> usize {
        (TILE / self.row).max(1)
    }

    /// The base's rows and the other's.
    fn sources<'a, T: Real>(&self, tiles: &Tiles<'a, T>) -> (&'a [T], &'a [T]) {
        (tiles.source(self.base), tiles.source(1 - self.base))
    }

    /// Calls `visit` with the place of each row in a tile and its divergence.
    fn for_each_row<T: Real>(
        &self,
        tiles: &Tiles<'_, T>,
        room: &mut Vec<f64>,
        mut visit: impl FnMut(std::ops::Range<usize>, f64),
    ) {
        let (base, other) = self.sources(tiles);
        let first = tiles.first() as usize / self.row;
        for (row, start) in (0..tiles.len()).step_by(self.row).enumerate() {
            let range = start..start + self.row;
            let divergence = match &self.divergences {
                Divergences::Kept(kept) => kept[first + row],
                Divergences::Fresh => {
                    kernels::divergence(&base[range.clone()], &other[range.clone()], room)
                }
            };
            visit(range, divergence);
        }
    }

    /// The search for the quartiles.
    fn search<T: Bits>(self, elements: u64) -> Stage<T> {
        let rank = |quarters: u64| {
            (u128::from(quarters) * u128::from(elements.saturating_sub(1)) / 4) as u64
        };
        Stage::Measure(Arc::new(Quartiles {
            search: Search::new::<T>(&[rank(1), rank(2), rank(3)]),
            fusion: self,
        }))
    }
}

impl<T: Bits> Kernel<T> for Fusion {
    fn passes(&self) -> usize {
        1 + T::PASSES
    }

    fn unit(&self) -> Unit {
        Unit::Row
    }

    fn begin(&self, subject: &Subject<'_>) -> Stage<T> {
        let row = Unit::Row.elements(subject.info);
        let fusion = Self {
            row: row as usize,
            ..self.clone()
        };
        let elements = subject.info.elements();
        if elements / row > KEPT_ROWS {
            return fusion.search(elements);
        }
        Stage::Measure(Arc::new(Rows { fusion, elements }))
    }
}

/// Calculates the divergences that are kept.
#[derive(Debug)]
struct Rows {
    fusion: Fusion,
    elements: u64,
}

impl<T: Bits> Measure<T> for Rows {
    fn gathers(&self) -> Gathers {
        Gathers {
            tile_counts: 2 * self.fusion.rows(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        let mut halves = found.tile_counts.as_chunks_mut::<2>().0.iter_mut();
        self.fusion
            .for_each_row(tiles, &mut room.wide, |_, divergence| {
                if let Some(halves) = halves.next() {
                    *halves = split(divergence);
                }
            });
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let halves = statistic.tile_counts.as_chunks::<2>().0;
        let fusion = Fusion {
            divergences: Divergences::Kept(halves.iter().copied().map(join).collect()),
            ..self.fusion.clone()
        };
        fusion.search(self.elements)
    }
}

/// A number as the two counts that it is kept in.
fn split(number: f64) -> [u32; 2] {
    let bits = number.to_bits();
    [(bits >> 32) as u32, bits as u32]
}

fn join([high, low]: [u32; 2]) -> f64 {
    f64::from_bits(u64::from(high) << 32 | u64::from(low))
}

/// Finds the quartiles of the importances.
#[derive(Debug)]
struct Quartiles {
    fusion: Fusion,
    search: Search,
}

impl<T: Bits> Measure<T> for Quartiles {
    fn gathers(&self) -> Gathers {
        Gathers {
            counts: self.search.counts(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        let Workspace { values, wide, .. } = room;
        values.resize(tiles.len(), T::ZERO);
        let (base, other) = self.fusion.sources(tiles);
        self.fusion.for_each_row(tiles, wide, |row, divergence| {
            Isa::detected().run(Importances {
                divergence,
                base: &base[row.clone()],
                other: &other[row.clone()],
                out: &mut values[row],
            });
        });
        self.search.count(values, found.counts);
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let search = self.search.clone().advance(&statistic.counts);
        let fusion = self.fusion.clone();
        let Some([first, median, third]) = search.found() else {
            return Stage::Measure(Arc::new(Self { fusion, search }));
        };
        let [first, median, third] = [first, median, third].map(|t| t.value::<T>().to_f64());
        Stage::Apply(Arc::new(Fuse {
            fusion,
            threshold: median + REACH * (third - first),
        }))
    }
}

/// Chooses between the models.
#[derive(Debug)]
struct Fuse {
    fusion: Fusion,
    threshold: f64,
}

impl<T: Real> Apply<T> for Fuse {
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        let (base, other) = self.fusion.sources(tiles);
        self.fusion
            .for_each_row(tiles, &mut room.wide, |row, divergence| {
                Isa::detected().run(Choose {
                    divergence,
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

struct Importances<'a, T> {
    divergence: f64,
    base: &'a [T],
    other: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Importances<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &base), &other) in self.out.iter_mut().zip(self.base).zip(self.other) {
            *out = importance(self.divergence, base, other);
        }
    }
}

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
    use crate::methods::oracle::drawn;
    use crate::run::evaluate::{evaluate, operation};

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
    fn divergences_come_back_from_their_halves() {
        for number in [0.0, 1.5e-17, std::f64::consts::PI, f64::MAX] {
            assert_eq!(join(split(number)), number);
        }
    }

    #[test]
    fn divergences_that_are_not_kept_are_the_same() {
        let sources: [Vec<f32>; 2] = [drawn(1, 0.5, 600), drawn(2, 0.5, 600)];
        let tiles: Vec<f32> = sources.concat();
        let tiles = Tiles::new(&tiles, 600, 600, 0);
        let fresh = Fusion {
            base: 0,
            row: 30,
            divergences: Divergences::Fresh,
        };
        let mut divergences = Vec::new();
        fresh.for_each_row(&tiles, &mut Vec::new(), |_, divergence| {
            divergences.push(divergence);
        });
        let kept = Fusion {
            divergences: Divergences::Kept(divergences.clone().into()),
            ..fresh
        };
        let mut again = Vec::new();
        kept.for_each_row(&tiles, &mut Vec::new(), |_, divergence| {
            again.push(divergence);
        });
        assert_eq!(again, divergences);
        assert_eq!(again.len(), 20);
    }
}
