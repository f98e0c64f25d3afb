//! Adds what is left of the task vectors to the base.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::array;

use weightsmith_tensors::kernels::{self, Isa, LANES, load, store};
use weightsmith_tensors::{Real, TensorInfo};

use super::Consensus;
use super::settings::{LEAST_SUM, Settings, Sparsity};
use super::thin::Thinning;
use crate::{Apply, Memory, Tiles, Unit, Workspace};

/// The result.
#[derive(Debug)]
pub(super) struct Mix<T> {
    settings: Settings,
    thinnings: Vec<Thinning>,
    /// For each task vector: its weight, times what makes up for what was dropped.
    weights: Vec<Weight>,
    /// The same, times all other factors; where nothing else happens to the sum.
    coefficients: Vec<T>,
}

/// A model's weight.
#[derive(Debug, Clone, Copy)]
struct Weight {
    /// What its task vector is multiplied by.
    scaled: f64,
    /// What counts for the divisor.
    plain: f64,
}

/// Memory for the task vectors of a tile.
pub(super) fn memory<T: Real>(settings: &Settings, unit: Unit, info: &TensorInfo) -> Memory {
    let tile = unit.tile(info);
    let at_once = match settings.consensus {
        Consensus::None => 1,
        Consensus::SignSum => settings.terms.len() as u64,
    };
    let is_ranked = settings
        .terms
        .iter()
        .any(|term| matches!(term.sparsity, Sparsity::Ranked { .. }));
    // a row's ranks: keys, and what is known of their places
    let of_ranks = if is_ranked { tile * 24 } else { 0 };
    Memory {
        worker: at_once * tile * size_of::<T>() as u64 + of_ranks,
        ..Memory::default()
    }
}

impl<T: Real> Mix<T> {
    /// With what makes up for what was dropped of each task vector.
    pub(super) fn new(settings: Settings, thinnings: Vec<Thinning>, scales: &[f64]) -> Self {
        let weights: Vec<Weight> = settings
            .terms
            .iter()
            .zip(scales)
            .map(|(term, scale)| Weight {
                scaled: term.weight * scale,
                plain: term.weight,
            })
            .collect();
        let coefficients = weights
            .iter()
            .map(|weight| T::from_f64(settings.factor * weight.scaled))
            .collect();
        Self {
            settings,
            thinnings,
            weights,
            coefficients,
        }
    }

    /// Adds one task vector after the other.
    fn add(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        let base = tiles.source(self.settings.base);
        let mut values = std::mem::take(&mut room.values);
        values.resize(tiles.len(), T::ZERO);
        out.fill(T::ZERO);
        let terms = self.settings.terms.iter().zip(&self.thinnings);
        for ((term, thinning), &c) in terms.zip(&self.coefficients) {
            let tuned = tiles.source(term.source);
            if matches!(thinning, Thinning::Keep) {
                kernels::add_scaled_difference(out, c, tuned, base);
                continue;
            }
            kernels::scale_difference(&mut values, T::ONE, tuned, base);
            thinning.apply(tiles.first(), &mut values, room);
            kernels::add_scaled(out, c, &values);
        }
        // the base last: one rounding at its size instead of one for each term
        kernels::add_scaled(out, T::ONE, base);
        room.values = values;
    }

    /// Adds what has the elected sign.
    fn elect(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        let base = tiles.source(self.settings.base);
        let len = tiles.len();
        let mut values = std::mem::take(&mut room.values);
        values.resize(len * self.thinnings.len(), T::ZERO);
        let terms = self.settings.terms.iter().zip(&self.thinnings);
        for ((term, thinning), values) in terms.zip(values.chunks_exact_mut(len)) {
            kernels::scale_difference(values, T::ONE, tiles.source(term.source), base);
            thinning.apply(tiles.first(), values, room);
        }
        let election = Election {
            base,
            deltas: &values,
            weights: &self.weights,
            factor: self.settings.factor,
            out,
        };
        election.run(Isa::detected(), self.settings.divides);
        room.values = values;
    }
}

impl<T: Real> Apply<T> for Mix<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        if self.weights.is_empty() || out.is_empty() {
            out.copy_from_slice(tiles.source(self.settings.base));
            return;
        }
        match self.settings.consensus {
            Consensus::None => self.add(tiles, room, out),
            Consensus::SignSum => self.elect(tiles, room, out),
        }
    }
}

