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

/// Counts the keys of a range in bins.
pub(super) struct Histogram<'a, T: Real> {
    pub(super) values: &'a [T],
    pub(super) lowest: T::Key,
    pub(super) highest: T::Key,
    pub(super) shift: u32,
    pub(super) bins: &'a mut [u64],
}

impl<T: Real> Kernel for Histogram<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let (groups, rest) = self.values.as_chunks::<GROUP>();
        for group in groups {
            self.add(&array::from_fn(|lane| group[lane].key()));
        }
        self.add(&array::from_fn(|lane| {
            rest.get(lane).map_or(T::Key::BELOW, |value| value.key())
        }));
    }
}

impl<T: Real> Histogram<'_, T> {
    #[inline(always)]
    fn add(&mut self, keys: &[<T as Magnitude>::Key; GROUP]) {
        let mut inside = [0_u8; GROUP];
        for (inside, key) in inside.iter_mut().zip(keys) {
            *inside = u8::from((self.lowest..=self.highest).contains(key));
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
