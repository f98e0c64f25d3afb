//! Applying a cut to a tile.

use super::Cut;
use super::cut::Belongs;
use crate::Real;
use crate::kernels::{Isa, Kernel};

/// Makes zero what does not belong.
pub fn keep<T: Real>(cut: &Cut, tile: u64, values: &mut [T]) {
    keep_on(Isa::detected(), cut, tile, values);
}

/// [`keep`] on a given instruction set.
pub fn keep_on<T: Real>(isa: Isa, cut: &Cut, tile: u64, values: &mut [T]) {
    if let Some(floor) = cut.floor(tile) {
        isa.run(KeepAbove { floor, values });
        return;
    }
    let mut belongs = Belongs::new(cut, tile);
    for value in values {
        if !belongs.next(value.key()) {
            *value = T::ZERO;
        }
    }
}

/// Makes zero what belongs to `inner` or does not belong to `outer`: what stays is a window of the order.
pub fn keep_between<T: Real>(outer: &Cut, inner: &Cut, tile: u64, values: &mut [T]) {
    keep_between_on(Isa::detected(), outer, inner, tile, values);
}

/// [`keep_between`] on a given instruction set.
pub fn keep_between_on<T: Real>(isa: Isa, outer: &Cut, inner: &Cut, tile: u64, values: &mut [T]) {
    if let (Some(floor), Some(ceiling)) = (outer.floor(tile), inner.floor(tile)) {
        isa.run(KeepWindow {
            floor,
            ceiling,
            values,
        });
        return;
    }
    let (mut outer, mut inner) = (Belongs::new(outer, tile), Belongs::new(inner, tile));
    for value in values {
        let key = value.key();
        let (outer, inner) = (outer.next(key), inner.next(key));
        if !outer || inner {
            *value = T::ZERO;
        }
    }
}

struct KeepAbove<'a, T: Real> {
    floor: T::Key,
    values: &'a mut [T],
}

impl<T: Real> Kernel for KeepAbove<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for value in self.values {
            *value = if value.key() > self.floor {
                *value
            } else {
                T::ZERO
            };
        }
    }
}

struct KeepWindow<'a, T: Real> {
    floor: T::Key,
    ceiling: T::Key,
    values: &'a mut [T],
}

impl<T: Real> Kernel for KeepWindow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for value in self.values {
            let key = value.key();
            *value = if key > self.floor && key <= self.ceiling {
                *value
            } else {
                T::ZERO
            };
        }
    }
}
