//! Dropping elements at random.

use super::{Stream, philox};
use crate::Real;
use crate::kernels::{Isa, Kernel};

/// Counters that are worked on side by side.
const COUNTERS: usize = 16;
/// Elements that have their words from them.
const GROUP: usize = 4 * COUNTERS;
/// 2³², the number of random words.
const WORDS: f64 = 4_294_967_296.0;

/// Makes each element zero with probability 1 − `probability`; `first` is the index in the tensor of the first one.
///
/// An element stays if its random word is less than `probability` · 2³²: with a probability of ⌈`probability` · 2³²⌉ / 2³²,
/// never if it is 0 or less or NaN, always if it is 1 or more.
pub fn bernoulli_keep<T: Real>(stream: Stream, first: u64, probability: f64, values: &mut [T]) {
    bernoulli_keep_on(Isa::detected(), stream, first, probability, values);
}

/// [`bernoulli_keep`] on a given instruction set.
pub fn bernoulli_keep_on<T: Real>(
    isa: Isa,
    stream: Stream,
    first: u64,
    probability: f64,
    values: &mut [T],
) {
    // rounds towards zero and NaN to 0, after what is between two words counted as the upper one
    let threshold = (probability * WORDS).ceil() as u64;
    if threshold > u64::from(u32::MAX) {
        return;
    }
    let threshold = threshold as u32;
    isa.run(Keep {
        stream,
        first,
        values,
        keeps: |_, word: u32| word < threshold,
    });
}

/// [`bernoulli_keep`] with a probability for each element.
///
/// # Panics
/// When the lengths differ.
pub fn bernoulli_keep_each<T: Real>(
    stream: Stream,
    first: u64,
    probabilities: &[f32],
    values: &mut [T],
) {
    bernoulli_keep_each_on(Isa::detected(), stream, first, probabilities, values);
}

/// [`bernoulli_keep_each`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn bernoulli_keep_each_on<T: Real>(
    isa: Isa,
    stream: Stream,
    first: u64,
    probabilities: &[f32],
    values: &mut [T],
) {
    assert_eq!(
        probabilities.len(),
        values.len(),
        "one probability for each element"
    );
    isa.run(Keep {
        stream,
        first,
        values,
        keeps: |index: usize, word: u32| f64::from(word) < f64::from(probabilities[index]) * WORDS,
    });
}

struct Keep<'a, T, F> {
    stream: Stream,
    first: u64,
    values: &'a mut [T],
    /// By the element's place in the slice and its word.
    keeps: F,
}

impl<T: Real, F: Fn(usize, u32) -> bool> Kernel for Keep<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut counter = self.first / 4;
        let skipped = (self.first % 4) as usize;
        let mut start = 0;
        let mut offset = skipped;
        while start < self.values.len() {
            let words = philox::words::<COUNTERS>(self.stream, counter);
            let words = &words.as_flattened()[offset..];
            let end = self.values.len().min(start + GROUP - offset);
            for ((index, value), &word) in (start..end).zip(&mut self.values[start..end]).zip(words)
            {
                *value = if (self.keeps)(index, word) {
                    *value
                } else {
                    T::ZERO
                };
            }
            start = end;
            offset = 0;
            counter += COUNTERS as u64;
        }
    }
}
