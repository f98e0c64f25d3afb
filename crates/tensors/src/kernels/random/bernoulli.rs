//! Dropping elements at random.

use super::Stream;
use super::philox::Words;
use crate::Real;
use crate::kernels::{Isa, Kernel};

/// Counters whose words are drawn before they are used.
const COUNTERS: usize = 128;
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
        threshold,
    });
}

struct Keep<'a, T> {
    stream: Stream,
    first: u64,
    values: &'a mut [T],
    /// Words below this keep their element.
    threshold: u32,
}

impl<T: Real> Kernel for Keep<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            stream,
            first,
            values,
            threshold,
        } = self;
        let stream = Words::new(stream);
        let mut skipped = (first % 4) as usize;
        let mut counter = first / 4;
        let mut start = 0;
        let mut words = [[0; 4]; COUNTERS];
        while start < values.len() {
            let end = values.len().min(start + 4 * COUNTERS - skipped);
            let counters = (skipped + end - start).div_ceil(4);
            stream.fill(counter, &mut words[..counters]);
            counter = counter.wrapping_add(COUNTERS as u64);
            let words = &words.as_flattened()[skipped..];
            for (value, &word) in values[start..end].iter_mut().zip(words) {
                *value = if word < threshold { *value } else { T::ZERO };
            }
            start = end;
            skipped = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bernoulli_keep_on;
    use crate::kernels::{Isa, Stream, philox4x32};

    const STREAM: Stream = Stream {
        seed: 0x0123_4567_89ab_cdef,
        id: 0xfedc_ba98_7654_3210,
    };

    fn word(index: u64) -> u32 {
        let counter = u128::from(index / 4) | u128::from(STREAM.id) << 64;
        let counter = [0, 32, 64, 96].map(|shift| (counter >> shift) as u32);
        let key = [STREAM.seed as u32, (STREAM.seed >> 32) as u32];
        philox4x32(counter, key)[(index % 4) as usize]
    }

    #[test]
    fn an_element_stays_by_its_word_wherever_the_slice_starts_and_ends() {
        for first in [0, 1, 2, 3, 510, 0x3_ffff_fffe, u64::MAX - 600] {
            for length in [0, 1, 3, 5, 509, 512, 513, 600] {
                let values: Vec<f32> = (0..length).map(|x| x as f32 + 1.0).collect();
                let words: Vec<u32> = (0..length).map(|index| word(first + index)).collect();
                for isa in Isa::available() {
                    let mut kept = values.clone();
                    bernoulli_keep_on(isa, STREAM, first, 0.25, &mut kept);
                    for (index, &word) in words.iter().enumerate() {
                        let unit = f64::from(word) / 4_294_967_296.0;
                        assert_eq!(kept[index] == values[index], unit < 0.25);
                    }
                }
            }
        }
    }
}
