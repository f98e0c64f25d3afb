//! The mixture of those that agree.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Cut, Isa, LANES, load, store};

use super::Sce;
use super::select::{Choice, Everywhere, Where};
use crate::{Apply, Stage, Tiles, Workspace};

/// Divisors are not smaller than this.
pub(super) const LEAST_DIVISOR: f64 = 1e-6;

/// The result, by the elected signs.
#[derive(Debug)]
pub(super) struct Mix<T> {
    pub(super) sce: Sce,
    pub(super) cut: Option<Cut>,
    pub(super) weights: Vec<T>,
}

impl<T: Real> Mix<T> {
    /// The base.
    pub(super) fn nothing(sce: Sce) -> Stage<T> {
        Stage::apply(Self {
            weights: vec![T::ZERO; sce.family.tuned.len()],
            sce,
            cut: Some(Cut::NONE),
        })
    }
}

impl<T: Real> Apply<T> for Mix<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        if self.cut == Some(Cut::NONE) {
            out.copy_from_slice(tiles.source(self.sce.family.base));
            return;
        }
        match &self.cut {
            Some(cut) => {
                let selected = self.sce.selection(cut, tiles, &mut room.values);
                self.elect(tiles, Where(selected), out);
            }
            None => self.elect(tiles, Everywhere, out),
        }
    }
}

impl<T: Real> Mix<T> {
    fn elect(&self, tiles: &Tiles<'_, T>, choice: impl Choice<T>, out: &mut [T]) {
        let family = &self.sce.family;
        Isa::detected().run(Elect {
            base: tiles.source(family.base),
            tuned: &family.vectors(tiles),
            weights: &self.weights,
            choice,
            out,
        });
    }
}

/// Elects signs and mixes the deltas that have them.
struct Elect<'a, T, C> {
    base: &'a [T],
    tuned: &'a [&'a [T]],
    weights: &'a [T],
    choice: C,
    out: &'a mut [T],
}

impl<T: Real, C: Choice<T>> kernels::Kernel for Elect<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let least = T::from_f64(LEAST_DIVISOR);
        for first in (0..self.out.len()).step_by(LANES) {
            let base: [T; LANES] = load(self.base, first);
            let mut votes = [0.0f64; LANES];
            for tuned in self.tuned {
                let tuned: [T; LANES] = load(tuned, first);
                for i in 0..LANES {
                    votes[i] += (tuned[i] - base[i]).to_f64();
                }
            }
            let mut elected = [T::ZERO; LANES];
            for i in 0..LANES {
                elected[i] = if votes[i] >= 0.0 { T::ONE } else { -T::ONE };
            }
            let (mut sums, mut divisors) = ([T::ZERO; LANES], [T::ZERO; LANES]);
            for (tuned, &weight) in self.tuned.iter().zip(self.weights) {
                let tuned: [T; LANES] = load(tuned, first);
                for i in 0..LANES {
                    let delta = tuned[i] - base[i];
                    let agrees = delta * elected[i] > T::ZERO;
                    sums[i] += if agrees { weight * delta } else { T::ZERO };
                    divisors[i] += if agrees { weight } else { T::ZERO };
                }
            }
            let mut result = base;
            for i in 0..LANES {
                let divisor = if divisors[i] > least {
                    divisors[i]
                } else {
                    least
                };
                result[i] = base[i] + sums[i] / divisor;
            }
            store(self.out, first, &self.choice.choose(first, result, base));
        }
    }
}
