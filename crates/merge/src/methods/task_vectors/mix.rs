//! Adds what is left of the task vectors to the base.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use weightsmith_tensors::kernels::{self, Isa, LANES, TILE, load, store};
use weightsmith_tensors::{Real, TensorInfo};

use super::Consensus;
use super::settings::{LEAST_SUM, Settings, Sparsity};
use super::thin::Thinning;
use crate::methods::{Apply, Memory, Tiles, Unit, Workspace};

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
    let unit = unit.elements(info).min(info.elements());
    let tile = (TILE as u64 / unit.max(1)).max(1) * unit;
    let at_once = match settings.consensus {
        Consensus::None => 1,
        Consensus::SignSum => settings.terms.len() as u64,
    };
    let is_ranked = settings
        .terms
        .iter()
        .any(|term| matches!(term.sparsity, Sparsity::Ranked { .. }));
    // a row's ranks: keys, and what is known of their places
    let of_ranks = if is_ranked { unit * 24 } else { 0 };
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
        if self.settings.divides {
            Isa::detected().run(Divided(election));
        } else {
            Isa::detected().run(Undivided(election));
        }
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

struct Divided<'a, T>(Election<'a, T>);

struct Undivided<'a, T>(Election<'a, T>);

impl<T: Real> kernels::Kernel for Divided<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.run::<true>();
    }
}

impl<T: Real> kernels::Kernel for Undivided<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.0.run::<false>();
    }
}

impl<T: Real> Election<'_, T> {
    #[inline(always)]
    fn run<const DIVIDES: bool>(self) {
        let len = self.base.len();
        for first in (0..len).step_by(LANES) {
            let mut sums = [0.0f64; LANES];
            let vectors = || self.deltas.chunks_exact(len).zip(self.weights);
            for (delta, weight) in vectors() {
                let delta: [T; LANES] = load(delta, first);
                for i in 0..LANES {
                    sums[i] += weight.scaled * delta[i].to_f64();
                }
            }
            let mut signs = [1.0f64; LANES];
            for i in 0..LANES {
                signs[i] = if sums[i] >= 0.0 { 1.0 } else { -1.0 };
            }
            let (mut kept, mut divisors) = ([0.0f64; LANES], [0.0f64; LANES]);
            for (delta, weight) in vectors() {
                let delta: [T; LANES] = load(delta, first);
                for i in 0..LANES {
                    let term = weight.scaled * delta[i].to_f64();
                    let agrees = term * signs[i] > 0.0;
                    kept[i] += if agrees { term } else { 0.0 };
                    if DIVIDES {
                        divisors[i] += if agrees { weight.plain } else { 0.0 };
                    }
                }
            }
            let base: [T; LANES] = load(self.base, first);
            let mut result = base;
            for i in 0..LANES {
                let mut mixed = self.factor * kept[i];
                if DIVIDES {
                    let is_sum = divisors[i].abs() >= LEAST_SUM;
                    mixed /= if is_sum { divisors[i] } else { 1.0 };
                }
                result[i] = T::from_f64(base[i].to_f64() + mixed);
            }
            store(self.out, first, &result);
        }
    }
}
