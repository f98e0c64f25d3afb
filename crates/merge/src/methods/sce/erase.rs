//! The mixture of those that agree.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Cut, Isa, LANES, load, store};

use super::Sce;
use crate::methods::family::Family;
use crate::methods::{Apply, Stage, Tiles, Workspace};

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
        Stage::Apply(Arc::new(Self {
            weights: vec![T::ZERO; sce.family.tuned.len()],
            sce,
            cut: Some(Cut::NONE),
        }))
    }
}

impl<T: Real> Apply<T> for Mix<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        if self.cut == Some(Cut::NONE) {
            out.copy_from_slice(tiles.source(self.sce.family.base));
            return;
        }
        Isa::detected().run(Elect {
            family: &self.sce.family,
            weights: &self.weights,
            tiles,
            out,
        });
        if let Some(cut) = &self.cut {
            let selected = self.sce.selection(cut, tiles, &mut room.values);
            Isa::detected().run(Restore {
                base: tiles.source(self.sce.family.base),
                selected,
                out,
            });
        }
    }
}

/// Puts the base back where nothing is selected.
struct Restore<'a, T> {
    base: &'a [T],
    /// More than zero where something is.
    selected: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Restore<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &base), &selected) in self.out.iter_mut().zip(self.base).zip(self.selected) {
            *out = if selected > T::ZERO { *out } else { base };
        }
    }
}

/// Elects signs and mixes the deltas that have them.
struct Elect<'a, T> {
    family: &'a Family,
    weights: &'a [T],
    tiles: &'a Tiles<'a, T>,
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for Elect<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Family { base, tuned } = self.family;
        let least = T::from_f64(LEAST_DIVISOR);
        for first in (0..self.out.len()).step_by(LANES) {
            let base: [T; LANES] = load(self.tiles.source(*base), first);
            let mut votes = [0.0f64; LANES];
            for &source in tuned {
                let tuned: [T; LANES] = load(self.tiles.source(source), first);
                for i in 0..LANES {
                    votes[i] += (tuned[i] - base[i]).to_f64();
                }
            }
            let mut elected = [T::ZERO; LANES];
            for i in 0..LANES {
                elected[i] = if votes[i] >= 0.0 { T::ONE } else { -T::ONE };
            }
            let (mut sums, mut divisors) = ([T::ZERO; LANES], [T::ZERO; LANES]);
            for (&source, &weight) in tuned.iter().zip(self.weights) {
                let tuned: [T; LANES] = load(self.tiles.source(source), first);
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
            store(self.out, first, &result);
        }
    }
}