/// Elects the sign of each element and adds what has it, in f64: the result is rounded once.
struct Election<'a, T> {
    base: &'a [T],
    /// One task vector after the other, each as long as the base.
    deltas: &'a [T],
    weights: &'a [Weight],
    factor: f64,
    out: &'a mut [T],
}

impl<T: Real> Election<'_, T> {
    /// Calls the loop for that number of task vectors.
    fn run(self, isa: Isa, divides: bool) {
        match (self.weights.len(), divides) {
            (1, true) => isa.run(Elect::<T, 1, true>(self)),
            (1, false) => isa.run(Elect::<T, 1, false>(self)),
            (2, true) => isa.run(Elect::<T, 2, true>(self)),
            (2, false) => isa.run(Elect::<T, 2, false>(self)),
            (3, true) => isa.run(Elect::<T, 3, true>(self)),
            (3, false) => isa.run(Elect::<T, 3, false>(self)),
            (_, true) => isa.run(ElectAny::<T, true>(self)),
            (_, false) => isa.run(ElectAny::<T, false>(self)),
        }
    }
}

/// The loop for `N` task vectors: element by element, which is compiled to wide registers by itself, and twice as fast as in groups.
struct Elect<'a, T, const N: usize, const DIVIDES: bool>(Election<'a, T>);

impl<T: Real, const N: usize, const DIVIDES: bool> kernels::Kernel for Elect<'_, T, N, DIVIDES> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Election {
            base,
            deltas,
            weights,
            factor,
            out,
        } = self.0;
        let len = base.len();
        let out = &mut out[..len];
        let weights: [Weight; N] = array::from_fn(|n| weights[n]);
        let deltas: [&[T]; N] = array::from_fn(|n| &deltas[n * len..][..len]);
        for i in 0..len {
            let term = |n: usize| weights[n].scaled * deltas[n][i].to_f64();
            let mut votes = 0.0;
            for n in 0..N {
                votes += term(n);
            }
            let elects_plus = votes >= 0.0;
            let mut sum = Sum::default();
            for (n, weight) in weights.iter().enumerate() {
                sum.add(term(n), weight.plain, elects_plus);
            }
            out[i] = T::from_f64(base[i].to_f64() + sum.mixed::<DIVIDES>(factor));
        }
    }
}

/// What has the elected sign.
#[derive(Default)]
struct Sum {
    kept: f64,
    divisor: f64,
}

impl Sum {
    #[inline(always)]
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "NaN agrees with both signs: it must not vanish"
    )]
    fn add(&mut self, term: f64, weight: f64, elects_plus: bool) {
        let agrees = if elects_plus {
            !(term <= 0.0)
        } else {
            !(term >= 0.0)
        };
        self.kept += if agrees { term } else { 0.0 };
        self.divisor += if agrees { weight } else { 0.0 };
    }

    #[inline(always)]
    fn mixed<const DIVIDES: bool>(&self, factor: f64) -> f64 {
        let mixed = factor * self.kept;
        if !DIVIDES {
            return mixed;
        }
        let is_sum = self.divisor.abs() >= LEAST_SUM;
        mixed / if is_sum { self.divisor } else { 1.0 }
    }
}

/// The loop for any number of task vectors.
struct ElectAny<'a, T, const DIVIDES: bool>(Election<'a, T>);

impl<T: Real, const DIVIDES: bool> kernels::Kernel for ElectAny<'_, T, DIVIDES> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Election {
            base,
            deltas,
            weights,
            factor,
            out,
        } = self.0;
        let len = base.len();
        let vectors = || deltas.chunks_exact(len).zip(weights);
        for first in (0..len).step_by(LANES) {
            let mut votes = [0.0f64; LANES];
            for (delta, weight) in vectors() {
                let delta: [T; LANES] = load(delta, first);
                for (votes, delta) in votes.iter_mut().zip(delta) {
                    *votes += weight.scaled * delta.to_f64();
                }
            }
            let mut sums: [Sum; LANES] = array::from_fn(|_| Sum::default());
            for (delta, weight) in vectors() {
                let delta: [T; LANES] = load(delta, first);
                for i in 0..LANES {
                    let term = weight.scaled * delta[i].to_f64();
                    sums[i].add(term, weight.plain, votes[i] >= 0.0);
                }
            }
            let base: [T; LANES] = load(base, first);
            let result: [T; LANES] = array::from_fn(|i| {
                T::from_f64(base[i].to_f64() + sums[i].mixed::<DIVIDES>(factor))
            });
            store(out, first, &result);
        }
    }
}
