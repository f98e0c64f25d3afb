//! The loops of a pass.

use std::array;

use crate::Real;
use crate::kernels::{Kernel, Key, Magnitude};

/// Elements that are tested together before those in the bracket are looked at.
const GROUP: usize = 64;

/// How many keys are above one.
pub(super) struct CountAbove<'a, T: Real> {
    pub(super) values: &'a [T],
    pub(super) key: T::Key,
}

impl<T: Real> Kernel for CountAbove<'_, T> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut count = T::Key::ZERO;
        for value in self.values {
            count += T::Key::one_if(value.key() > self.key);
        }
        count.to_u64()
    }
}

/// How many keys are equal to one.
pub(super) struct CountEqual<'a, T: Real> {
    pub(super) values: &'a [T],
    pub(super) key: T::Key,
}

impl<T: Real> Kernel for CountEqual<'_, T> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut count = T::Key::ZERO;
        for value in self.values {
            count += T::Key::one_if(value.key() == self.key);
        }
        count.to_u64()
    }
}

/// What is known of the keys of a slice once they were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// Those above the range.
    pub(super) above: u64,
    /// Those above the guess.
    pub(super) above_guess: u64,
    /// Those equal to the guess.
    pub(super) equal: u64,
}

/// Counts the keys of a range in bins, and those above it and about a guess.
pub(super) struct Histogram<'a, T: Real> {
    pub(super) values: &'a [T],
    pub(super) lowest: T::Key,
    pub(super) highest: T::Key,
    /// A key that is counted by itself; [`Key::MAX`] where there is none.
    pub(super) guess: T::Key,
    pub(super) shift: u32,
    pub(super) bins: &'a mut [u64],
}

/// Counts of keys, lane by lane.
struct Lanes<K> {
    above: [K; GROUP],
    above_guess: [K; GROUP],
    equal: [K; GROUP],
}

impl<T: Real> Kernel for Histogram<'_, T> {
    type Output = Counted;

    #[inline(always)]
    fn run(mut self) -> Counted {
        let mut lanes = Lanes {
            above: [T::Key::ZERO; GROUP],
            above_guess: [T::Key::ZERO; GROUP],
            equal: [T::Key::ZERO; GROUP],
        };
        let (groups, rest) = self.values.as_chunks::<GROUP>();
        for group in groups {
            self.add(&array::from_fn(|lane| group[lane].key()), &mut lanes);
        }
        let rest = array::from_fn(|lane| rest.get(lane).map_or(T::Key::BELOW, |value| value.key()));
        self.add(&rest, &mut lanes);
        let sum = |lanes: [T::Key; GROUP]| lanes.into_iter().map(Key::to_u64).sum();
        Counted {
            above: sum(lanes.above),
            above_guess: sum(lanes.above_guess),
            equal: sum(lanes.equal),
        }
    }
}

impl<T: Real> Histogram<'_, T> {
    #[inline(always)]
    fn add(&mut self, keys: &[<T as Magnitude>::Key; GROUP], lanes: &mut Lanes<T::Key>) {
        let mut inside = [0_u8; GROUP];
        for lane in 0..GROUP {
            let key = keys[lane];
            lanes.above[lane] += T::Key::one_if(key > self.highest);
            lanes.above_guess[lane] += T::Key::one_if(key > self.guess);
            lanes.equal[lane] += T::Key::one_if(key == self.guess);
            inside[lane] = u8::from((self.lowest..=self.highest).contains(&key));
        }
        if self.bins.is_empty() {
            return;
        }
        let (words, _) = inside.as_chunks::<8>();
        for (word, keys) in words.iter().zip(keys.as_chunks::<8>().0) {
            let mut word = u64::from_le_bytes(*word);
            while word != 0 {
                let key = keys[word.trailing_zeros() as usize / 8];
                let bin = ((key - self.lowest) >> self.shift).to_u64() as usize;
                if let Some(bin) = self.bins.get_mut(bin) {
                    *bin += 1;
                }
                word &= word - 1;
            }
        }
    }
}
