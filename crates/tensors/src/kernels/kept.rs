//! Which elements of a tile are not zero, one bit each: to find again what was kept without choosing anew.

use super::{Isa, Kernel};
use crate::Real;

/// Elements whose bits are in one word.
const WORD: usize = u64::BITS as usize;

/// Number of words for that many elements.
pub const fn kept_words(elements: usize) -> usize {
    elements.div_ceil(WORD)
}

/// Sets the bit of each element that is not zero: that of element i is bit i mod 64 of word i / 64.
///
/// # Panics
/// When there are too few words.
pub fn note_kept<T: Real>(values: &[T], words: &mut [u64]) {
    note_kept_on(Isa::detected(), values, words);
}

/// [`note_kept`] on a given instruction set.
///
/// # Panics
/// When there are too few words.
pub fn note_kept_on<T: Real>(isa: Isa, values: &[T], words: &mut [u64]) {
    assert!(words.len() >= kept_words(values.len()), "a bit for each");
    isa.run(Note { values, words });
}

/// Makes zero the elements whose bits are not set.
///
/// # Panics
/// When there are too few words.
pub fn keep_noted<T: Real>(words: &[u64], values: &mut [T]) {
    keep_noted_on(Isa::detected(), words, values);
}

/// [`keep_noted`] on a given instruction set.
///
/// # Panics
/// When there are too few words.
pub fn keep_noted_on<T: Real>(isa: Isa, words: &[u64], values: &mut [T]) {
    assert!(words.len() >= kept_words(values.len()), "a bit for each");
    isa.run(Keep { words, values });
}

struct Note<'a, T> {
    values: &'a [T],
    words: &'a mut [u64],
}

impl<T: Real> Kernel for Note<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (groups, rest) = self.values.as_chunks::<WORD>();
        for (group, word) in groups.iter().zip(&mut *self.words) {
            *word = bits(group);
        }
        if !rest.is_empty() {
            let mut group = [T::ZERO; WORD];
            group[..rest.len()].copy_from_slice(rest);
            self.words[groups.len()] = bits(&group);
        }
    }
}

#[inline(always)]
fn bits<T: Real>(group: &[T; WORD]) -> u64 {
    let mut flags = [0u8; WORD];
    for (flag, value) in flags.iter_mut().zip(group) {
        *flag = u8::from(*value != T::ZERO);
    }
    let mut bytes = [0u8; 8];
    for (byte, flags) in bytes.iter_mut().zip(flags.as_chunks::<8>().0) {
        // the product has flag i at bit 56 + i, and nothing there from elsewhere
        let product = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080);
        *byte = (product >> 56) as u8;
    }
    u64::from_le_bytes(bytes)
}

struct Keep<'a, T> {
    words: &'a [u64],
    values: &'a mut [T],
}

impl<T: Real> Kernel for Keep<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (group, word) in self.values.chunks_mut(WORD).zip(self.words) {
            for (half, word) in group
                .chunks_mut(32)
                .zip([*word as u32, (word >> 32) as u32])
            {
                for (place, value) in half.iter_mut().enumerate() {
                    let is_kept = word & (1 << place) != 0;
                    *value = if is_kept { *value } else { T::ZERO };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_found_again() {
        for len in [0, 1, 63, 64, 65, 2048, 2049] {
            let thinned: Vec<f32> = (0..len)
                .map(|i: u32| if i * i % 7 < 3 { 0.0 } else { 1.0 + i as f32 })
                .collect();
            for isa in Isa::available() {
                let mut words = vec![u64::MAX; kept_words(thinned.len())];
                note_kept_on(isa, &thinned, &mut words);
                let mut values: Vec<f32> = (0..len).map(|i| 1.0 + i as f32).collect();
                keep_noted_on(isa, &words, &mut values);
                assert_eq!(values, thinned, "{isa} {len}");
            }
        }
    }

    #[test]
    fn nan_is_kept_and_negative_zero_is_not() {
        let mut words = [0];
        note_kept(&[f64::NAN, -0.0, 0.0, -1.0], &mut words);
        assert_eq!(words, [0b1001]);
    }
}
