//! Philox4x32-10: J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
//! SC '11, <https://doi.org/10.1145/2063384.2063405>.

use super::Stream;

/// The multipliers of words 0 and 2.
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// What is added to the key after each round: the golden ratio and √3 − 1.
const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: usize = 10;

/// Four random words of a counter and a key.
///
/// # Examples
/// ```
/// use weightsmith_tensors::kernels::philox4x32;
///
/// assert_eq!(philox4x32([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
/// ```
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    Keys::new(key)
        .rounds(counter.map(u64::from))
        .map(|word| word as u32)
}

/// The words of a stream's elements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    keys: Keys,
    id: u64,
}

impl Words {
    #[inline(always)]
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            keys: Keys::new([stream.seed as u32, (stream.seed >> 32) as u32]),
            id: stream.id,
        }
    }

    /// Those of the elements of the counters from one on.
    ///
    /// The compiler works on several counters side by side; written out as arrays of counters it is twice as slow.
    #[inline(always)]
    pub(super) fn fill(&self, counter: u64, out: &mut [[u32; 4]]) {
        for (lane, words) in out.iter_mut().enumerate() {
            *words = self.of(counter.wrapping_add(lane as u64));
        }
    }

    /// That of one element.
    #[inline(always)]
    pub(super) fn at(&self, index: u64) -> u32 {
        let [first, second, third, fourth] = self.of(index / 4);
        match index % 4 {
            0 => first,
            1 => second,
            2 => third,
            _ => fourth,
        }
    }

    #[inline(always)]
    fn of(&self, counter: u64) -> [u32; 4] {
        let words = [counter, counter >> 32, self.id, self.id >> 32];
        self.keys.rounds(words).map(|word| word as u32)
    }
}

/// The keys of the rounds, each half in a `u64`: worked out once, they spare the rounds instructions.
#[derive(Debug, Clone, Copy)]
struct Keys([[u64; 2]; ROUNDS]);

impl Keys {
    #[inline(always)]
    fn new(mut key: [u32; 2]) -> Self {
        let mut keys = [[0; 2]; ROUNDS];
        for round_key in &mut keys {
            *round_key = key.map(u64::from);
            key[0] = key[0].wrapping_add(KEY_STEPS[0]);
            key[1] = key[1].wrapping_add(KEY_STEPS[1]);
        }
        Self(keys)
    }

    /// The ten rounds, one after the other in the code: a loop in a loop over counters would not be vectorised.
    #[inline(always)]
    fn rounds(&self, words: [u64; 4]) -> [u64; 4] {
        let [
            first,
            second,
            third,
            fourth,
            fifth,
            sixth,
            seventh,
            eighth,
            ninth,
            tenth,
        ] = self.0;
        let words = round(words, first);
        let words = round(words, second);
        let words = round(words, third);
        let words = round(words, fourth);
        let words = round(words, fifth);
        let words = round(words, sixth);
        let words = round(words, seventh);
        let words = round(words, eighth);
        let words = round(words, ninth);
        round(words, tenth)
    }
}

/// A round. Each word is the low half of a `u64`; the high halves are noise.
#[inline(always)]
fn round(words: [u64; 4], key: [u64; 2]) -> [u64; 4] {
    let low = u64::from(MULTIPLIERS[0]) * u64::from(words[0] as u32);
    let high = u64::from(MULTIPLIERS[1]) * u64::from(words[2] as u32);
    [
        (high >> 32) ^ words[1] ^ key[0],
        high,
        (low >> 32) ^ words[3] ^ key[1],
        low,
    ]
}

#[cfg(test)]
mod tests {
    use super::philox4x32;

    #[test]
    fn known_answers_of_the_authors() {
        let ones = philox4x32([u32::MAX; 4], [u32::MAX; 2]);
        assert_eq!(ones, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi = philox4x32(
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
        );
        assert_eq!(pi, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }
}
