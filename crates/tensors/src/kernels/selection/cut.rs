//! Where a selection ends.

use std::cmp::Ordering;

use crate::kernels::Key;

/// The first elements of a tensor in the order of magnitude, up to some element.
///
/// An element belongs if its key (the bits of its magnitude) is larger than [`Cut::key`], or equal to it and it lies in a
/// tile before [`Cut::tile`] or is among the first [`Cut::ties`] elements with that key in that tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cut {
    /// The key of the last element that belongs.
    pub key: u64,
    /// The tile where equal elements stop to belong, counted in [`TILE`](crate::kernels::TILE) elements from the first.
    pub tile: u64,
    /// How many of the equal elements of that tile belong.
    pub ties: u32,
}

impl Cut {
    /// No element.
    pub const NONE: Self = Self {
        key: u64::MAX,
        tile: 0,
        ties: 0,
    };

    /// Every element.
    pub const ALL: Self = Self::down_to(0);

    /// All elements whose key is at least this.
    pub const fn down_to(key: u64) -> Self {
        Self {
            key,
            tile: u64::MAX,
            ties: 0,
        }
    }

    /// What a key must exceed to belong, in a tile whose equal elements share one fate; `None` in the tile that is cut.
    pub(super) fn floor<K: Key>(&self, tile: u64) -> Option<K> {
        // a key that the type cannot have: nothing is above its largest one
        if self.key > K::MAX.to_u64() {
            return Some(K::MAX);
        }
        let key = K::saturating_from(self.key);
        if tile < self.tile {
            Some(key - K::one_if(true))
        } else if tile > self.tile || self.ties == 0 {
            Some(key)
        } else {
            None
        }
    }
}

/// Tells element by element, in order, whether it belongs.
pub(super) struct Belongs<K> {
    key: Option<K>,
    ties: u64,
}

impl<K: Key> Belongs<K> {
    pub(super) fn new(cut: &Cut, tile: u64) -> Self {
        Self {
            key: (cut.key <= K::MAX.to_u64()).then(|| K::saturating_from(cut.key)),
            ties: match tile.cmp(&cut.tile) {
                Ordering::Less => u64::MAX,
                Ordering::Equal => u64::from(cut.ties),
                Ordering::Greater => 0,
            },
        }
    }

    pub(super) fn next(&mut self, key: K) -> bool {
        let Some(cut) = self.key else { return false };
        if key != cut {
            return key > cut;
        }
        let belongs = self.ties > 0;
        self.ties -= u64::from(belongs);
        belongs
    }
}
